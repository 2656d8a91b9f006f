"""Lines of a screen: text in styles, measured in columns."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from rich.cells import cell_len, set_cell_size

from plugandtell.core.safe_text import escape

if TYPE_CHECKING:
    from collections.abc import Iterable


class Look(StrEnum):
    """What a piece of text means; the painter decides how that looks."""

    PLAIN = "plain"
    QUIET = "quiet"
    STRONG = "strong"
    GOOD = "good"
    BUSY = "busy"
    WARM = "warm"
    BAD = "bad"
    FRAME = "frame"
    CLIENT = "client"
    SERVER = "server"
    KEY = "key"


class Span(NamedTuple):
    """Text in one look, without control characters."""

    text: str
    look: Look = Look.PLAIN


Line: TypeAlias = tuple[Span, ...]


def foreign_text(text: str) -> str:
    """Text that was not written here, safe to show."""
    return escape(text)


def width_of(line: Iterable[Span]) -> int:
    """How many columns it takes."""
    return sum(cell_len(span.text) for span in line)


def cut(text: str, columns: int, more: str) -> str:
    """The text, with `more` in place of its end if it is too wide."""
    if cell_len(text) <= columns:
        return text
    return set_cell_size(text, columns - len(more)) + more if columns > len(more) else set_cell_size(text, columns)


def cut_middle(text: str, columns: int, more: str) -> str:
    """The same, but of what is too wide the middle goes: names tell most at their beginning and their end."""
    if cell_len(text) <= columns or columns < 2 * len(more) + 2:
        return cut(text, columns, more)
    tail = (columns - len(more)) // 2
    end = text[-tail:]
    while cell_len(end) > tail:
        end = end[1:]
    return set_cell_size(text, columns - len(more) - cell_len(end)) + more + end


def fitted(line: Iterable[Span], columns: int) -> Line:
    """The line, cut or filled up to exactly so many columns."""
    kept: list[Span] = []
    left = columns
    for span in line:
        width = cell_len(span.text)
        if width > left:
            kept.append(Span(set_cell_size(span.text, left), span.look))
            left = 0
            break
        if span.text:
            kept.append(span)
        left -= width
    return tuple(kept) if not left else (*kept, Span(" " * left))
