"""Which runs of figures are phone numbers, which are order or account numbers, and which are nothing of the kind."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from plugandtell.analytics.features.candidate import Candidate
from plugandtell.analytics.features.phones import find_phone
from plugandtell.analytics.features.references import cue_for, is_card, is_iban, is_length
from plugandtell.analytics.features.runs import Run, find_runs, trimmed
from plugandtell.core.findings import EntityKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from plugandtell.analytics.features.runs import Atom

_REFERENCES: Final = (EntityKind.ORDER, EntityKind.ACCOUNT)
_MOST_GROUPS: Final = 40
"""Somebody who says more figures than that on end is counting."""

_GROUP_CHARS: Final = 3
_BREAK = re.compile(r"[.,:;\n]\s|\n")
_COMMA = re.compile(r"\s*,\s+|\s*\n\s*")


def find_numbers(text: str, language: str | None, asked: str, taken: Sequence[tuple[int, int]]) -> Iterator[Candidate]:
    """The phone, order and account numbers in a reading, outside of what is taken already."""
    for run in find_runs(text, taken):
        atoms = run.atoms
        while atoms:
            found, used = _next(text, atoms[:_MOST_GROUPS], language, asked)
            if found is not None:
                yield found
            atoms = trimmed(atoms[used:])


def _next(text: str, atoms: Sequence[Atom], language: str | None, asked: str) -> tuple[Candidate | None, int]:
    """The first number among the groups, and how many groups are done with."""
    cue = cue_for(text, atoms[0].start, atoms[-1].end, asked)
    phone = find_phone(atoms, language, is_named=cue is not None and cue.kind is EntityKind.PHONE)
    is_whole_phone = phone is not None and phone[2].startswith("+")
    if cue is not None and cue.kind in _REFERENCES and cue.decides and not (is_whole_phone and not cue.is_close):
        found = _reference(text, _together(text, atoms), cue.kind)
        if found is not None:
            return found, len(_together(text, atoms))
    if phone is not None:
        first, last, value = phone
        start, end = atoms[first].start, atoms[last - 1].end
        is_in_brackets = text[start - 1 : start] == "(" and ")" in text[start:end]
        return Candidate(EntityKind.PHONE, start - is_in_brackets, end, value), last
    whole = Run(tuple(atoms)).text
    if is_card(whole) or is_iban(whole):
        return Candidate(EntityKind.ACCOUNT, atoms[0].start, atoms[-1].end, whole), len(atoms)
    return None, len(_together(text, atoms))


def _reference(text: str, atoms: Sequence[Atom], kind: EntityKind) -> Candidate | None:
    """The order or account number that the groups are, unless they count something."""
    kept = trimmed(atoms)
    value = "".join(atom.text for atom in kept).upper().lstrip("+")
    if len(value) < _GROUP_CHARS or not any(map(str.isdigit, value)) or is_length(text, kept[-1].end):
        return None
    return Candidate(kind, kept[0].start, kept[-1].end, value)


def _together(text: str, atoms: Sequence[Atom]) -> Sequence[Atom]:
    """The groups up to a mark that ends them: a full stop, or a comma where they are too long for a dictation."""
    for i in range(1, len(atoms)):
        gap = text[atoms[i - 1].end : atoms[i].start]
        is_dictated = _COMMA.fullmatch(gap) and max(len(atoms[i - 1].text), len(atoms[i].text)) <= _GROUP_CHARS
        is_spelled = any(map(str.isalpha, gap))
        if _BREAK.search(gap) and not is_dictated and not is_spelled:
            return atoms[:i]
    return atoms
