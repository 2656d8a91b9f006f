"""Dates and times that were named, and what they are relative to the call.

Candidates come from the grammars, so that dateparser, which takes "je", "ma" and "we" for dates, sees only what is one.
Values are ISO 8601 (`2026-12-01T15:00`, `2026-12`, `2026-W49`, `--03-03` without a year, `T15:30` without a day), with
the part of a day after ISO-TimeML (`2026-11-25TMO`); what is relative to a call of unknown time stays as it was said.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from plugandtell.analytics.features.candidate import Candidate
from plugandtell.analytics.features.date_values import RELATIVE, DateSettings, day_value, is_relative
from plugandtell.analytics.features.day_times import time_value
from plugandtell.analytics.features.english_dates import ENGLISH
from plugandtell.analytics.features.french_dates import FRENCH
from plugandtell.core.findings import EntityKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from plugandtell.analytics.features.date_words import Grammar

_GRAMMARS: Final = {"en": ENGLISH, "fr": FRENCH}
_CLAUSE_CHARS: Final = 45
_DAY = re.compile(rf"((?:\d{{4}}-|--)\d\d-\d\d).*|{RELATIVE}")
"""The value of a day, which may have a time; a week or a month has none."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """A day or a time that was found; `start` to `end` is what names it."""

    start: int
    end: int
    match: re.Match[str]


def find_dates(text: str, language: str | None, started_at: datetime | None) -> Iterator[Candidate]:
    """The days and times in a reading in English or French; in another language none are known."""
    grammar = _GRAMMARS.get(language or "")
    if grammar is None:
        return
    times = [time for time in _pieces(text, grammar.times) if not _is_length(text, time, grammar)]
    used: set[int] = set()
    for day in _pieces(text, grammar.days):
        settings = DateSettings(language or "", started_at, is_past=_is_past(_clause(text, day), grammar))
        value = day_value(day.match, settings)
        if value is not None:
            time = _time_beside(text, day, times, grammar) if _DAY.match(value) else None
            used.update([time.start] if time else [])
            yield _dated(text, day, value, time, grammar)
    for time in times:
        end, clock = _time(text, time, grammar)
        if clock is not None and time.start not in used:
            yield Candidate(EntityKind.DATE, time.start, end, clock)


def _dated(text: str, day: _Piece, value: str, time: _Piece | None, grammar: Grammar) -> Candidate:
    """A day of that value, with its time if it has one."""
    start, end, clock = day.start, day.end, None
    if time is not None:
        time_end, clock = _time(text, time, grammar)
        start, end = (min(start, time.start), max(end, time_end)) if clock else (start, end)
    if is_relative(value):
        value = " ".join(text[start:end].lower().split())
    elif clock is not None:
        value = _DAY.sub(r"\1" + clock, value)
    return Candidate(EntityKind.DATE, start, end, value)


def _is_length(text: str, time: _Piece, grammar: Grammar) -> bool:
    """Whether hours are how long something takes."""
    return grammar.length.search(_clause(text, time)) is not None


def _clause(text: str, piece: _Piece) -> str:
    """What is said right before."""
    return text[max(0, piece.start - _CLAUSE_CHARS) : piece.start]


def _pieces(text: str, patterns: Sequence[re.Pattern[str]]) -> list[_Piece]:
    """What the patterns find, from left to right; where two overlap, what the earlier pattern finds."""
    taken = bytearray(len(text))
    found: list[_Piece] = []
    for pattern in patterns:
        for match in pattern.finditer(text):
            group = "core" if "core" in pattern.groupindex and match["core"] is not None else 0
            start, end = match.span(group)
            if not any(taken[start:end]):
                taken[start:end] = b"\1" * (end - start)
                found.append(_Piece(start, end, match))
    return sorted(found, key=lambda piece: piece.start)


def _time_beside(text: str, day: _Piece, times: Sequence[_Piece], grammar: Grammar) -> _Piece | None:
    """The time that belongs to a day: behind it, before it, or one that is a time only behind a day."""
    for time in times:
        behind = time.start >= day.end and grammar.join.fullmatch(text, day.end, time.start)
        before = time.end <= day.start and text[time.end : day.start].lower() in (" ", " on ", ", ", " le ")
        if behind or before:
            return time
    join = grammar.join.match(text, day.end)
    loose = grammar.loose_time.match(text, join.end()) if join is not None else None
    if join is None or loose is None:
        return None
    has_word = len(join.group()) > len(", ") or "h" in loose.group().lower()
    return _Piece(loose.start(), loose.end(), loose) if has_word else None


def _time(text: str, time: _Piece, grammar: Grammar) -> tuple[int, str | None]:
    """Where a time ends, with its part of the day, and its value."""
    part = grammar.time_of_day.match(text, time.end)
    return (part.end() if part else time.end), time_value(time.match, part)


def _is_past(before: str, grammar: Grammar) -> bool | None:
    """Whether the last word before a day that tells past from future tells that it is over; None if none does."""
    clause = before[max(before.rfind(mark) for mark in ".?!\n") + 1 :]
    past = max((match.end() for match in grammar.past.finditer(clause)), default=-1)
    ahead = max((match.end() for match in grammar.ahead.finditer(clause)), default=-1)
    return None if past == ahead else past > ahead
