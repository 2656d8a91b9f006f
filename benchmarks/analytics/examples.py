"""Reads our example sentences: one a line, under headings in brackets that say what they are examples of."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, replace
from pathlib import Path

LANGUAGES = ("en", "fr")
HERE = Path(__file__).parent

_OPENINGS = {
    "en": ("um", "yeah hi", "so", "hi", "okay so", "well", "right", "hello yes"),
    "fr": ("euh", "oui bonjour", "alors", "bonjour", "bon", "ben", "oui alors", "allô oui"),
}


@dataclass(frozen=True, slots=True)
class Example:
    """A sentence and what it is an example of.

    Attributes:
        language: Of the sentence.
        names: Its class and its finer label, or its polarity and its state.
        text: The sentence.
        group: The same for sentences that say the same in both languages, so that no fold has one of them to learn
            from and the other to be tested with.
        weight: How much it counts.
    """

    language: str
    names: tuple[str, str]
    text: str
    group: str
    weight: float = 1.0


def read(task: str, part: str, language: str) -> list[Example]:
    """The examples of `intent` or `sentiment`, of the part `train` or `heldout`."""
    found: list[Example] = []
    names = ("", "")
    for line in (HERE / task / "examples" / f"{part}_{language}.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            first, second = line.strip("[] ").split()
            names = (first, second)
        elif line.strip() and not line.startswith("#"):
            at = sum(example.names == names for example in found)
            found.append(Example(language, names, line.strip(), f"{' '.join(names)} {at}"))
    return found


def varied(examples: list[Example], seed: int) -> list[Example]:
    """The examples, and for half the weight each: as an engine without punctuation writes it, and with an opening."""
    chance = random.Random(seed)  # noqa: S311  # no secret
    found = []
    for example in examples:
        found.append(example)
        bare = " ".join(re.sub(r"[^\w\s'\u2019-]", " ", example.text.lower()).split())
        opening = chance.choice(_OPENINGS[example.language])
        opened = f"{opening} {example.text[0].lower()}{example.text[1:]}"
        found += [replace(example, text=text, weight=example.weight / 2) for text in (bare, opened)]
    return found
