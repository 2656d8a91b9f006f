"""The shape of a finished recording, from a look into its file that takes no longer for an hour than for a minute."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from plugandtell.core import wav
from plugandtell.core.meter import level_db, peak

if TYPE_CHECKING:
    from io import BufferedReader
    from pathlib import Path

    from plugandtell.core.audio import AudioFormat

COLUMNS = 60
_LOOKS = 8
_LOOK_BYTES = 4096
"""In each column: 2 MB at most are read of a file, 8 pieces of a tenth of a second of speech in each column."""


def waveform_of(path: Path, audio: AudioFormat) -> tuple[int, ...]:
    """The loudest sample of each of sixty parts of a WAV of ours, in decibels. Blocks: call it off the event loop.

    What is longer than half a minute or so is sampled. A file that cannot be read has no shape.
    """
    try:
        with path.open("rb") as file:
            size_bytes = audio.bytes_in(audio.samples_in(path.stat().st_size - wav.HEADER_BYTES))
            bounds = [audio.bytes_in(audio.samples_in(size_bytes * at // COLUMNS)) for at in range(COLUMNS + 1)]
            parts = [(first, last) for first, last in pairwise(bounds) if first < last]
            return tuple(round(level_db(_peak_of(file, first, last, audio))) for first, last in parts)
    except OSError:
        return ()


def _peak_of(file: BufferedReader, first: int, last: int, audio: AudioFormat) -> int:
    if last - first <= _LOOKS * _LOOK_BYTES:
        return peak(_read(file, first, last - first))
    step = (last - first) // _LOOKS
    starts = (audio.bytes_in(audio.samples_in(first + look * step)) for look in range(_LOOKS))
    return max(peak(_read(file, start, _LOOK_BYTES)) for start in starts)


def _read(file: BufferedReader, start: int, size_bytes: int) -> bytes:
    file.seek(wav.HEADER_BYTES + start)
    data = file.read(size_bytes)
    return data[: len(data) // 2 * 2]
