"""Intent labels of the user's own, each given by a few sentences that would get it.

[labels]
moving_house = ["We are moving to a new flat", "Nous déménageons le mois prochain"]
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from plugandtell.analytics.classify.lexicon import plain
from plugandtell.core.errors import ConfigurationUnreadable

if TYPE_CHECKING:
    from pathlib import Path

MOST_LABELS: Final = 100
MOST_EXAMPLES: Final = 1000
"""Of all labels together; each takes some 25 ms when a service starts."""

MOST_CHARACTERS: Final = 500
"""Of one example."""

_NAME: Final = re.compile(r"[\w][\w .-]{0,59}")
_SHORTEST_WORD: Final = 4  # shorter ones say little
_SHAPE: Final = 'it must have a table [labels], each label with a list of example sentences, such as moving = ["..."]'


@dataclass(frozen=True, slots=True)
class OwnLabels:
    """The user's own labels.

    Attributes:
        examples: By label, at least one sentence each.
    """

    examples: Mapping[str, tuple[str, ...]]

    def fits_by_words(self, sentence: str) -> dict[str, float]:
        """How well a sentence fits each label, from 0 to 1: how many words it has in common with an example."""
        said = _words(sentence)
        return {
            name: max((_shared(said, _words(example)) for example in examples), default=0.0)
            for name, examples in self.examples.items()
        }


NONE: Final = OwnLabels({})


def read(file: Path) -> OwnLabels:
    """The labels of a file.

    Raises:
        ConfigurationUnreadable: It is not there, is no TOML, or holds something else; the text says where.
    """
    try:
        with file.open("rb") as opened:
            table = tomllib.load(opened)
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        cause = exc.strerror if isinstance(exc, OSError) and exc.strerror else str(exc)
        raise ConfigurationUnreadable(str(file), cause) from exc
    try:
        return OwnLabels(_labels(table))
    except ValueError as exc:
        raise ConfigurationUnreadable(str(file), str(exc)) from exc


def _labels(table: Mapping[str, object]) -> dict[str, tuple[str, ...]]:
    if unknown := sorted(set(table) - {"labels"}):
        raise ValueError(f"{unknown[0]!r} is not known there: {_SHAPE}")
    labels = table.get("labels")
    if not isinstance(labels, Mapping) or not labels:
        raise ValueError(_SHAPE)
    if len(labels) > MOST_LABELS:
        raise ValueError(f"it has {len(labels)} labels, and {MOST_LABELS} are the most")
    found = {str(name): _examples(str(name), given) for name, given in labels.items()}
    if (total := sum(map(len, found.values()))) > MOST_EXAMPLES:
        raise ValueError(f"it has {total} examples, and {MOST_EXAMPLES} are the most")
    return found


def _examples(name: str, given: object) -> tuple[str, ...]:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} cannot be a label: letters, digits, spaces, and _ - . , 60 at most")
    if not isinstance(given, list) or not given:
        raise ValueError(f'labels.{name} must be a list of sentences, such as ["..."]')
    for at, example in enumerate(given, 1):
        if not isinstance(example, str) or not example.strip() or len(example) > MOST_CHARACTERS:
            raise ValueError(
                f"example {at} of labels.{name} must be a sentence of at most {MOST_CHARACTERS} characters"
            )
    return tuple(example.strip() for example in given)


def _words(text: str) -> frozenset[str]:
    return frozenset(word for word in re.findall(r"\w+", plain(text)) if len(word) >= _SHORTEST_WORD)


def _shared(said: frozenset[str], example: frozenset[str]) -> float:
    """How much of the smaller one the other has (overlap coefficient), for two words or more in common."""
    common = len(said & example)
    return common / min(len(said), len(example)) if common > 1 or said == example != frozenset() else 0.0
