"""Where the words of a turn are in its text, and when a piece of the text was said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plugandtell.core.transcript import Span

if TYPE_CHECKING:
    from plugandtell.core.transcript import Turn


def word_places(turn: Turn) -> tuple[tuple[int, int], ...] | None:
    """Where each word begins and ends in the text of its turn; None where the words are not those of the text."""
    places: list[tuple[int, int]] = []
    at = 0
    for word in turn.words:
        text = word.text.strip()
        start = turn.text.find(text, at)
        if not text or start < 0 or turn.text[at:start].strip():
            return None
        at = start + len(text)
        places.append((start, at))
    return None if turn.text[at:].strip() else tuple(places)


def span_of(turn: Turn, start: int, end: int) -> Span:
    """When the characters from `start` up to `end` were said: their words, or the turn where those have no times."""
    places = word_places(turn) or ()
    said = [word.span for word, (first, last) in zip(turn.words, places, strict=False) if first < end and last > start]
    if not said:
        return turn.span
    return Span(min(span.start_ms for span in said), max(span.end_ms for span in said))
