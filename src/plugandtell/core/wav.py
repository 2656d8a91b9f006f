"""The header of a WAV file, and how to mend one that a crash left behind.

The layout is the canonical 44 bytes of RIFF, `fmt ` and `data` (Microsoft and IBM, Multimedia Programming Interface
and Data Specifications 1.0, 1991), so that the length of the audio is the file's length less 44.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from plugandtell.core.audio import BYTES_PER_VALUE, AudioFormat

_LAYOUT = struct.Struct("<4sI4s4sIHHIIHH4sI")
_PCM = 1
_FMT_BYTES = 16
_RIFF_OVERHEAD = 36

HEADER_BYTES = _LAYOUT.size
MAX_DATA_BYTES = 2**32 - 1 - _RIFF_OVERHEAD - 1
"""Most audio that the 32-bit lengths can tell of (even, so that 16-bit samples stay whole)."""


class NotRepairable(ValueError):
    """These bytes are not the beginning of a WAV file that `header` wrote."""


@dataclass(frozen=True, slots=True)
class Repair:
    """How to make an unfinished file valid: put `header` at its start, cut it to `size_bytes`."""

    header: bytes
    size_bytes: int
    audio: AudioFormat
    samples: int


def header(audio: AudioFormat, data_bytes: int) -> bytes:
    """The header in front of `data_bytes` bytes of audio.

    Raises:
        ValueError: `data_bytes` is negative or above `MAX_DATA_BYTES`, or the format does not fit into a header.
    """
    if not 0 <= data_bytes <= MAX_DATA_BYTES:
        raise ValueError(f"data_bytes is {data_bytes}, but must be from 0 to {MAX_DATA_BYTES}")
    try:
        return _LAYOUT.pack(
            b"RIFF",
            _RIFF_OVERHEAD + data_bytes,
            b"WAVE",
            b"fmt ",
            _FMT_BYTES,
            _PCM,
            audio.channels,
            audio.sample_rate,
            audio.sample_rate * audio.bytes_per_sample,
            audio.bytes_per_sample,
            BYTES_PER_VALUE * 8,
            b"data",
            data_bytes,
        )
    except struct.error as exc:
        raise ValueError(f"{audio.channels} channels at {audio.sample_rate} Hz do not fit into a WAV header") from exc


def repair(beginning: bytes, size_bytes: int) -> Repair:
    """How to mend a file of `size_bytes` that begins with `beginning` (its first 44 bytes at least).

    Whatever length the header claims, the audio is what lies behind it; half a sample at the end is cut off.

    Raises:
        NotRepairable: The file is shorter than a header, or begins with something else.
    """
    if len(beginning) < HEADER_BYTES or size_bytes < HEADER_BYTES:
        raise NotRepairable(f"{min(len(beginning), size_bytes)} bytes are no WAV header")
    audio = _format_in(beginning[:HEADER_BYTES])
    samples = audio.samples_in(min(size_bytes - HEADER_BYTES, MAX_DATA_BYTES))
    data_bytes = audio.bytes_in(samples)
    return Repair(header(audio, data_bytes), HEADER_BYTES + data_bytes, audio, samples)


def _format_in(beginning: bytes) -> AudioFormat:
    """The format in a header that `header` wrote; nothing but the two lengths may differ."""
    channels, rate = _LAYOUT.unpack(beginning)[6:8]
    try:
        audio = AudioFormat(rate, channels)
        expected = header(audio, 0)
    except ValueError as exc:
        raise NotRepairable(f"{beginning!r} is no WAV header: {exc}") from exc
    if beginning[:4] != expected[:4] or beginning[8:40] != expected[8:40]:
        raise NotRepairable(f"{beginning!r} is no WAV header of 16-bit PCM")
    return audio
