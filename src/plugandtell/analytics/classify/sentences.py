"""Text in sentences, as far as its punctuation goes, and in shorter pieces where it has none.

What an engine writes down of a call is often one endless sentence: such a piece is cut before a word that begins a new
thought, so that each piece says one thing.
"""

from __future__ import annotations

import re
from typing import Final

MOST_WORDS: Final = 30
"""Words in one piece; a sentence that is longer is cut."""

_PIECE: Final = re.compile(r"\S.*?(?:[.!?…]+[\"'»”)\]]*(?=\s|$)|$)", re.DOTALL)
_ABBREVIATION: Final = re.compile(
    r"(?:^|\s)(?:m|mm|mr|mrs|ms|mme|mlle|dr|st|ste|prof|no|nr|av|bd|approx|etc|e\.g|i\.e|p\.ex|[a-zà-ý])\.$",
    re.IGNORECASE,
)
_NEW_THOUGHT: Final = frozenset(
    ("and", "but", "so", "because", "then", "if", "well", "et", "mais", "donc", "alors", "parce", "puis", "si", "sinon")
)
_FEWEST_WORDS: Final = 8


def sentences(text: str) -> tuple[str, ...]:
    """The pieces of a text in order, each as it stands there; together they hold all its words."""
    return tuple(piece for sentence in _punctuated(text) for piece in _short(sentence))


def chunks(text: str) -> tuple[str, ...]:
    """Neighbouring sentences together, as long as they have no more than `MOST_WORDS` words."""
    found: list[str] = []
    for sentence in sentences(text):
        if found and len(found[-1].split()) + len(sentence.split()) <= MOST_WORDS:
            found[-1] = f"{found[-1]} {sentence}"
        else:
            found.append(sentence)
    return tuple(found)


def _punctuated(text: str) -> list[str]:
    """Parted at the ends of sentences, but not after an abbreviation or an initial."""
    found: list[str] = []
    begin = None
    for piece in _PIECE.finditer(text):
        begin = piece.start() if begin is None else begin
        sentence = text[begin : piece.end()].rstrip()
        if _ABBREVIATION.search(sentence) and piece.end() < len(text.rstrip()):
            continue
        found.append(sentence)
        begin = None
    if begin is not None:
        found.append(text[begin:].rstrip())
    return found


def _short(sentence: str) -> list[str]:
    """A sentence that is too long, cut before a word that begins a new thought, or else where it is full."""
    words = list(re.finditer(r"\S+", sentence))
    found: list[str] = []
    while len(words) > MOST_WORDS:
        cut = _where_to_cut([word.group() for word in words[: MOST_WORDS + 1]])
        found.append(sentence[words[0].start() : words[cut - 1].end()])
        words = words[cut:]
    return [*found, sentence[words[0].start() :]] if words else found


def _where_to_cut(words: list[str]) -> int:
    """How many words make the first piece: as many as go before a new thought."""
    starts = [word.lower().strip(",;:") in _NEW_THOUGHT for word in words]
    begins = [at for at in range(_FEWEST_WORDS, MOST_WORDS + 1) if starts[at] and not starts[at - 1]]
    return begins[-1] if begins else MOST_WORDS
