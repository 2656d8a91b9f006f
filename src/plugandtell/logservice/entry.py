"""One event of the log, as a value that nothing can change any more."""

from __future__ import annotations

import dataclasses
import math
import re
from array import array
from collections.abc import Mapping, Sequence, Set
from enum import Enum
from functools import singledispatch
from itertools import islice
from numbers import Integral, Real
from typing import Any, TypeAlias

Plain: TypeAlias = "bool | int | float | str | list[Plain] | dict[str, Plain] | None"

HIDDEN = "***"
_SECRET_KEY = re.compile(r"(?:.*[_-])?(?:token|authorization|password|secret)", re.IGNORECASE | re.DOTALL)
_MAX_ITEMS = 64  # of a list: what is longer are samples rather than something to read
_MAX_DEPTH = 8  # deep enough for any label; ends a structure that contains itself
_JSON_INTEGER_BITS = 64


@dataclasses.dataclass(frozen=True, slots=True)
class Entry:
    """An event with its fields, made of plain values only: what happens to the originals later does not show.

    Attributes:
        created_s: Wall clock, in seconds since the epoch.
        level: `debug`, `info`, `warning`, `error` or `critical`.
        event: A constant such as `voice_detected`, or the text of another library.
        fields: What JSON can hold, and nothing else. A traceback is the string `exception`.
    """

    created_s: float
    level: str
    event: str
    fields: dict[str, Plain]

    def __str__(self) -> str:
        return " ".join([self.event, *(f"{key}={value!r}" for key, value in self.fields.items())])


def plain_fields(fields: Mapping[Any, object], depth: int = 0) -> dict[str, Plain]:
    """A deep copy of `fields` in plain values, without secrets and without audio.

    Values whose key is or ends in `token`, `authorization`, `password` or `secret` become `***`; bytes and anything
    else that is a buffer, such as an array of samples, become `<N bytes>`; a list is cut after 64 items.
    """
    named = ((_text_of(key), value) for key, value in fields.items())
    return {name: HIDDEN if _SECRET_KEY.fullmatch(name) else plain(value, depth) for name, value in named}


def plain(value: object, depth: int = 0) -> Plain:
    """A deep copy of `value` in plain values. Never raises for a value that cannot be shown."""
    if value is None or isinstance(value, bool):
        return value
    if depth > _MAX_DEPTH:
        return "<too deep>"
    return _plain(value, depth)


@singledispatch
def _plain(value: Any, depth: int) -> Plain:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        # Field by field, because the repr of a dataclass would show the bytes and the secrets inside.
        return plain_fields({f.name: getattr(value, f.name) for f in dataclasses.fields(value)}, depth + 1)
    if getattr(value, "ndim", None) == 0:  # a single number of numpy's
        return plain(value.item(), depth + 1)
    return _size_of_buffer(value) or _text_of(value)


@_plain.register
def _(value: str, _depth: int) -> Plain:
    return str.__str__(value)


@_plain.register
def _(value: Enum, depth: int) -> Plain:
    return plain(value.value, depth + 1)


@_plain.register(bytes)
@_plain.register(bytearray)
@_plain.register(memoryview)
@_plain.register(array)
def _(value: bytes | bytearray | memoryview | array[Any], _depth: int) -> Plain:
    return f"<{memoryview(value).nbytes} bytes>"


@_plain.register(int)
@_plain.register(Integral)
def _(value: Integral, _depth: int) -> Plain:
    number = int(value)
    return number if number.bit_length() < _JSON_INTEGER_BITS else hex(number)


@_plain.register(float)
@_plain.register(Real)
def _(value: Real, _depth: int) -> Plain:
    number = float(value)
    return number if math.isfinite(number) else str(number)  # JSON has no infinity


@_plain.register(Mapping)
def _(value: Mapping[object, object], depth: int) -> Plain:
    return plain_fields(value, depth + 1)


@_plain.register(Sequence)
@_plain.register(Set)
def _(value: Sequence[object] | Set[object], depth: int) -> Plain:
    items = [plain(item, depth + 1) for item in islice(value, _MAX_ITEMS)]
    return [*items, f"<{len(value) - _MAX_ITEMS} more>"] if len(value) > _MAX_ITEMS else items


@_plain.register
def _(value: BaseException, _depth: int) -> Plain:
    text = _text_of(value)
    return f"{type(value).__name__}: {text}" if text else type(value).__name__


def _size_of_buffer(value: Any) -> str | None:
    try:
        return f"<{memoryview(value).nbytes} bytes>"
    except (TypeError, ValueError, BufferError):
        return None


def _text_of(value: object) -> str:
    try:
        return str(value)
    except Exception:  # noqa: BLE001 - a value that cannot be shown must not stop the program that logs it
        return f"<{type(value).__name__} that cannot be shown>"
