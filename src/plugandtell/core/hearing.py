"""What a speech engine heard on one channel: utterances with their times, and how they become a call's turns."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from plugandtell.core.transcript import Party, Span, Turn, Word

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_UNSPACED: Final = frozenset({"zh", "ja", "th", "lo", "my", "km", "bo"})
"""Languages that are written without spaces between words."""

_SENTENCE_ENDS: Final = (".", "?", "!", "…", "。", "？", "！")  # noqa: RUF001  (the full-width ones are meant)


@dataclass(frozen=True, slots=True)
class Utterance:
    """A stretch of speech as an engine gives it.

    Attributes:
        span: When it was said.
        text: All of it.
        words: The words with their times; empty where the engine gives none.
        confidence: From 0 to 1; None where the engine does not say.
    """

    span: Span
    text: str
    words: tuple[Word, ...] = ()
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """What was heard on one channel.

    Attributes:
        language: The one that most of it is in, as an ISO 639-1 code; None where nobody spoke.
        utterances: In the order in which they begin.
    """

    language: str | None
    utterances: tuple[Utterance, ...] = ()


@dataclass(frozen=True, slots=True)
class TurnRules:
    """Where a turn ends.

    Attributes:
        pause_ms: A pause of this length ends it.
        breath_ms: So does a shorter pause, from this length on, in which the other party begins to speak.
        sentence_pause_ms: So does a pause of this length after the end of a sentence, once the turn is `long_ms` long.
        long_ms: See `sentence_pause_ms`; twice as long, and any word ends it.

    Raises:
        ValueError: A field is out of range.
    """

    pause_ms: int = 900
    breath_ms: int = 150
    sentence_pause_ms: int = 200
    long_ms: int = 15_000

    def __post_init__(self) -> None:
        if not 0 < self.breath_ms <= self.sentence_pause_ms <= self.pause_ms:
            raise ValueError(
                "breath_ms, sentence_pause_ms and pause_ms grow from above 0, not from"
                f" {self.breath_ms} over {self.sentence_pause_ms} to {self.pause_ms}"
            )
        if self.long_ms <= 0:
            raise ValueError(f"long_ms is {self.long_ms}, but must be above 0")


def turns_of(heard: Mapping[Party, Heard], rules: TurnRules = TurnRules()) -> tuple[Turn, ...]:
    """The turns of a call, in the order in which they begin, out of what was heard of each party.

    A party's turn ends where it pauses, where the other one begins in a breath of it, and after a sentence when it has
    become long. An utterance without words is never split.
    """
    turns: list[Turn] = []
    for party, own in heard.items():
        others = sorted(
            atom.span.start_ms for other, theirs in heard.items() if other is not party for atom in _atoms(theirs)
        )
        turns += [_turn(party, group, own.language) for group in _grouped(_atoms(own), others, rules)]
    order = list(heard)
    return tuple(sorted(turns, key=lambda turn: (turn.span.start_ms, turn.span.end_ms, order.index(turn.party))))


_Atom = Word | Utterance


def _atoms(heard: Heard) -> list[_Atom]:
    """What cannot be split, by time."""
    atoms: list[_Atom] = []
    for utterance in heard.utterances:
        atoms += utterance.words or (utterance,)
    return sorted(atoms, key=lambda atom: (atom.span.start_ms, atom.span.end_ms))


def _grouped(atoms: Sequence[_Atom], others: Sequence[int], rules: TurnRules) -> Iterable[Sequence[_Atom]]:
    start = 0
    for index, (before, after) in enumerate(pairwise(atoms), start=1):
        length_ms = before.span.end_ms - atoms[start].span.start_ms
        if _ends_between(before, after, length_ms, others, rules):
            yield atoms[start:index]
            start = index
    if atoms:
        yield atoms[start:]


def _ends_between(before: _Atom, after: _Atom, length_ms: int, others: Sequence[int], rules: TurnRules) -> bool:
    gap_ms = after.span.start_ms - before.span.end_ms
    if gap_ms >= rules.pause_ms or length_ms >= 2 * rules.long_ms:
        return True
    ends_sentence = before.text.endswith(_SENTENCE_ENDS)
    if length_ms >= rules.long_ms and ends_sentence and gap_ms >= rules.sentence_pause_ms:
        return True
    # A party that answers begins in the pause, or a little before the other has quite ended.
    return gap_ms >= rules.breath_ms and _any_between(others, before.span.end_ms - rules.breath_ms, after.span.start_ms)


def _any_between(times: Sequence[int], first: int, end: int) -> bool:
    """Whether one of the times, which are in order, is from `first` on and before `end`."""
    at = bisect_left(times, first)
    return at < len(times) and times[at] < end


def _turn(party: Party, atoms: Sequence[_Atom], language: str | None) -> Turn:
    words = tuple(atom for atom in atoms if isinstance(atom, Word))
    text = ("" if language in _UNSPACED else " ").join(atom.text for atom in atoms)
    span = Span(atoms[0].span.start_ms, max(atom.span.end_ms for atom in atoms))
    return Turn(party, span, text, words, _mean_confidence(atoms))


def _mean_confidence(atoms: Sequence[_Atom]) -> float | None:
    known = [atom.confidence for atom in atoms if atom.confidence is not None]
    return round(sum(known) / len(known), 3) if known else None
