"""Bars with ranges, as SVG."""

from __future__ import annotations

import statistics
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_WIDTH, _LEFT, _RIGHT, _ROW, _TOP = 720, 140, 90, 30, 44
_FILL, _OURS, _INK, _GRID = "#9db4c0", "#e07a5f", "#253237", "#d8dee2"


def bars(title: str, values: Mapping[str, Sequence[float]], highlighted: str) -> str:
    """A bar for each name: its length is the median, and a line across its end the range.

    Args:
        title: With the unit.
        values: In the order from top to bottom; at least one for each name.
        highlighted: The name whose bar has another colour.
    """
    longest = max((max(several) for several in values.values()), default=1.0)
    scale = (_WIDTH - _LEFT - _RIGHT) / longest
    height = _TOP + _ROW * len(values) + 12
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif"'
            ' font-size="13">'
        ),
        f'<rect width="{_WIDTH}" height="{height}" fill="white"/>',
        f'<text x="12" y="24" font-size="15" fill="{_INK}">{escape(title)}</text>',
        f'<line x1="{_LEFT}" x2="{_LEFT}" y1="{_TOP - 6}" y2="{height - 8}" stroke="{_GRID}"/>',
    ]
    for place, (name, several) in enumerate(values.items()):
        parts += _bar(name, several, _TOP + place * _ROW, scale, _OURS if name == highlighted else _FILL)
    return "\n".join([*parts, "</svg>", ""])


def _bar(name: str, values: Sequence[float], top: float, scale: float, fill: str) -> list[str]:
    median = statistics.median(values)
    low, end, high = (_LEFT + scale * value for value in (min(values), median, max(values)))
    middle = top + 10
    return [
        f'<text x="{_LEFT - 8}" y="{middle + 5:.0f}" text-anchor="end" fill="{_INK}">{escape(name)}</text>',
        f'<rect x="{_LEFT}" y="{top}" width="{end - _LEFT:.1f}" height="20" fill="{fill}"/>',
        (
            f'<path d="M{low:.1f} {middle}H{high:.1f}M{low:.1f} {middle - 4}v8M{high:.1f} {middle - 4}v8"'
            f' stroke="{_INK}"/>'
        ),
        f'<text x="{high + 8:.1f}" y="{middle + 5:.0f}" fill="{_INK}">{median:.1f}</text>',
    ]
