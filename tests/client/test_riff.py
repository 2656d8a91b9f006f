"""What the header of a WAV promises."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

from plugandtell.client.audio_file import AudioFile
from plugandtell.client.riff import missing_bytes
from plugandtell.core import wav
from plugandtell.core.audio import SPEECH
from plugandtell.core.errors import InputNotAudio

if TYPE_CHECKING:
    from pathlib import Path

    from plugandtell.client.converter import Block

RATE = SPEECH.sample_rate
TONE = np.full(RATE, 1000, np.int16)


def chunk(name: bytes, content: bytes, length: int | None = None) -> bytes:
    size = len(content) if length is None else length
    return struct.pack("<4sI", name, size) + content + bytes(len(content) % 2)


def riff(*chunks: bytes) -> bytes:
    body = b"WAVE" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


@pytest.mark.parametrize(
    ("content", "missing"),
    [
        (riff(chunk(b"data", bytes(10))), 0),
        (riff(chunk(b"fmt ", bytes(16)), chunk(b"odd ", b"xyz"), chunk(b"data", bytes(10), 25)), 15),
        (riff(chunk(b"data", bytes(10)), chunk(b"LIST", bytes(4))), 0),
        (riff(chunk(b"data", bytes(10), 0)), 0),
        (riff(chunk(b"data", bytes(10), 0xFFFF_FFFF)), 0),
        (riff(chunk(b"data", bytes(10), 0x7FFF_FFFF)), 0),
        (riff(chunk(b"data", bytes(10), 0x8000_0000)), 0),
        (b"RF64" + riff(chunk(b"data", bytes(10), 25))[4:], 0),
        (riff(chunk(b"fmt ", bytes(16))), 0),
        (riff(chunk(b"fmt ", bytes(4), 0xFFFF_FFF0)), 0),
        (b"RIFF", 0),
        (b"", 0),
    ],
)
def test_what_is_missing(tmp_path: Path, content: bytes, missing: int) -> None:
    (tmp_path / "a.wav").write_bytes(content)
    assert missing_bytes(tmp_path / "a.wav") == missing


@pytest.mark.parametrize("subtype", ["PCM_16", "FLOAT"])
def test_a_wav_that_is_cut_short_is_said_after_what_there_is(tmp_path: Path, subtype: str) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, TONE, RATE, subtype=subtype)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    file = AudioFile(path)
    blocks: list[Block] = []
    with pytest.raises(InputNotAudio, match="the rest is missing"):
        blocks.extend(file.blocks())
    assert abs(sum(map(len, blocks)) - RATE // 2) <= 30
    file.close()


def test_a_recording_that_still_grows_is_not_called_broken(tmp_path: Path) -> None:
    """Its header may lag a second behind, never run ahead."""
    path = tmp_path / "a.wav.part"
    path.write_bytes(wav.header(SPEECH, RATE) + TONE.tobytes())
    file = AudioFile(path)
    assert sum(len(block) for block in file.blocks()) == RATE // 2
    file.close()
