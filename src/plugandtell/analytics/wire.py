"""Results and messages as JSON: written field by field, and read back only as what they should be."""

from __future__ import annotations

from typing import TypeVar

import msgspec

_Value = TypeVar("_Value")


class Unreadable(ValueError):
    """JSON that is not what it should be; the text says where and what."""


def to_json(value: object) -> str:
    """Any of the frozen dataclasses of `core` as JSON, times in ISO 8601."""
    return msgspec.json.encode(value).decode()


def from_json(text: str | bytes, kind: type[_Value]) -> _Value:
    """What `to_json` wrote. Unknown fields are ignored, so that formats can grow.

    Raises:
        Unreadable: It is no JSON, a field is missing or of another type, or the value refuses what it was given.
    """
    try:
        return msgspec.json.decode(text, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise Unreadable(str(exc)) from exc
