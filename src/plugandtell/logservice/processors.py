"""From a call of a logger, ours or the standard library's, to the JSON text of an event.

All of it runs in the task that logs, so that the ids bound there are on the line, and so that later changes are not.
"""

from __future__ import annotations

import json
import re
from dataclasses import fields, is_dataclass
from datetime import date
from enum import Enum
from functools import partial
from pathlib import PurePath
from typing import TYPE_CHECKING, Any
from uuid import UUID

from structlog.contextvars import merge_contextvars
from structlog.processors import JSONRenderer, TimeStamper, format_exc_info
from structlog.stdlib import ProcessorFormatter, add_log_level, add_logger_name

from plugandtell.core.secret import HIDDEN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from structlog.typing import EventDict

_SECRET_KEY = re.compile(r"(?:.*[_-])?(?:token|authorization|password|secret)", re.IGNORECASE | re.DOTALL)
_FIRST_KEYS = ("timestamp", "level", "event", "process", "pid", "stream_id", "segment_id", "client")
_SHOWN_AS_TEXT = (PurePath, UUID, date)


def json_formatter(process: str, pid: int, **marks: int) -> ProcessorFormatter:
    """Makes the JSON line of a record: `timestamp` (UTC), `level`, `event`, `process`, `pid`, ids, then the rest.

    A field that bears the name of one of the first five, or of a mark, is overwritten. The line is ASCII, so that no
    control character in it reaches the terminal of whoever looks at the file.
    """
    return ProcessorFormatter(
        foreign_pre_chain=[add_logger_name],
        processors=[
            ProcessorFormatter.remove_processors_meta,
            merge_contextvars,
            add_log_level,
            format_exc_info,
            TimeStamper("%Y-%m-%dT%H:%M:%S.%fZ", utc=True),
            partial(add_process, {"process": process, "pid": pid, **marks}),
            redact,
            order,
            JSONRenderer(),
        ],
    )


def add_process(marks: Mapping[str, str | int], _: object, __: str, event: EventDict) -> EventDict:
    """Say which process this is."""
    return {**event, **marks}


def redact(_: object, __: str, event: EventDict) -> EventDict:
    """Copy an event into what JSON holds, without secrets and without audio.

    A value whose key is or ends in `token`, `authorization`, `password` or `secret` becomes `***`, at any depth;
    bytes and any other buffer, such as an array of samples, become `<N bytes>`; an object that is unknown becomes
    the name of its type, because its text might show what is in it.
    """
    text = json.dumps(event, default=_shown, skipkeys=True)
    redacted: EventDict = json.loads(text, object_hook=_without_secrets, parse_constant=str)  # no NaN in JSON
    return redacted


def order(_: object, __: str, event: EventDict) -> EventDict:
    """Put what every line has first."""
    return {**{key: event[key] for key in _FIRST_KEYS if key in event}, **event}


def _without_secrets(fields: dict[str, Any]) -> dict[str, Any]:
    return {key: HIDDEN if _SECRET_KEY.fullmatch(key) else value for key, value in fields.items()}


def _shown(value: Any) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, BaseException):
        return f"{type(value).__name__}: {value}".removesuffix(": ")
    if isinstance(value, _SHOWN_AS_TEXT):
        return str(value)
    try:
        return f"<{memoryview(value).nbytes} bytes>"
    except TypeError:
        return f"<{type(value).__name__}>"
