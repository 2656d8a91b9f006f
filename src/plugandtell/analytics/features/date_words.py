"""The words that days and times are named with, and what each of them means."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

MONTHS: Final = {
    name: number
    for number, names in enumerate(
        (
            ("january", "jan", "janvier"),
            ("february", "feb", "février", "fevrier"),
            ("march", "mar", "mars"),
            ("april", "apr", "avril"),
            ("may", "mai"),
            ("june", "jun", "juin"),
            ("july", "jul", "juillet"),
            ("august", "aug", "août", "aout"),
            ("september", "sep", "sept", "septembre"),
            ("october", "oct", "octobre"),
            ("november", "nov", "novembre"),
            ("december", "dec", "décembre", "decembre"),
        ),
        start=1,
    )
    for name in names
}
"""Months and their numbers."""

WEEKDAYS: Final = {
    name: number
    for number, names in enumerate(
        (
            ("monday", "lundi"),
            ("tuesday", "mardi"),
            ("wednesday", "mercredi"),
            ("thursday", "jeudi"),
            ("friday", "vendredi"),
            ("saturday", "samedi"),
            ("sunday", "dimanche"),
        )
    )
    for name in names
}
"""Weekdays as `date.weekday` counts them, from Monday on."""

DAYS_AWAY: Final = {
    "day before yesterday": -2, "avant-hier": -2, "avant hier": -2,
    "yesterday": -1, "last night": -1, "hier": -1, "la nuit dernière": -1,
    "today": 0, "tonight": 0, "this morning": 0, "this afternoon": 0, "this evening": 0,
    "aujourd'hui": 0, "ce matin": 0, "cet après-midi": 0, "cette après-midi": 0, "ce soir": 0, "cette nuit": 0,
    "tomorrow": 1, "demain": 1,
    "day after tomorrow": 2, "après-demain": 2, "après demain": 2,
}  # fmt: skip
"""Words that name a day by how far it is from the call."""

PARTS: Final = {
    "morning": "TMO", "matin": "TMO", "matinée": "TMO",
    "afternoon": "TAF", "après-midi": "TAF",
    "evening": "TEV", "tonight": "TEV", "last night": "TEV", "soir": "TEV", "soirée": "TEV",
    "night": "TNI", "nuit": "TNI",
}  # fmt: skip
"""Parts of the day as ISO-TimeML (ISO 24617-1) writes them; "tonight" and "last night" mean the evening."""

UNITS: Final = {
    "minute": "minute", "hour": "hour", "day": "day", "week": "week", "month": "month", "year": "year",
    "weekend": "weekend", "week-end": "weekend",
    "heure": "hour", "jour": "day", "semaine": "week", "mois": "month", "an": "year", "année": "year",
}  # fmt: skip
"""Units of time in the singular, and the English word for each."""

BACKWARD: Final = ("last", "past", "derni", "pass")
"""What words begin with that point back from the call."""

FORWARD: Final = ("next", "coming", "prochain", "qui vient")
"""What words begin with that point forward."""

YEAR: Final = r"(?P<year>(?:19|20)\s?\d\d)(?!\d)"
"""A year, also as it is read from "nineteen eighty-four"."""

NUMERIC: Final = (
    r"(?<![\w./-])(?P<numeric>\d{1,2}/\d{1,2}/(?:\d{4}|\d{2})|\d{1,2}[.-]\d{1,2}[.-](?:19|20)\d\d|"
    r"(?:19|20)\d\d-\d{1,2}-\d{1,2})(?![\w/-]|\.\d)"
)
"""A date in figures only."""


@dataclass(frozen=True, slots=True)
class Grammar:
    """How one language names days and times.

    Attributes:
        days: Expressions for a day, a month, a year; an earlier one goes before a later one.
        times: The same for a time of the day that is one by itself.
        loose_time: A time that is one only behind a day, as "Tuesday at 3".
        length: What says, right before hours, that they are how long something takes.
        time_of_day: What may follow a time, as "in the morning".
        join: What may lie between a day and its time.
        past: What says that something has happened.
        ahead: What says that it has not.
    """

    days: tuple[re.Pattern[str], ...]
    times: tuple[re.Pattern[str], ...]
    loose_time: re.Pattern[str]
    length: re.Pattern[str]
    time_of_day: re.Pattern[str]
    join: re.Pattern[str]
    past: re.Pattern[str]
    ahead: re.Pattern[str]


def one_of(words: Iterable[str]) -> str:
    """An alternation of words, longer ones first, with either apostrophe."""
    spelled = (re.escape(word).replace(r"\ ", r"\s").replace("'", "'") for word in words)
    return "(?:" + "|".join(sorted(spelled, key=len, reverse=True)) + ")"


def behind(words: str, pattern: str) -> str:
    """A pattern that counts only behind one of the words, which are no part of what is found: the group `core` is."""
    return rf"\b(?:{words})(?P<core>{pattern})"


def compiled(*patterns: str) -> tuple[re.Pattern[str], ...]:
    """The patterns, for small and capital letters alike."""
    return tuple(re.compile(pattern, re.IGNORECASE) for pattern in patterns)
