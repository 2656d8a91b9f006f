"""The value of a time of the day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import re

_FRACTIONS: Final = {
    "half": 30,
    "quarter": 15,
    "a quarter": 15,
    "demi": 30,
    "demie": 30,
    "quart": 15,
    "moins le quart": -15,
}
_NAMES: Final = {"noon": 12, "midday": 12, "midi": 12, "midnight": 0, "minuit": 0}
_LAST_BARE_HOUR: Final = 6


def time_value(match: re.Match[str], part: re.Match[str] | None) -> str | None:
    """The time as `T15:30`; None where there is no such time.

    An hour from 1 to 6 without anything that says otherwise is one of the afternoon, when people call and are called.
    """
    groups = {name: value.lower() for name, value in match.groupdict().items() if value}
    if "name" in groups:
        return _clock(_NAMES[groups["name"]] * 60 + _FRACTIONS.get(groups.get("fraction", ""), 0))
    hour, minute = int(groups["hour"]), int(groups.get("minute", "0").replace(" ", ""))
    if hour > 23:
        return None
    fraction = _FRACTIONS.get(" ".join(groups.get("fraction", "").split()), 0)
    minutes = _in_24_hours(hour, groups.get("half"), part, is_padded=groups["hour"].startswith("0")) * 60 + minute
    return _clock(minutes - fraction if groups.get("side") == "to" else minutes + fraction)


def _in_24_hours(hour: int, half: str | None, part: re.Match[str] | None, *, is_padded: bool) -> int:
    """The hour from 0 to 23 that is meant."""
    said = half or _half_of(part)
    if said == "a":
        return hour % 12
    if said == "p":
        return hour % 12 + 12
    return hour + 12 if 1 <= hour <= _LAST_BARE_HOUR and not is_padded else hour


def _half_of(part: re.Match[str] | None) -> str | None:
    """Which half of the day "in the morning" and the like name."""
    if part is None:
        return None
    is_morning = (part["part"] or "").lower() in ("morning", "matin")
    return "a" if is_morning else "p"


def _clock(minutes: int) -> str:
    """Minutes since midnight as a time."""
    return f"T{minutes // 60 % 24:02}:{minutes % 60:02}"
