from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

from plugandtell.client.audio_file import BLOCKS_PER_SECOND, AudioFile
from plugandtell.core.errors import InputEmpty, InputError, InputNotAudio, InputNotFound
from tests.client.audio import noise, tone

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from plugandtell.client.converter import Block


def decoded(file: AudioFile) -> Block:
    blocks = list(file.blocks())
    assert {len(block) for block in blocks[:-1]} <= {file.sample_rate // BLOCKS_PER_SECOND}
    file.close()
    file.close()
    return np.concatenate(blocks)


def decoded_up_to_the_damage(path: Path, match: str) -> Block:
    heard: list[Block] = []
    with pytest.raises(InputNotAudio, match=match) as error:
        heard.extend(AudioFile(path).blocks())
    assert error.value.source == str(path)
    return np.concatenate(heard)[:, 0]


@pytest.mark.parametrize("name", ["speech.wav", "speech.flac", "speech.aiff"])
@pytest.mark.parametrize("channels", [1, 2])
def test_16_bit_audio_is_decoded_exactly(tmp_path: Path, name: str, channels: int) -> None:
    values = noise(channels * 40_123).reshape(-1, channels)
    soundfile.write(tmp_path / name, values, 16_000, subtype="PCM_16")
    assert np.array_equal(decoded(AudioFile(tmp_path / name)), values / np.float32(2**15))


@pytest.mark.parametrize(
    ("name", "subtype", "rate"),
    [
        ("a.ogg", "VORBIS", 44_100),
        ("a.ogg", "OPUS", 48_000),
        ("a.mp3", "MPEG_LAYER_III", 44_100),
        ("a.flac", "PCM_24", 48_000),
        ("a.wav", "FLOAT", 16_000),
        ("a.wav", "ULAW", 8_000),
        ("a.wav", "PCM_U8", 16_000),
    ],
)
def test_any_encoding_is_decoded(tmp_path: Path, name: str, subtype: str, rate: int) -> None:
    soundfile.write(tmp_path / name, tone(2 * rate, rate), rate, subtype=subtype)
    file = AudioFile(tmp_path / name)
    values = decoded(file)[:, 0]
    at_once, _ = soundfile.read(tmp_path / name, dtype="float32")
    assert np.array_equal(values, at_once)
    assert (file.sample_rate, len(values)) == (rate, 2 * rate)
    inner = values[rate // 4 : -rate // 4]
    wave = np.exp(-2j * np.pi * 440 * np.arange(len(inner)) / rate)
    share = 2 * np.mean(inner * wave)  # of the tone, at whatever phase: an MP3 may start a few milliseconds off
    error = inner - np.real(share * np.conj(wave))
    assert abs(share) == pytest.approx(0.5, abs=0.02)
    assert np.sqrt(np.mean(error**2)) < 0.02


def failure_of(path: str | Path, kind: type[InputError]) -> str:
    with pytest.raises(kind) as error:
        AudioFile(path)
    assert error.value.source == str(path)
    return error.value.cause


def test_a_file_that_is_missing_or_unreadable(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    assert "no such file" in failure_of(tmp_path / "gone.wav", InputNotFound)
    assert "name one audio file" in failure_of(tmp_path, InputNotFound)
    assert "not a directory" in failure_of(tmp_path / "file" / "a.wav", InputNotFound)
    assert "name too long" in failure_of("a" * 5_000, InputNotFound)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_named_pipe_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "--input -" in failure_of(tmp_path / "pipe", InputNotFound)


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="this user may read everything")
def test_a_file_without_permission(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", noise(10), 16_000)
    (tmp_path / "a.wav").chmod(0)
    assert "permission denied" in failure_of(tmp_path / "a.wav", InputNotFound)


@pytest.mark.parametrize("content", [b"just text\n" * 50, b"RIFF", b"RIFF\x24\0\0\0WAVEfmt ", bytes(5_000)])
def test_a_file_that_is_no_audio(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.wav").write_bytes(content)
    assert "give a WAV, FLAC, OGG or MP3 file" in failure_of(tmp_path / "a.wav", InputNotAudio)


def test_a_raw_file_is_to_be_piped(tmp_path: Path) -> None:
    (tmp_path / "a.raw").write_bytes(bytes(320))
    assert "--input -" in failure_of(tmp_path / "a.raw", InputNotAudio)


def test_a_file_of_no_size(tmp_path: Path) -> None:
    (tmp_path / "a.wav").touch()
    assert "zero bytes" in failure_of(tmp_path / "a.wav", InputEmpty)


@pytest.mark.parametrize("name", ["a.wav", "a.ogg", "a.aiff"])
def test_audio_without_a_sample(tmp_path: Path, name: str) -> None:
    soundfile.write(tmp_path / name, np.zeros(0), 16_000)
    assert not list(AudioFile(tmp_path / name).blocks())


def cut_off(content: bytes) -> bytes:
    return content[: len(content) // 2]


def overwritten(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes(30_000) + content[middle + 30_000 :]


@pytest.mark.parametrize("damage", [cut_off, overwritten])
def test_a_damaged_file_is_decoded_up_to_the_damage(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "a.flac"
    values = noise(80_000)
    soundfile.write(path, values, 16_000)
    path.write_bytes(damage(path.read_bytes()))
    heard = decoded_up_to_the_damage(path, r"damaged after 2\.\d s")
    assert np.array_equal(heard * 2**15, values[: len(heard)])
    assert len(heard) > 35_000
    assert len(heard) % 4_096 == 0  # all blocks of the encoder that are whole


def test_a_damaged_mp3_is_decoded_up_to_the_damage(tmp_path: Path) -> None:
    path = tmp_path / "a.mp3"
    soundfile.write(path, tone(220_500, 44_100) + noise(220_500) / 2**18, 44_100)
    content = path.read_bytes()
    path.write_bytes(content[:20_000] + bytes(10_000) + content[30_000:])
    assert len(decoded_up_to_the_damage(path, "damaged")) > 44_100


def test_an_ogg_file_that_goes_on_without_what_was_damaged_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "a.ogg"
    soundfile.write(path, tone(220_500, 44_100) + noise(220_500) / 2**18, 44_100)
    content = path.read_bytes()
    middle = len(content) // 2
    path.write_bytes(content[:middle] + noise(2_500).tobytes() + content[middle + 5_000 :])
    assert len(decoded_up_to_the_damage(path, "the rest is missing")) > 88_200


def test_an_mp3_may_end_before_its_header_says(tmp_path: Path) -> None:
    path = tmp_path / "a.mp3"
    soundfile.write(path, tone(220_500, 44_100), 44_100)
    path.write_bytes(cut_off(path.read_bytes()))
    assert 88_200 < len(decoded(AudioFile(path))) < 132_300
