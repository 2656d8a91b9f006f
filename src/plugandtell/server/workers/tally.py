"""Numbers that several processes see: each is written by one of them, and read by all."""

from __future__ import annotations

import mmap
import os
import tempfile

_NUMBER_BYTES = 8


class Tally:
    """So many numbers, all 0 at first, in memory that whoever gets the descriptor shares.

    A number is written in one piece, as processors do with words that lie where words should.

    Args:
        size: How many.
        descriptor: Of the file behind one that another process made; None to make one. Closed with the tally.
    """

    def __init__(self, size: int, descriptor: int | None = None) -> None:
        if descriptor is None:
            with tempfile.TemporaryFile() as file:
                descriptor = os.dup(file.fileno())
            os.ftruncate(descriptor, size * _NUMBER_BYTES)
        self.descriptor = descriptor
        self.size = size
        self._memory = mmap.mmap(descriptor, size * _NUMBER_BYTES)
        self._numbers = memoryview(self._memory).cast("q")

    def __getitem__(self, place: int) -> int:
        return self._numbers[place]

    def __setitem__(self, place: int, number: int) -> None:
        self._numbers[place] = number

    def total(self, places: int) -> int:
        """The sum of the first of them."""
        return sum(self._numbers[:places])

    def close(self) -> None:
        """Let go of it."""
        self._numbers.release()
        self._memory.close()
        os.close(self.descriptor)
