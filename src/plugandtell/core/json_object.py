"""JSON that came from outside, read field by field: each value is of the type that was asked for, or an error names it.

Unknown fields are ignored, so that formats can grow.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NoReturn
from uuid import UUID

if TYPE_CHECKING:
    from collections.abc import Iterable

LARGEST_INTEGER = 2**53 - 1
"""Beyond it, not every reader of JSON tells whole numbers apart (RFC 8259, section 6)."""
_SHOWN = 80
_LONGEST_TEXT = 256
_MOST_ENTRIES = 16


class NotJson(ValueError):
    """The text is not a JSON object."""


class InvalidField(ValueError):
    """A field is missing, of another type, or out of range; the text names it, its value, and what it must be."""


class JsonObject:
    """One JSON object. Each method returns the field of that name, or raises `InvalidField`."""

    def __init__(self, values: dict[str, Any], path: str = "") -> None:
        self._values = values
        self._path = path

    @classmethod
    def parse(cls, text: str) -> JsonObject:
        """The object that the text is.

        Raises:
            NotJson: It is something else. `NaN` and `Infinity` are no JSON (RFC 8259, section 6).
        """
        try:
            values = json.loads(text, parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as exc:
            raise NotJson(f"{shown(text)} is not JSON") from exc
        if not isinstance(values, dict):
            raise NotJson(f"{shown(text)} is not a JSON object")
        return cls(values)

    def text(self, name: str, *, longest: int = _LONGEST_TEXT) -> str:
        """A string of at most `longest` characters that can be encoded."""
        value = self._get(name)
        if not isinstance(value, str) or not _is_text(value, longest):
            self._fail(name, value, f"a text of at most {longest} characters")
        return value

    def one_of(self, name: str, allowed: Iterable[str]) -> str:
        """One of these strings."""
        value = self._get(name)
        if value not in list(allowed):
            self._fail(name, value, f"one of {', '.join(allowed)}")
        return str(value)

    def integer(self, name: str, minimum: int = 0, maximum: int = LARGEST_INTEGER) -> int:
        """A whole number, written as one: `1.0` is not."""
        value = self._get(name)
        if not isinstance(value, int) or isinstance(value, bool) or not minimum <= value <= maximum:
            self._fail(name, value, f"a whole number from {minimum} to {maximum}")
        return value

    def uuid(self, name: str) -> UUID:
        """A UUID in any of its usual spellings."""
        value = self.text(name)
        try:
            return UUID(value)
        except ValueError:
            self._fail(name, value, "a UUID")

    def moment(self, name: str, *, before_year: int = 9900) -> datetime:
        """A time with its offset from UTC, which in UTC lies from 1970 on and before that year."""
        value = self.text(name)
        try:
            moment = datetime.fromisoformat(value)
            in_utc = moment.astimezone(UTC) if moment.utcoffset() is not None else None
        except (ValueError, OverflowError):
            in_utc = None
        if in_utc is None or not 1970 <= in_utc.year < before_year:
            expected = f"a time such as 2026-11-23T15:35:00.848Z, in the years 1970 to {before_year - 1} in UTC"
            self._fail(name, value, expected)
        return in_utc

    def object(self, name: str) -> JsonObject:
        """An object."""
        value = self._get(name)
        if not isinstance(value, dict):
            self._fail(name, value, "an object")
        return JsonObject(value, f"{self._path}{name}.")

    def objects(self, name: str) -> list[JsonObject]:
        """A list of objects."""
        value = self._get(name)
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            self._fail(name, value, "a list of objects")
        return [JsonObject(item, f"{self._path}{name}[{place}].") for place, item in enumerate(value)]

    def texts(self, name: str) -> dict[str, str]:
        """An object of at most 16 strings, under keys that keep to the rules of `text`."""
        value = self._get(name)
        if not isinstance(value, dict) or len(value) > _MOST_ENTRIES or not all(map(_is_text, value)):
            self._fail(name, value, f"an object of at most {_MOST_ENTRIES} texts under names that are texts")
        entries = JsonObject(value, f"{self._path}{name}.")
        return {key: entries.text(key) for key in value}

    def has(self, name: str) -> bool:
        """Whether the field is there, and not null."""
        return self._values.get(name) is not None

    def _get(self, name: str) -> Any:
        if name not in self._values:
            raise InvalidField(f"{self._path}{name} is missing")
        return self._values[name]

    def _fail(self, name: str, value: Any, expected: str) -> NoReturn:
        raise InvalidField(f"{self._path}{name} is {shown(value)}, but must be {expected}")


def utc_text(moment: datetime) -> str:
    """A time as `JsonObject.moment` reads it, ISO 8601 in UTC with milliseconds: `2026-11-23T15:35:00.848Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def shown(value: object) -> str:
    """The offending value, short enough for a message, and printable whatever it holds."""
    if isinstance(value, dict | list):
        return f"{'an object' if isinstance(value, dict) else 'a list'} of {len(value)}"
    text = repr(value[: _SHOWN + 1] if isinstance(value, str) else value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


def _is_text(value: str, longest: int = _LONGEST_TEXT) -> bool:
    """JSON can spell half a surrogate pair, which is no text and cannot be written as UTF-8."""
    return len(value) <= longest and not any("\ud800" <= character <= "\udfff" for character in value)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
