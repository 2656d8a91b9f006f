"""Sets of samples, as ranges."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

Range = tuple[int, int]
"""The samples from the first number to before the second."""


class Ranges:
    """A set of samples that grows at its end and shrinks anywhere; ranges that touch are one."""

    def __init__(self) -> None:
        self._ranges: list[Range] = []
        self.samples = 0

    def __iter__(self) -> Iterator[Range]:
        return iter(self._ranges)

    def add(self, start: int, end: int) -> None:
        """Add samples behind all that are in it."""
        self.samples += end - start
        if self._ranges and self._ranges[-1][1] == start:
            start = self._ranges.pop()[0]
        self._ranges.append((start, end))

    def remove(self, start: int, end: int) -> int:
        """Take samples out, as far as they are in it; returns how many were."""
        first = max(0, bisect_right(self._ranges, (start,)) - 1)
        last = bisect_right(self._ranges, (end,))
        before = sum(stop - begin for begin, stop in self._ranges[first:last])
        left = [
            part
            for begin, stop in self._ranges[first:last]
            for part in ((begin, min(stop, start)), (max(begin, end), stop))
            if part[0] < part[1]
        ]
        self._ranges[first:last] = left
        removed = before - sum(stop - begin for begin, stop in left)
        self.samples -= removed
        return removed
