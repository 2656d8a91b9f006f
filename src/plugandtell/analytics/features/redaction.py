"""Taking out of a transcript what says who somebody is: phone numbers, addresses, orders, accounts, dates of birth.

It is done before a transcript is stored for the first time, so that whatever is made of it later, keywords, entities,
the sentence that decided the intent, cannot hold what it does not have. Rather too much is taken out than too little:
whatever else is six figures long goes too, and four of a number that is taken out elsewhere.
"""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING, Final

from plugandtell.analytics.features.entities import find_entities, find_figures, placeholder
from plugandtell.analytics.features.words import WordTimes, word_places
from plugandtell.core.findings import Entity, EntityKind
from plugandtell.core.transcript import Span, Transcript, Turn, Word

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

PERSONAL: Final = frozenset({EntityKind.PHONE, EntityKind.EMAIL, EntityKind.ORDER, EntityKind.ACCOUNT})
"""What says who somebody is; amounts and dates do not, save a date of birth."""

_MARK = re.compile(r"\[(?:" + "|".join((*EntityKind, "number")) + r")\]")
_FIGURES_BEFORE = re.compile(r"(?:\d+[ .\-/])+\Z")
_FIGURES_AFTER = re.compile(r"(?:[ .\-/]\d+)+")
_BIRTH = re.compile(r"\b(?:born|birth\w*|née?|naissance|anniversaire)\b[^.?!]*\Z", re.IGNORECASE)
_BIRTH_CHARS: Final = 60


def redact_transcript(transcript: Transcript) -> Transcript:
    """The transcript without what says who somebody is, which is looked for here.

    `[phone]`, `[email]`, `[order]`, `[account]`, `[date]` (of birth) stand where it was, `[number]` for other figures.
    Doing it twice changes nothing more.
    """
    taken = [entity for entity in find_entities(transcript) if entity.kind in PERSONAL or _is_birth(transcript, entity)]
    marks = [(entity.turn, entity.start, entity.end, placeholder(entity.kind)) for entity in taken]
    others = find_figures(transcript, ["".join(filter(str.isdigit, entity.value)) for entity in taken])
    sure = replace(transcript, turns=tuple(_with_sure_words(turn) for turn in transcript.turns))
    found = [*marks, *((turn, start, end, "[number]") for turn, start, end in others)]
    return _with_marks(sure, _over_whole_numbers(sure, found))


def redact(transcript: Transcript, entities: Iterable[Entity]) -> Transcript:
    """The transcript with placeholders instead of these entities of it, in the texts and in the words."""
    return _with_marks(transcript, [(e.turn, e.start, e.end, placeholder(e.kind)) for e in entities])


def spans_to_hide(transcript: Transcript) -> tuple[Span, ...]:
    """When something was said that says who somebody is, for its sound to be hidden as well.

    The transcript may be redacted already. Where the words of a turn have no times, that is the whole turn.
    """
    return tuple(
        WordTimes(turn).span(*mark.span())
        for turn in redact_transcript(transcript).turns
        for mark in _MARK.finditer(turn.text)
    )


def _is_birth(transcript: Transcript, entity: Entity) -> bool:
    """Whether it is a date of birth."""
    text = transcript.turns[entity.turn].text
    asked = transcript.turns[entity.turn - 1].text if entity.turn else ""
    before = text[max(0, entity.start - _BIRTH_CHARS) : entity.start]
    is_asked = _BIRTH.search(asked.rstrip(" ?")) is not None and not re.search(r"[.?!]", text[: entity.start])
    return entity.kind is EntityKind.DATE and (is_asked or _BIRTH.search(before) is not None)


def _over_whole_numbers(transcript: Transcript, marks: Iterable[_Mark]) -> list[_Mark]:
    """The marks, each grown over the figures beside it; those that meet become one, under the first one's name."""
    grown: list[_Mark] = []
    for turn, start, end, mark in sorted(marks):
        first, last = _whole_number(transcript.turns[turn].text, start, end)
        if grown and grown[-1][0] == turn and first < grown[-1][2]:
            _, begun, until, name = grown.pop()
            grown.append((turn, begun, max(last, until), name))
        else:
            grown.append((turn, first, last, mark))
    return grown


def _whole_number(text: str, start: int, end: int) -> tuple[int, int]:
    """What looks like a number may be a piece of a longer one: from where to where that goes."""
    before = _FIGURES_BEFORE.search(text, 0, start) if text[start].isdigit() else None
    after = _FIGURES_AFTER.match(text, end) if text[end - 1].isdigit() else None
    return before.start() if before else start, after.end() if after else end


def _with_sure_words(turn: Turn) -> Turn:
    """A turn without its words where they are not those of its text, and so may say what the text does not."""
    return turn if word_places(turn) is not None else replace(turn, words=())


_Mark = tuple[int, int, int, str]
"""Which turn, from which character, up to which one, and what stands there instead."""


def _with_marks(transcript: Transcript, marks: Iterable[_Mark]) -> Transcript:
    """The transcript with the marks in it; each lies in one turn, and no two overlap."""
    turns = list(transcript.turns)
    for index, of_turn in groupby(sorted(marks), key=lambda mark: mark[0]):
        turns[index] = _turn_with_marks(turns[index], list(of_turn))
    return replace(transcript, turns=tuple(turns))


def _turn_with_marks(turn: Turn, marks: Sequence[_Mark]) -> Turn:
    """A turn with the marks in its text and its words; without words where they are not those of its text."""
    places = word_places(turn)
    text, at = "", 0
    for _, start, end, mark in marks:
        text += turn.text[at:start] + mark
        at = end
    words = _words_with_marks(turn, places, marks) if places is not None else ()
    return replace(turn, text=text + turn.text[at:], words=words)


def _words_with_marks(turn: Turn, places: Sequence[tuple[int, int]], marks: Sequence[_Mark]) -> tuple[Word, ...]:
    """The words, those under one mark as one word with the times of all of them."""
    words: list[Word] = []
    group: list[int] = []
    for i, (start, end) in enumerate(places):
        if group and not _is_under_one(places[group[-1]], (start, end), marks):
            words.append(_joined(turn, places, group, marks))
            group = []
        group.append(i)
    return (*words, _joined(turn, places, group, marks)) if group else ()


def _is_under_one(place: tuple[int, int], other: tuple[int, int], marks: Sequence[_Mark]) -> bool:
    """Whether one mark reaches into both words."""
    return any(start < place[1] and other[0] < end for _, start, end, _ in marks)


def _joined(turn: Turn, places: Sequence[tuple[int, int]], group: Sequence[int], marks: Sequence[_Mark]) -> Word:
    """Words as one, with what is marked in them replaced."""
    words = [turn.words[i] for i in group]
    first, last = places[group[0]][0], places[group[-1]][1]
    text, at = "", first
    for _, start, end, mark in marks:
        if start < last and end > first:
            text += turn.text[at:start] + mark
            at = end
    if at == first:
        return words[0]
    span = Span(min(word.span.start_ms for word in words), max(word.span.end_ms for word in words))
    return Word(text + turn.text[at:last], span, None)
