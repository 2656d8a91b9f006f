from __future__ import annotations

import struct
import tracemalloc
from typing import TYPE_CHECKING

import numpy as np
import pytest

from plugandtell.analytics.decoding import decode
from plugandtell.core.errors import InputEmpty, InputError, InputNotAudio, InputNotFound, InputTooLong
from tests.support.media import LOUDNESS, encode, heard_hz, tones, write

if TYPE_CHECKING:
    from pathlib import Path

SECONDS = 1.5
HOURS = 4.0


@pytest.mark.parametrize("rate", [8_000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000])
@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "FLOAT", "ULAW", "ALAW"])
def test_a_wav_of_any_encoding_and_rate_keeps_its_tone_its_loudness_and_its_length(
    tmp_path: Path, subtype: str, rate: int
) -> None:
    path = write(tmp_path / "a.wav", tones(SECONDS, rate, 440), rate, subtype)
    audio = decode(path, HOURS)
    (channel,) = audio.channels
    assert channel.dtype == np.float32
    assert heard_hz(channel) == pytest.approx(440, abs=1)
    assert np.abs(channel[200:-200]).max() == pytest.approx(LOUDNESS, rel=0.04)  # A-law has steps of 3 % there
    assert len(channel) == pytest.approx(16_000 * SECONDS, abs=1)
    assert audio.duration_ms == pytest.approx(1000 * SECONDS, abs=1)


@pytest.mark.parametrize("name", ["a.flac", "a.ogg", "a.mp3"])
def test_compressed_files_are_decoded(tmp_path: Path, name: str) -> None:
    audio = decode(write(tmp_path / name, tones(SECONDS, 44_100, 440, 900), 44_100), HOURS)
    assert [heard_hz(channel) for channel in audio.channels] == pytest.approx([440, 900], abs=2)
    assert audio.duration_ms == pytest.approx(1000 * SECONDS, abs=60)


@pytest.mark.parametrize(
    ("name", "codec", "pictures"),
    [
        ("a.m4a", "aac", 0),
        ("a.aac", "aac", 0),
        ("a.opus", "libopus", 0),
        ("a.webm", "libopus", 0),
        ("a.mp4", "aac", 30),
        ("a.mkv", "flac", 30),
        ("a.avi", "pcm_s16le", 30),
        ("a.aiff", "pcm_s16be", 0),
        ("a.caf", "pcm_s16le", 0),
    ],
)
def test_what_telephones_browsers_and_meetings_record_is_decoded(
    tmp_path: Path, name: str, codec: str, pictures: int
) -> None:
    path = encode(tmp_path / name, tones(SECONDS, 48_000, 440, 900), 48_000, codec, pictures=pictures)
    audio = decode(path, HOURS)
    assert [heard_hz(channel) for channel in audio.channels] == pytest.approx([440, 900], abs=2)
    assert audio.duration_ms == pytest.approx(1000 * SECONDS, abs=80)


def test_what_is_16_khz_already_comes_out_as_it_is(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).integers(-32_768, 32_768, 50_000).astype(np.int16)
    path = tmp_path / "a.wav"
    write(path, noise.astype(np.float32)[:, None] / np.float32(32_768), 16_000, "PCM_16")
    (channel,) = decode(path, HOURS).channels
    assert (np.rint(channel * 32_768).astype(np.int64) == noise).all()


def test_a_click_stays_where_it_is(tmp_path: Path) -> None:
    samples = np.zeros((48_000, 1), np.float32)
    samples[24_000] = 1.0
    (channel,) = decode(write(tmp_path / "a.wav", samples, 48_000, "FLOAT"), HOURS).channels
    assert np.argmax(np.abs(channel)) == pytest.approx(8_000, abs=1)


