"""Words that tell something, for the languages that the rules know: lists of patterns in the folder `words`."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

LANGUAGES: Final = ("en", "fr")

_APOSTROPHES: Final = re.compile("[\u2018\u2019\u02bc`]")


@dataclass(frozen=True, slots=True)
class MoodWords:
    """How something is said.

    Attributes:
        positive: Glad words, and what takes the place of them.
        negative: Words of displeasure and trouble.
        frustrated: Signs of a patience that ends.
        angry: Signs of anger.
        anxious: Signs of fear and worry.
        harmless: What sounds like one of the above and is not.
        irony: Praise that is none.
        denied_before: What turns the word after it around.
        denied_after: What turns the word before it around.
    """

    positive: re.Pattern[str]
    negative: re.Pattern[str]
    frustrated: re.Pattern[str]
    angry: re.Pattern[str]
    anxious: re.Pattern[str]
    harmless: re.Pattern[str]
    irony: re.Pattern[str]
    denied_before: re.Pattern[str]
    denied_after: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class IntentWords:
    """What somebody wants.

    Attributes:
        complaint: Displeasure with how one was served.
        wish: Somebody wants something done.
        trouble: Something does not work, or is not there.
        question: Somebody wants to know something.
        nothing: Greetings, thanks, and what else wants nothing.
        labels: What it is about, by finer label.
    """

    complaint: re.Pattern[str]
    wish: re.Pattern[str]
    trouble: re.Pattern[str]
    question: re.Pattern[str]
    nothing: re.Pattern[str]
    labels: Mapping[str, re.Pattern[str]]


def plain(text: str) -> str:
    """In small letters, with one kind of apostrophe, as the patterns expect it."""
    return _APOSTROPHES.sub("'", text.lower())


def mood_words() -> dict[str, MoodWords]:
    """By language."""
    return {language: MoodWords(**_patterns(_table("mood", language))) for language in LANGUAGES}


def intent_words() -> dict[str, IntentWords]:
    """By language."""
    tables = {language: _table("intent", language) for language in LANGUAGES}
    return {
        language: IntentWords(labels=_patterns(table.pop("labels")), **_patterns(table))
        for language, table in tables.items()
    }


def _table(kind: str, language: str) -> dict[str, Any]:
    file = resources.files("plugandtell.analytics.classify").joinpath("words", f"{kind}.{language}.toml")
    return tomllib.loads(file.read_text(encoding="utf-8"))


def _patterns(table: Mapping[str, str]) -> dict[str, re.Pattern[str]]:
    return {name: _any_of(listed) for name, listed in table.items()}


def _any_of(listed: str) -> re.Pattern[str]:
    alternatives = "|".join(" ".join(one.split()) for one in listed.split(","))
    return re.compile(rf"(?<!\w)(?:{alternatives})(?!\w)")


def label_names() -> tuple[str, ...]:
    """The finer labels that there are."""
    return tuple(_table("intent", LANGUAGES[0])["labels"])
