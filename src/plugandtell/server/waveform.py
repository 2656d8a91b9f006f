"""The shape of a finished recording, from a look into its file that takes no longer for an hour than for a minute."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from plugandtell.core import wav
from plugandtell.core.meter import level_db, peak
from plugandtell.core.recording import Container

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from plugandtell.core.audio import AudioFormat

COLUMNS = 60
_LOOKS = 8
_LOOK_SAMPLES = 2048
"""In each column: of a file, 2 MB at most are read, 8 pieces of an eighth of a second of speech in each column."""

Piece = tuple[int, int]
"""The first sample, and how many from there on."""


def waveform_of(path: Path, audio: AudioFormat, samples: int) -> tuple[int, ...]:
    """The loudest sample of each of sixty parts of a recording of ours, in decibels. Blocks: not for the event loop.

    What is longer than a minute is sampled. A file that cannot be read has no shape.

    Args:
        path: A WAV or a FLAC.
        audio: Its format.
        samples: Its length.
    """
    bounds = [samples * at // COLUMNS for at in range(COLUMNS + 1)]
    columns = [_pieces(first, last) for first, last in pairwise(bounds) if first < last]
    try:
        peaks = map(peak, _read(path, audio, [piece for pieces in columns for piece in pieces]))
        return tuple(round(level_db(max(next(peaks) for _ in pieces))) for pieces in columns)
    except (OSError, ValueError, RuntimeError):  # RuntimeError: soundfile's own, or the file ends too soon
        return ()


def _pieces(first: int, last: int) -> list[Piece]:
    if last - first <= _LOOKS * _LOOK_SAMPLES:
        return [(first, last - first)]
    step = (last - first) // _LOOKS
    return [(first + look * step, _LOOK_SAMPLES) for look in range(_LOOKS)]


def _read(path: Path, audio: AudioFormat, pieces: Sequence[Piece]) -> Iterator[bytes]:
    """The PCM of each piece."""
    if path.suffix == f".{Container.FLAC}":
        from plugandtell.server.flac import read_pieces  # noqa: PLC0415  (libsndfile is loaded where FLAC is made)

        yield from read_pieces(path, pieces)
        return
    with path.open("rb") as file:
        for start, samples in pieces:
            file.seek(wav.HEADER_BYTES + audio.bytes_in(start))
            data = file.read(audio.bytes_in(samples))
            yield data[: len(data) // 2 * 2]
