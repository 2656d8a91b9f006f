"""What was named in a call: phone numbers, money, dates, addresses, orders and accounts, and when."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from plugandtell.analytics.features.candidate import Candidate
from plugandtell.analytics.features.dates import find_dates
from plugandtell.analytics.features.emails import find_emails
from plugandtell.analytics.features.money import find_money
from plugandtell.analytics.features.number_kinds import find_numbers
from plugandtell.analytics.features.reading import read
from plugandtell.analytics.features.runs import find_runs
from plugandtell.analytics.features.stretches import stretches
from plugandtell.analytics.features.words import WordTimes
from plugandtell.core.findings import Entity, EntityKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from plugandtell.analytics.features.reading import Reading
    from plugandtell.analytics.features.runs import Run
    from plugandtell.analytics.features.stretches import Stretch
    from plugandtell.core.transcript import Transcript, Turn

_MANY_FIGURES: Final = 6
_PIECE_FIGURES: Final = 4
_TELLING_FIGURES: Final = 3
_PLACEHOLDER: Final = re.compile(r"\[(" + "|".join(EntityKind) + r")\]")


def placeholder(kind: EntityKind) -> str:
    """What stands in a redacted text for an entity of that kind."""
    return f"[{kind}]"


def find_entities(transcript: Transcript, started_at: datetime | None = None) -> tuple[Entity, ...]:
    """All entities of a call, in the order in which they were said.

    One that was dictated over several turns is there once for each of them, with the same value. In a redacted
    transcript the placeholders are the entities, and their values too. Dates are relative to `started_at`.
    """
    times = [WordTimes(turn) for turn in transcript.turns]
    found = (
        _entity(transcript.turns[part[0]], times[part[0]], candidate, part)
        for stretch in stretches(transcript)
        for reading, candidates in (_read(transcript, stretch, started_at),)
        for candidate in candidates
        for part in stretch.parts(*reading.in_source(candidate.start, candidate.end))
    )
    return tuple(sorted(found, key=lambda entity: (entity.turn, entity.start)))


def find_figures(transcript: Transcript, secrets: Sequence[str]) -> list[tuple[int, int, int]]:
    """Where figures are said that may be somebody's and are in no entity: turn, first character, end.

    That is six of them or more together, save round numbers such as a million, or four that one of `secrets` has, as
    when the other party repeats half of a number.
    """
    found: list[tuple[int, int, int]] = []
    for stretch in stretches(transcript):
        reading, candidates = _read(transcript, stretch, None)
        for run in find_runs(reading.text, _places(candidates)):
            if _may_be_somebodys(run, secrets):
                found += stretch.parts(*reading.in_source(run.start, run.end))
    return found


def _may_be_somebodys(run: Run, secrets: Sequence[str]) -> bool:
    """Whether a run has many figures, or is a piece of a secret."""
    figures = "".join(filter(str.isdigit, run.text))
    groups = [atom.text for atom in run.atoms if not atom.is_letter]
    is_round = len(groups) == 1 and len(groups[0].rstrip("0")) < _TELLING_FIGURES
    is_piece = len(figures) >= _PIECE_FIGURES and any(figures in secret for secret in secrets)
    return is_piece or (len(figures) >= _MANY_FIGURES and not is_round)


def _read(transcript: Transcript, stretch: Stretch, started_at: datetime | None) -> tuple[Reading, list[Candidate]]:
    """A stretch as it is read, and what is in it."""
    reading = read(stretch.text, transcript.language)
    asked = read(stretch.asked, transcript.language).text
    return reading, _chosen(reading.text, transcript.language, asked, started_at)


def _chosen(text: str, language: str | None, asked: str, started_at: datetime | None) -> list[Candidate]:
    """What is found in a reading, no two in one place: where two finders see something, the surer one is right."""
    marks = (Candidate(EntityKind(m[1]), *m.span(), m.group()) for m in _PLACEHOLDER.finditer(text))
    chosen = _apart([*marks, *find_emails(text), *find_money(text, language), *find_dates(text, language, started_at)])
    return [*chosen, *find_numbers(text, language, asked, _places(chosen))]


def _places(candidates: Iterable[Candidate]) -> list[tuple[int, int]]:
    """Where they are."""
    return [(candidate.start, candidate.end) for candidate in candidates]


def _apart(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Those that do not reach into an earlier one of the list."""
    kept: list[Candidate] = []
    taken: set[int] = set()
    for candidate in candidates:
        places = range(candidate.start, candidate.end)
        if taken.isdisjoint(places):
            taken.update(places)
            kept.append(candidate)
    return kept


def _entity(turn: Turn, times: WordTimes, candidate: Candidate, part: tuple[int, int, int]) -> Entity:
    """The part of a candidate that lies in a turn, as an entity."""
    index, start, end = part
    return Entity(
        kind=candidate.kind,
        text=turn.text[start:end],
        value=candidate.value,
        party=turn.party,
        turn=index,
        start=start,
        end=end,
        span=times.span(start, end),
    )
