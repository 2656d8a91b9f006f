"""A text with its number words as digits, as somebody would write it down who takes notes.

"zéro six douze" is read as "06 12", "double five oh" as "55 0", "the third of March" as "the 3rd of March". Each
character remembers where it comes from, so that what is found in the reading is known in the text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from text_to_num import find_numbers, text2num

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SPELLED_LANGUAGES: Final = ("en", "fr")
"""Languages whose number words are read."""

_PLAIN: Final = str.maketrans(
    {"\u2019": "'", "\u2013": "-", "\u2014": "-", "\u00a0": " ", "\u202f": " ", "\u2009": " "}
)
_TOKEN = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*|\d+")
_ZERO_WORDS: Final = frozenset({"oh", "o", "nought", "naught"})
_TIMES: Final = {"double": 2, "triple": 3, "treble": 3}
_SCALES: Final = frozenset({"hundred", "thousand", "million", "millions", "mille", "cent", "cents"})
_LETTER_NAMES: Final = {("double", "u"): "W", ("double", "v"): "W"}
_MOST_ZEROS: Final = 4
_NOTHING_BETWEEN = re.compile(r"[^\S\n]*|-")
_LITTLE_BETWEEN = re.compile(r"[\s,.\-/]*")


@dataclass(frozen=True, slots=True)
class Reading:
    """A text as it is read, with plain spaces, hyphens and apostrophes.

    Attributes:
        source: The text.
        text: The reading.
        starts: For each character of the reading, where in the text the piece begins that it stands for.
        ends: The same for where that piece ends.
    """

    source: str
    text: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    def in_source(self, start: int, end: int) -> tuple[int, int]:
        """Where in the text the characters from `start` up to `end` of the reading come from; `start` < `end`."""
        return self.starts[start], self.ends[end - 1]


@dataclass(frozen=True, slots=True)
class _Piece:
    """Characters of the text from `start` to `end`, read as `text`."""

    start: int
    end: int
    text: str


class _Token:
    """A word of the text, as text2num wants it."""

    def __init__(self, match: re.Match[str], *, is_apart: bool) -> None:
        self.start, self.end = match.span()
        self.word = match.group()
        self.is_digits = self.word.isdigit()
        self._is_apart = is_apart

    def text(self) -> str:
        """The word."""
        return self.word

    def nt_separated(self, previous: object) -> bool:
        """Whether something other than a space lies before it, so that it begins another number."""
        del previous
        return self._is_apart

    def not_a_number_part(self) -> bool:
        """Whether it is written in digits already, or is an "o", which only sometimes is a zero."""
        return self.is_digits or self.word.lower() == "o"


def read(text: str, language: str | None) -> Reading:
    """The text with its number words as digits; as it is where the language is none of `SPELLED_LANGUAGES`."""
    plain = text.translate(_PLAIN)
    pieces = _pieces(plain, language) if language in SPELLED_LANGUAGES else []
    characters: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    at = 0
    for piece in (*pieces, _Piece(len(plain), len(plain), "")):
        characters.append(plain[at : piece.start] + piece.text)
        starts += [*range(at, piece.start), *([piece.start] * len(piece.text))]
        ends += [*range(at + 1, piece.start + 1), *([piece.end] * len(piece.text))]
        at = piece.end
    return Reading(text, "".join(characters), tuple(starts), tuple(ends))


def _pieces(text: str, language: str) -> list[_Piece]:
    """What is read otherwise than it is written, in order and apart from each other."""
    tokens = list(_tokens(text, language))
    numbers: dict[int, _Piece] = {}
    covered: set[int] = set()
    for found in find_numbers(tokens, language, 0.0):
        if not _is_lone_scale(tokens, found.start, found.end, text):
            numbers[found.start] = _Piece(tokens[found.start].start, tokens[found.end - 1].end, found.text)
            covered.update(range(found.start, found.end))
    digits = {i for i, token in enumerate(tokens) if token.is_digits} | covered
    zeros = set(_zeros(tokens, digits, text))
    numbers |= {i: _Piece(tokens[i].start, tokens[i].end, "0") for i in zeros}
    return _with_repeats(tokens, numbers, text)


def _tokens(text: str, language: str) -> Iterator[_Token]:
    """The words of the text; those joined by hyphens are one only where they are a number, as trente-quatre."""
    end = 0
    for compound in _TOKEN.finditer(text):
        whole = compound.group()
        parts = [compound] if "-" not in whole or _is_number(whole, language) else _parts(text, compound)
        for match in parts:
            is_apart = _NOTHING_BETWEEN.fullmatch(text, end, match.start()) is None
            yield _Token(match, is_apart=is_apart)
            end = match.end()


def _parts(text: str, compound: re.Match[str]) -> list[re.Match[str]]:
    """The words of a compound."""
    return list(re.compile(r"[^\W_]+").finditer(text, *compound.span()))


def _is_number(word: str, language: str) -> bool:
    """Whether a word is a number on its own."""
    try:
        text2num(word, language)
    except ValueError:
        return False
    return True


def _is_lone_scale(tokens: Sequence[_Token], start: int, end: int, text: str) -> bool:
    """Whether it is "hundred" and the like behind digits, as in 12 hundred: 12 and 100 would say something else."""
    if end - start > 1 or start == 0 or tokens[start].word.lower() not in _SCALES:
        return False
    before = tokens[start - 1]
    return before.is_digits and text[before.end : tokens[start].start].isspace()


def _zeros(tokens: Sequence[_Token], digits: set[int], text: str) -> Iterator[int]:
    """The words that stand for a zero: "oh" and the like behind a digit, or close before one."""
    known = set(digits)
    for i, token in enumerate(tokens):
        if token.word.lower() not in _ZERO_WORDS or text[token.end : token.end + 1] == "'":
            continue
        if _is_behind_digit(tokens, i, text, known) or _is_before_digit(tokens, i, text, digits):
            known.add(i)
            yield i


def _is_behind_digit(tokens: Sequence[_Token], i: int, text: str, digits: set[int]) -> bool:
    """Whether the word before is a digit, or "double" and the like."""
    if i == 0 or not (i - 1 in digits or tokens[i - 1].word.lower() in _TIMES):
        return False
    return _LITTLE_BETWEEN.fullmatch(text, tokens[i - 1].end, tokens[i].start) is not None


def _is_before_digit(tokens: Sequence[_Token], i: int, text: str, digits: set[int]) -> bool:
    """Whether a digit follows, perhaps behind more zeros, with nothing but spaces between: "oh six", not "Oh, six"."""
    for other in range(i + 1, min(len(tokens), i + 1 + _MOST_ZEROS)):
        if _NOTHING_BETWEEN.fullmatch(text, tokens[other - 1].end, tokens[other].start) is None:
            return False
        word = tokens[other].word.lower()
        if word not in _ZERO_WORDS and word not in _TIMES:
            return other in digits
    return False


def _with_repeats(tokens: Sequence[_Token], numbers: dict[int, _Piece], text: str) -> list[_Piece]:
    """The numbers, with "double five" as 55, "double 512" as 5512, and the letter "double u" as W."""
    pieces = dict(numbers)
    for i, (token, follower) in enumerate(pairwise(tokens)):
        times = _TIMES.get(token.word.lower())
        if times is None or _LITTLE_BETWEEN.fullmatch(text, token.end, follower.start) is None:
            continue
        piece = numbers.get(i + 1, _Piece(follower.start, follower.end, follower.word))
        if len(piece.text) == 1 or piece.text.isdigit():
            letter = _LETTER_NAMES.get((token.word.lower(), follower.word.lower()))
            pieces.pop(i + 1, None)
            pieces[i] = _Piece(token.start, piece.end, letter or piece.text[0] * (times - 1) + piece.text)
    return [pieces[i] for i in sorted(pieces)]
