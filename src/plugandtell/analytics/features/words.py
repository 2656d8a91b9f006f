"""Where the words of a turn are in its text, and when a piece of the text was said."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
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


class WordTimes:
    """When the pieces of a turn's text were said; made once for many pieces."""

    def __init__(self, turn: Turn) -> None:
        self._turn = turn
        self._places = word_places(turn) or ()

    def span(self, start: int, end: int) -> Span:
        """When the characters from `start` up to `end` were said; the whole turn where its words have no times."""
        first = bisect_right(self._places, start, key=lambda place: place[1])
        last = bisect_left(self._places, end, key=lambda place: place[0])
        said = [word.span for word in self._turn.words[first:last]]
        if not said:
            return self._turn.span
        return Span(min(span.start_ms for span in said), max(span.end_ms for span in said))
