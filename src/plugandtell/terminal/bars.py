"""Levels, lengths and waveforms, drawn with block characters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plugandtell.core.status import FLOOR_DB
from plugandtell.terminal.spans import Look, Span

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plugandtell.terminal.glyphs import Glyphs
    from plugandtell.terminal.spans import Line

_LOUD_DB, _CLIPPING_DB = -12.0, -3.0
_QUIETEST_DB = -50.0
"""Of a graph: what is quieter is the noise of a room, and would hide how high speech is."""
_MARKS = {"v": Look.GOOD, "p": Look.WARM, "l": Look.QUIET, "m": Look.BAD}


def bar(share: float, columns: int, glyphs: Glyphs, look: Look) -> Line:
    """A bar of which so much is filled, from 0 to 1."""
    eighths = round(max(0.0, min(1.0, share)) * columns * 8)
    full, rest = divmod(eighths, 8)
    filled = glyphs.eighths[-1] * full + (glyphs.eighths[rest] if rest and full < columns else "")
    filled = filled.rstrip()
    return (Span(filled, look), Span(glyphs.track * (columns - len(filled)), Look.FRAME))


def meter(level_db: float, columns: int, glyphs: Glyphs) -> Line:
    """A level: green, then yellow where speech is loud, then red where it is cut off."""
    filled = round(_height(level_db) * columns)
    zones = [
        (round(_height(limit) * columns), look) for limit, look in ((_LOUD_DB, Look.GOOD), (_CLIPPING_DB, Look.WARM))
    ]
    spans = []
    start = 0
    for end, look in (*zones, (columns, Look.BAD)):
        if filled > start:
            spans.append(Span(glyphs.eighths[-1] * (min(end, filled) - start), look))
        start = max(start, end)
    return (*spans, Span(glyphs.track * (columns - filled), Look.FRAME))


def graph(levels_db: Sequence[int], marks: str, columns: int, rows: int, glyphs: Glyphs) -> list[Line]:
    """The last levels as columns so many rows high, the newest on the right, each in the colour of its mark."""
    levels_db, marks = levels_db[-columns:], marks[-columns:]
    before = columns - len(levels_db)
    steps = len(glyphs.levels) - 1
    heights = [max(1, round(_height(level, _QUIETEST_DB) * rows * steps)) for level in levels_db]
    lines = []
    for row in range(rows - 1, -1, -1):
        cells = [glyphs.levels[max(0, min(steps, height - row * steps))] for height in heights]
        lines.append((Span(" " * before), *_merged(cells, marks)))
    return lines


def waveform(levels_db: Sequence[int], columns: int, glyphs: Glyphs) -> str:
    """A recording, from its beginning to its end, in so many columns at most."""
    if not levels_db or columns < 1:
        return ""
    width = min(columns, len(levels_db))
    steps = len(glyphs.levels) - 1
    parts = [levels_db[len(levels_db) * at // width : len(levels_db) * (at + 1) // width] for at in range(width)]
    return "".join(glyphs.levels[max(1, round(_height(max(part), _QUIETEST_DB) * steps))] for part in parts)


def _merged(cells: Sequence[str], marks: str) -> list[Span]:
    """Neighbours of one mark in one span."""
    spans: list[Span] = []
    start = 0
    for at in range(1, len(cells) + 1):
        if at == len(cells) or marks[at] != marks[start]:
            spans.append(Span("".join(cells[start:at]), _MARKS.get(marks[start], Look.QUIET)))
            start = at
    return spans


def _height(level_db: float, floor_db: float = FLOOR_DB) -> float:
    """From 0 to 1: decibels, because that is how ears hear."""
    return max(0.0, min(1.0, 1 - level_db / floor_db))
