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
        ValueError: `data_bytes` is negative or above `MAX_DATA_BYTES`.
    """
    if not 0 <= data_bytes <= MAX_DATA_BYTES:
        raise ValueError(f"data_bytes is {data_bytes}, but must be from 0 to {MAX_DATA_BYTES}")
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


def repair(beginning: bytes, size_bytes: int) -> Repair:
    """How to mend a file of `size_bytes` that begins with `beginning` (its first 44 bytes at least).

    Whatever length the header claims, the audio is what lies behind it; half a sample at the end is cut off.

    Raises:
        NotRepairable: The file is shorter than a header, or begins with something else.
    """
    if len(beginning) < HEADER_BYTES or size_bytes < HEADER_BYTES:
        raise NotRepairable(f"{min(len(beginning), size_bytes)} bytes are no WAV header")
    riff, _, wave, fmt, fmt_bytes, encoding, channels, rate, _, _, bits, data, _ = _LAYOUT.unpack_from(beginning)
    if (riff, wave, fmt, data) != (b"RIFF", b"WAVE", b"fmt ", b"data") or (fmt_bytes, encoding, bits) != (
        16,
        1,
        16,
    ):
        raise NotRepairable(f"{beginning[:HEADER_BYTES]!r} is no WAV header of 16-bit PCM")
    if not rate or not channels:
        raise NotRepairable(f"a WAV header of {channels} channels at {rate} Hz")
    audio = AudioFormat(rate, channels)
    samples = audio.samples_in(min(size_bytes - HEADER_BYTES, MAX_DATA_BYTES))
    data_bytes = audio.bytes_in(samples)
    return Repair(header(audio, data_bytes), HEADER_BYTES + data_bytes, audio, samples)