def test_two_channels_with_the_same_sound_are_one(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", tones(SECONDS, 8_000, 440, 440), 8_000, "PCM_16")
    assert len(decode(path, HOURS).channels) == 1


def test_two_channels_that_differ_only_for_a_moment_stay_two(tmp_path: Path) -> None:
    samples = tones(10, 8_000, 440, 440)
    samples[70_000:70_100, 1] = 0
    assert len(decode(write(tmp_path / "a.wav", samples, 8_000), HOURS).channels) == 2


@pytest.mark.parametrize("channels", [3, 4, 6, 8, 12])
def test_more_channels_than_two_are_mixed(tmp_path: Path, channels: int) -> None:
    samples = tones(SECONDS, 48_000, *[440] * channels)
    (channel,) = decode(write(tmp_path / "a.wav", samples, 48_000), HOURS).channels
    assert heard_hz(channel) == pytest.approx(440, abs=1)
    assert np.abs(channel[200:-200]).max() == pytest.approx(LOUDNESS, rel=0.02)


def test_what_is_no_number_is_silence_and_what_is_too_loud_is_full_scale(tmp_path: Path) -> None:
    samples = tones(SECONDS, 16_000, 440)
    samples[1000:1010] = np.nan
    samples[5000:5010] = np.inf
    samples[9000:9010] = -1e30
    (channel,) = decode(write(tmp_path / "a.wav", samples, 16_000, "FLOAT"), HOURS).channels
    assert np.isfinite(channel).all()
    assert np.abs(channel).max() == 1.0
    assert (channel[1000:1010] == 0).all()
    assert heard_hz(channel) == pytest.approx(440, abs=1)


def test_no_number_spoils_what_comes_after_it_where_the_rate_changes(tmp_path: Path) -> None:
    samples = tones(SECONDS, 44_100, 440)
    samples[1000:1010] = np.nan
    (channel,) = decode(write(tmp_path / "a.wav", samples, 44_100, "FLOAT"), HOURS).channels
    assert np.isfinite(channel).all()
    assert np.abs(channel[1000:-200]).max() == pytest.approx(LOUDNESS, rel=0.02)


def test_a_wav_that_was_cut_short_gives_what_is_there(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", tones(10, 8_000, 440), 8_000, "PCM_16")
    path.write_bytes(path.read_bytes()[: 44 + 2 * 8_000 * 4])
    assert decode(path, HOURS).duration_ms == 4_000


def test_a_wav_whose_length_nobody_knew_is_read_to_its_end(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", tones(2, 8_000, 440), 8_000, "PCM_16")
    content = bytearray(path.read_bytes())
    content[4:8] = content[40:44] = struct.pack("<I", 0xFFFF_FFFF)
    path.write_bytes(content)
    assert decode(path, HOURS).duration_ms == 2_000


def test_a_title_in_an_old_encoding_does_not_matter(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", tones(1, 8_000, 440), 8_000, "PCM_16")
    title = b"INFOINAM" + struct.pack("<I", 8) + "Réclam.".encode("latin-1") + b"\0"
    chunk = b"LIST" + struct.pack("<I", len(title)) + title
    content = path.read_bytes()
    path.write_bytes(content[:36] + chunk + content[36:])
    assert decode(path, HOURS).duration_ms == 1_000


@pytest.mark.parametrize("name", ["a.mp3", "a.ogg", "a.flac"])
def test_a_compressed_file_that_was_cut_short_gives_what_is_there(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name, tones(10, 44_100, 440), 44_100)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert 2_000 < decode(path, HOURS).duration_ms < 8_000


def test_damage_in_the_middle_costs_what_is_damaged(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp3", tones(10, 44_100, 440), 44_100)
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 2000] = bytes(2000)
    path.write_bytes(content)
    audio = decode(path, HOURS)
    assert 9_000 < audio.duration_ms < 10_500
    assert heard_hz(audio.channels[0]) == pytest.approx(440, abs=2)


@pytest.mark.parametrize(
    ("content", "kind", "cause"),
    [
        (b"", InputEmpty, "zero bytes"),
        (b"Dear customer,\n" * 500, InputNotAudio, "no audio format"),
        (b"#EXTM3U\n#EXTINF:10,\nhttp://127.0.0.1:9/a.mp3\n", InputNotAudio, "no audio format"),
        (b"ffconcat version 1.0\nfile a.wav\n", InputNotAudio, "no audio format"),
        (b"RIFF\x24\0\0\0WAVEfmt ", InputError, "cannot read"),
        (np.random.default_rng(3).bytes(50_000), InputNotAudio, "no audio format"),
    ],
    ids=["nothing", "text", "playlist", "script", "half a header", "noise"],
)
def test_what_is_no_audio_is_refused(tmp_path: Path, content: bytes, kind: type[InputError], cause: str) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    with pytest.raises(kind, match=cause):
        decode(path, HOURS)


def test_what_only_looks_like_audio_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.mp3"
    path.write_bytes(np.random.default_rng(1).bytes(100_000))
    with pytest.raises(InputNotAudio):
        decode(path, HOURS)


def test_a_film_without_sound_is_refused(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.mp4", tones(0.1, 48_000, 440), 48_000, None, pictures=3)
    with pytest.raises(InputNotAudio, match="there is no audio in it"):
        decode(path, HOURS)


def test_a_file_without_a_sample_is_empty(tmp_path: Path) -> None:
    with pytest.raises(InputEmpty, match="not a single sample"):
        decode(write(tmp_path / "a.wav", np.zeros((0, 1), np.float32), 8_000), HOURS)


def test_a_rate_that_nobody_records_at_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", tones(0.1, 8_000, 440), 8_000, "PCM_16")
    content = bytearray(path.read_bytes())
    content[24:28] = struct.pack("<I", 2_000_000_000)
    path.write_bytes(content)
    with pytest.raises(InputNotAudio, match="Hz"):
        decode(path, HOURS)


def test_a_call_that_is_too_long_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", tones(40, 8_000, 440), 8_000, "PCM_16")
    assert decode(path, 40 / 3600).duration_ms == 40_000
    with pytest.raises(InputTooLong, match=r"longer than 0\.01 hours"):
        decode(path, 0.01)


def test_what_is_no_file_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(InputNotFound, match="no such file"):
        decode(tmp_path / "a.wav", HOURS)
    with pytest.raises(InputNotFound, match="it is no file"):
        decode(tmp_path, HOURS)


def test_messages_call_the_file_what_they_are_told_to(tmp_path: Path) -> None:
    with pytest.raises(InputNotFound, match="https://host/a"):
        decode(tmp_path / "tmp1", HOURS, "https://host/a.wav")


def test_a_name_that_looks_like_an_address_is_a_name(tmp_path: Path) -> None:
    path = write(tmp_path / "tcp:é 100%.wav", tones(0.5, 8_000, 440), 8_000)
    assert decode(path, HOURS).duration_ms == 500


def test_a_long_call_takes_little_memory(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", tones(5 * 60, 8_000, 440, 0), 8_000, "ULAW")
    tracemalloc.start()
    try:
        audio = decode(path, HOURS)
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert audio.duration_ms == 5 * 60 * 1000
    assert peak_bytes < 3_000_000
    assert sum(channel.nbytes for channel in audio.channels) > 10 * peak_bytes
