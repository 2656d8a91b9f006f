"""A waveform in text: how loud it is from left to right, as bars of block characters, or of ASCII."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from plugandtell.core.amounts import length_text

if TYPE_CHECKING:
    from collections.abc import Sequence

_BLOCKS: Final = " ▁▂▃▄▅▆▇█"
_ASCII: Final = " .:#"
_GAP, _ASCII_GAP = "░", "x"
_ROWS: Final = 4
_MARK_EVERY: Final = 16
_QUIETEST_DBFS: Final = -60.0


def waveform(peaks: Sequence[float], *, is_plain: bool) -> list[str]:
    """Bars on a linear scale, the loudest of them as high as the picture. What is not nothing is seen.

    Args:
        peaks: From 0 to 1, a column each.
        is_plain: Whether to keep to ASCII.
    """
    glyphs = _ASCII if is_plain else _BLOCKS
    steps = len(glyphs) - 1
    loudest = max(peaks, default=0.0)
    heights = [math.ceil(peak / loudest * _ROWS * steps - 1e-9) if loudest else 0 for peak in peaks]
    rows = ["".join(glyphs[_within(height - row * steps, steps)] for height in heights) for row in range(_ROWS)]
    return [row.rstrip() for row in reversed(rows)]


def gap_line(spans: Sequence[tuple[float, float]], columns: int, *, is_plain: bool) -> str:
    """A line that marks the columns in which there is a gap; empty if there is none.

    Args:
        spans: Where each begins and ends, as shares of the whole.
        columns: How many columns the whole has.
        is_plain: Whether to keep to ASCII.
    """
    line = [" "] * columns
    for start, end in spans:
        first = min(columns - 1, int(start * columns))
        for column in range(first, max(first + 1, min(columns, math.ceil(end * columns)))):
            line[column] = _ASCII_GAP if is_plain else _GAP
    return "".join(line).rstrip()


def time_line(length_s: float, columns: int) -> str:
    """The times at which columns begin."""
    starts = range(0, columns, _MARK_EVERY)
    marks = [f"{length_text(length_s * start / columns):<{_MARK_EVERY}}" for start in starts]
    line = "".join(marks).rstrip()
    return line if len(line) <= columns or len(marks) == 1 else "".join(marks[:-1]).rstrip()


def dbfs(peak: float) -> float:
    """A peak as a level, no lower than -60 dB."""
    return max(_QUIETEST_DBFS, 20 * math.log10(peak)) if peak > 0 else _QUIETEST_DBFS


def _within(height: int, most: int) -> int:
    return min(most, max(0, height))
