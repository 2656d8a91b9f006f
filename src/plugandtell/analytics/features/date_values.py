"""What day, week, month or year an expression names, relative to the call."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Final

from dateparser import parse

from plugandtell.analytics.features.date_words import BACKWARD, DAYS_AWAY, FORWARD, MONTHS, PARTS, UNITS, WEEKDAYS

if TYPE_CHECKING:
    import re

RELATIVE: Final = "relative"
"""Value of what cannot be told without the time of the call."""

_RECENT: Final = timedelta(days=45)
"""A day without a year that was so lately is that one, rather than the one in nearly a year."""

_DAY_AND_MONTH_CHARS: Final = 5
_LEAP_YEAR: Final = datetime(2000, 1, 1)  # noqa: DTZ001 (a calendar, not a moment)


@dataclass(frozen=True, slots=True)
class DateSettings:
    """How to understand a date.

    Attributes:
        language: Of the call.
        started_at: When the call began; None where nobody knows.
        is_past: Whether what happens then has happened, or was to; None where nothing says so.
    """

    language: str
    started_at: datetime | None
    is_past: bool | None

    @property
    def today(self) -> date | None:
        """The day of the call, where it was."""
        return self.started_at.date() if self.started_at is not None else None


def is_relative(value: str) -> bool:
    """Whether a value says only that the time of the call is needed."""
    return value == RELATIVE


def day_value(match: re.Match[str], settings: DateSettings) -> str | None:
    """The value of a day expression; `RELATIVE` without the time of the call, None where there is no such day."""
    groups = {name: " ".join(value.lower().split()) for name, value in match.groupdict().items() if value}
    if "numeric" in groups:
        return _numeric(groups["numeric"], settings)
    if "month" in groups:
        return _calendar(groups, settings)
    if "year" in groups:
        return groups["year"].replace(" ", "")
    return RELATIVE if settings.today is None else _relative(groups, settings, settings.today)


def _relative(groups: dict[str, str], settings: DateSettings, today: date) -> str | None:
    """The value of what is relative to the day of the call."""
    if "count" in groups:
        return _counted(groups, settings)
    if "whole" in groups:
        return _whole(UNITS[groups["whole"]], _direction(groups["step"]), today)
    if "day" in groups:
        return _day_of_month(int(groups["day"]), settings, today)
    day = _away(groups, today) if "away" in groups else _weekday(groups, settings, today)
    return day.isoformat() + (_part(groups) or "")


def _parsed(phrase: str, settings: DateSettings, *, forward: bool = True) -> datetime | None:
    """What dateparser makes of a phrase that is a date for certain."""
    base = settings.started_at.replace(tzinfo=None) if settings.started_at is not None else _LEAP_YEAR
    order = "MDY" if settings.language == "en" else "DMY"
    options = {"RELATIVE_BASE": base, "PREFER_DATES_FROM": "future" if forward else "past", "DATE_ORDER": order}
    found: datetime | None = parse(phrase, languages=[settings.language], settings=options)
    return found


def _numeric(figures: str, settings: DateSettings) -> str | None:
    """A date in figures: the month first in English, the day first in French, whichever fits if only one does."""
    found = _parsed(figures, settings, forward=not settings.is_past)
    if found is None:
        return None
    is_any_year = len(figures) <= _DAY_AND_MONTH_CHARS and settings.today is None
    return found.strftime("--%m-%d") if is_any_year else found.date().isoformat()


def _calendar(groups: dict[str, str], settings: DateSettings) -> str | None:
    """A month, with a day, a year or both."""
    year = groups.get("year", "").replace(" ", "")
    month = MONTHS[groups["month"]]
    if "day" not in groups:
        return f"{year or _year_of(month, groups, settings)}-{month:02}"
    if not year and settings.today is None:
        found = _parsed(f"{groups['day']} {groups['month']} 2000", settings)
        return f"--{month:02}-{int(groups['day']):02}" if found is not None else None
    found = _parsed(f"{groups['day']} {groups['month']} {year}".strip(), settings, forward=not settings.is_past)
    if found is not None and settings.today is not None and not year and settings.is_past is None:
        last = _parsed(f"{groups['day']} {groups['month']}", settings, forward=False)
        is_recent = last is not None and settings.today - last.date() <= _RECENT
        found = last if is_recent else found
    return found.date().isoformat() if found is not None else None


def _year_of(month: int, groups: dict[str, str], settings: DateSettings) -> str:
    """The year of a month without one: the last such month or the coming one; `-`, as ISO 8601 has it, if unknown."""
    if settings.today is None:
        return "-"
    is_past = _direction(groups.get("step", "")) < 0 or settings.is_past
    today = settings.today
    return str(today.year - (month > today.month) if is_past else today.year + (month < today.month))


def _day_of_month(day: int, settings: DateSettings, today: date) -> str | None:
    """The 15th: the coming one, or the last if it is over."""
    step = -1 if settings.is_past else 1
    for away in range(0, 62 * step, step):
        if (today + timedelta(away)).day == day:
            return (today + timedelta(away)).isoformat()
    return None


def _counted(groups: dict[str, str], settings: DateSettings) -> str | None:
    """Two weeks from now, three days ago: a day, or for minutes and hours also the time."""
    unit = UNITS[groups["unit"]]
    count = 1 if groups["count"] in ("a", "an") else int(groups["count"])
    is_ago = groups.get("direction") in ("ago", "a")
    found = _parsed(
        f"{count} {unit}s ago" if is_ago else f"in {count} {unit}s",
        DateSettings("en", settings.started_at, is_past=False),
    )
    if found is None:
        return None
    return found.strftime("%Y-%m-%dT%H:%M") if unit in ("minute", "hour") else found.date().isoformat()


def _whole(unit: str, step: int, today: date) -> str:
    """Last week, this month, next year."""
    if unit == "year":
        return str(today.year + step)
    if unit == "month":
        months = today.year * 12 + today.month - 1 + step
        return f"{months // 12}-{months % 12 + 1:02}"
    week = today + timedelta(weeks=step)
    return f"{week:%G-W%V}" + ("-WE" if unit == "weekend" else "")


def _away(groups: dict[str, str], today: date) -> date:
    """Tomorrow, yesterday, this morning."""
    return today + timedelta(DAYS_AWAY[groups["away"]])


def _weekday(groups: dict[str, str], settings: DateSettings, today: date) -> date:
    """A weekday: the coming one, or the last if it says so or is over. Never the day of the call itself."""
    step = _direction(groups.get("step", "")) or (-1 if settings.is_past else 1)
    away = (WEEKDAYS[groups["weekday"]] - today.weekday()) % 7
    return today + timedelta((away or 7) if step > 0 else away - 7)


def _direction(step: str) -> int:
    """Whether a word points back, forward or to now."""
    if step.startswith(BACKWARD):
        return -1
    return 1 if any(word in step for word in FORWARD) else 0


def _part(groups: dict[str, str]) -> str | None:
    """The part of the day that was named with it."""
    named = groups.get("part") or groups.get("away", "")
    word = next((word for word in PARTS if named.replace("après midi", "après-midi").endswith(word)), None)
    return PARTS[word] if word is not None else None
