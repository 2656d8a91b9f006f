"""Runs of figures and spelled letters, as phone and order numbers are: "06 12 34", "A B 1 2 3", "INV-1009"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_ATOM = re.compile(
    r"(?<![^\W_])(?<!')(?:(?:\+|plus\s(?=[1-9]))?\d+(?:[A-Za-z]{1,4}\d*)*|[A-Z]{1,6}\d[A-Z\d]*|[a-z]{1,3}\d[a-z\d]*|"
    r"[A-Z]{2,5}(?=[-\s]?\d)|(?<=\d[-/])[A-Z]{2,5}|[A-Za-z])(?![^\W_])(?!')"
)
_GAP = re.compile(
    r"[^\S\n]?[-.,/:()]{0,2}[^\S\n]?\n?[-.,()]?[^\S\n]?|"
    r"[\s,.]{1,3}(?:dash|hyphen|tiret|slash|barre|space|espace|uh|uhm|um|er|erm|euh|hum)[\s,.]{1,4}"
)
_LIKE = re.compile(r",?\s(?:as\sin|as|like|for|comme)\s[^\W\d_]{2,}[\s,.]{1,2}")
_MIN_CHARS: Final = 3
_ARTICLES: Final = frozenset("aiyàI")


@dataclass(frozen=True, slots=True)
class Atom:
    """One group of a run: figures, a letter, or both together, at `start` to `end`."""

    start: int
    end: int
    text: str

    @property
    def is_letter(self) -> bool:
        """Whether it is a single letter."""
        return len(self.text) == 1 and self.text.isalpha()


@dataclass(frozen=True, slots=True)
class Run:
    """Groups with nothing but signs between them, three characters or more, a figure among them."""

    atoms: tuple[Atom, ...]

    @property
    def start(self) -> int:
        """Where it begins."""
        return self.atoms[0].start

    @property
    def end(self) -> int:
        """Where it ends."""
        return self.atoms[-1].end

    @property
    def text(self) -> str:
        """Its figures and letters alone, as capitals."""
        return "".join(atom.text for atom in self.atoms).upper()


def find_runs(text: str, taken: Sequence[tuple[int, int]]) -> Iterator[Run]:
    """The runs of a reading, from left to right, none of which reaches into what is taken already."""
    is_taken = bytearray(len(text) + 1)
    for start, end in taken:
        is_taken[start:end] = b"\1" * (end - start)
    atoms: list[Atom] = []
    for match in _ATOM.finditer(text):
        if any(is_taken[match.start() : match.end()]):
            continue
        atom = Atom(match.start(), match.end(), match.group().replace("plus", "+").replace(" ", ""))
        if atoms and not _follows(text, atoms[-1], atom):
            yield from _run(atoms)
            atoms = []
        atoms.append(atom)
    yield from _run(atoms)


def trimmed(atoms: Sequence[Atom]) -> tuple[Atom, ...]:
    """The groups without a word of one letter at either end ("a 7 o'clock", "il y a 12")."""
    kept = list(atoms)
    while kept and _is_word(kept[0], kept[1:2]):
        kept.pop(0)
    while kept and _is_word(kept[-1], kept[-2:-1]):
        kept.pop()
    return tuple(kept)


def _follows(text: str, atom: Atom, other: Atom) -> bool:
    """Whether two groups may belong together, also where a letter is spelled as "B as in boy"."""
    gap = _GAP.fullmatch(text, atom.end, other.start)
    if gap is None and atom.is_letter:
        gap = _LIKE.fullmatch(text, atom.end, other.start)
    return other.text[0] != "+" and gap is not None


def _is_word(atom: Atom, neighbour: Sequence[Atom]) -> bool:
    """Whether a group is a word rather than a letter that is spelled."""
    is_spelled = bool(neighbour) and neighbour[0].is_letter
    return atom.is_letter and atom.text in _ARTICLES and not is_spelled


def _run(atoms: Sequence[Atom]) -> Iterator[Run]:
    """The run that the groups are, if they are one."""
    kept = trimmed(atoms)
    text = "".join(atom.text for atom in kept)
    if len(text) >= _MIN_CHARS and any(character.isdigit() for character in text):
        yield Run(kept)
