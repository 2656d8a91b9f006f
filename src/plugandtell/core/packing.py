"""Speech without its pauses: pieces of a recording, packed into chunks that a model takes at once, and the way back.

A model that looks at 30 s at a time spends as much on a pause as on speech. So the pieces in which somebody speaks are
put one after another, and what is found at a time in the chunk is taken back to its time in the recording.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a recording, in samples: from `start` on, up to but without `end`.

    Raises:
        ValueError: It is empty, or begins before the recording.
    """

    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end:
            raise ValueError(f"a piece goes forward from 0 on, not from {self.start} to {self.end}")

    @property
    def samples(self) -> int:
        """How long it is."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Place:
    """Where something in a chunk is in the recording: in the piece of that number, and there from `start` to `end`."""

    piece: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Chunk:
    """Pieces one after another, as one sound."""

    pieces: tuple[Piece, ...]

    @property
    def samples(self) -> int:
        """How long it is."""
        return sum(piece.samples for piece in self.pieces)

    def place(self, first: int, last: int) -> Place:
        """Where something that lies from sample `first` to sample `last` of the chunk is in the recording.

        What overlaps two pieces belongs to the one that holds its middle, and ends where that one does: nobody utters
        a word across a pause.
        """
        starts = self._starts()
        at = bisect_right(starts, (first + last) // 2) - 1
        index = min(max(at, 0), len(self.pieces) - 1)
        piece = self.pieces[index]
        shift = piece.start - starts[index]
        start = min(max(first + shift, piece.start), piece.end)
        return Place(index, start, min(max(last + shift, start), piece.end))

    def _starts(self) -> list[int]:
        starts, at = [], 0
        for piece in self.pieces:
            starts.append(at)
            at += piece.samples
        return starts


def pack(pieces: Iterable[Piece], longest: int) -> list[Chunk]:
    """Pack pieces, in their order, into chunks of at most `longest` samples; a longer piece is cut.

    Raises:
        ValueError: `longest` is not above 0.
    """
    if longest <= 0:
        raise ValueError(f"a chunk holds at least one sample, not {longest}")
    chunks: list[Chunk] = []
    held: list[Piece] = []
    room = longest
    for piece in _cut(pieces, longest):
        if piece.samples > room:
            chunks.append(Chunk(tuple(held)))
            held, room = [], longest
        held.append(piece)
        room -= piece.samples
    if held:
        chunks.append(Chunk(tuple(held)))
    return chunks


def _cut(pieces: Iterable[Piece], longest: int) -> Iterable[Piece]:
    for piece in pieces:
        for start in range(piece.start, piece.end, longest):
            yield Piece(start, min(start + longest, piece.end))


def overlap(pieces: Sequence[Piece], first: int, last: int) -> int:
    """How many of the samples from `first` up to `last` lie in the pieces."""
    return sum(max(0, min(piece.end, last) - max(piece.start, first)) for piece in pieces)
