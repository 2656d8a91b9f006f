"""Sentences with their entities marked: `I paid {money 49.90 EUR|49 euros 90}.`, and ` // ` where the other speaks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from plugandtell.core.transcript import Engine, Party, Span, Transcript, Turn

if TYPE_CHECKING:
    from pathlib import Path

CALL_TIME = datetime(2026, 11, 24, 10, tzinfo=UTC)
"""When every labelled call began: a Tuesday, at ten."""

_MARK = re.compile(r"\{(\w+) ([^|]*)\|([^}]*)\}")
_TURN_MS = 4_000


@dataclass(frozen=True, slots=True)
class Label:
    """An entity that is in a turn."""

    kind: str
    value: str
    turn: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Example:
    """A short call and what is in it."""

    transcript: Transcript
    labels: tuple[Label, ...]


def load(path: Path, language: str) -> list[Example]:
    """Every line of a file as a call."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [_example(line, language) for line in lines if line.strip()]


def _example(line: str, language: str) -> Example:
    """A line: turns of agent and caller by turns, the last one the caller's."""
    turns: list[Turn] = []
    labels: list[Label] = []
    pieces = line.split(" // ")
    for i, piece in enumerate(pieces):
        text, found = _unmarked(piece, i)
        party = Party.CALLER if (len(pieces) - i) % 2 else Party.AGENT
        turns.append(Turn(party, Span(i * _TURN_MS, (i + 1) * _TURN_MS), text))
        labels += found
    parties = (Party.AGENT, Party.CALLER)
    return Example(
        Transcript(len(turns) * _TURN_MS, parties, language, tuple(turns), Engine("labels", "1")), tuple(labels)
    )


def _unmarked(piece: str, turn: int) -> tuple[str, list[Label]]:
    """The text of a turn without its marks, and what they say."""
    text, at = "", 0
    labels = []
    for mark in _MARK.finditer(piece):
        text += piece[at : mark.start()]
        labels.append(Label(mark[1], mark[2], turn, len(text), len(text) + len(mark[3])))
        text += mark[3]
        at = mark.end()
    return text + piece[at:], labels
