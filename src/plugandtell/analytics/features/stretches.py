"""Turns of one party that belong together, so that a number dictated over several of them is one number."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plugandtell.core.transcript import Transcript

_MAX_PAUSE_MS: Final = 8_000
_NOD_WORDS: Final = 2
_ASKED_CHARS: Final = 90


@dataclass(frozen=True, slots=True)
class Stretch:
    """Turns of one party with no more than nods of the other between them.

    Attributes:
        turns: Which turns of the transcript.
        text: Their texts, each on a line.
        starts: Where each of them begins in `text`.
        asked: The end of what another said just before.
    """

    turns: tuple[int, ...]
    text: str
    starts: tuple[int, ...]
    asked: str

    def parts(self, start: int, end: int) -> Iterator[tuple[int, int, int]]:
        """The piece of each turn that the characters from `start` up to `end` are: turn, first character, end.

        Where a piece goes on in the next turn, the marks between the two are in neither.
        """
        for i in range(bisect_right(self.starts, start) - 1, len(self.turns)):
            begin = self.starts[i]
            if begin >= end:
                return
            until = self.starts[i + 1] - 1 if i + 1 < len(self.starts) else len(self.text)
            first, last = max(start, begin), min(end, until)
            while first < last < end and not self.text[last - 1].isalnum():
                last -= 1
            while start < first < last and not self.text[first].isalnum():
                first += 1
            if first < last:
                yield self.turns[i], first - begin, last - begin


def stretches(transcript: Transcript) -> list[Stretch]:
    """All turns of a transcript, each in one stretch, in the order in which the stretches begin."""
    groups: list[list[int]] = []
    last_of: dict[str, list[int]] = {}
    for i, turn in enumerate(transcript.turns):
        group = last_of.get(turn.party)
        if group is None or not _goes_on(transcript, group[-1], i):
            group = []
            groups.append(group)
            last_of[turn.party] = group
        group.append(i)
    return [_stretch(transcript, group) for group in groups]


def _goes_on(transcript: Transcript, last: int, i: int) -> bool:
    """Whether a turn goes on with an earlier one of its party."""
    between = sum(len(transcript.turns[j].text.split()) for j in range(last + 1, i))
    pause_ms = transcript.turns[i].span.start_ms - transcript.turns[last].span.end_ms
    return between <= _NOD_WORDS and pause_ms <= _MAX_PAUSE_MS


def _stretch(transcript: Transcript, group: list[int]) -> Stretch:
    """The turns as one text."""
    starts: list[int] = []
    at = 0
    for i in group:
        starts.append(at)
        at += len(transcript.turns[i].text) + 1
    before = group[0] - 1
    asked = transcript.turns[before].text[-_ASKED_CHARS:] if before >= 0 else ""
    return Stretch(tuple(group), "\n".join(transcript.turns[i].text for i in group), tuple(starts), asked)
