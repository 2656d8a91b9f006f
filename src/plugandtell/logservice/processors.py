"""From a call of a logger, ours or the standard library's, to an `Entry`.

Both ways run in the task that logs, so that the ids bound there are on the line, and so that later changes are not.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from structlog.contextvars import get_contextvars
from structlog.processors import StackInfoRenderer, format_exc_info

from plugandtell.logservice.entry import Entry, plain, plain_fields

if TYPE_CHECKING:
    import logging
    from collections.abc import MutableMapping

    from structlog.typing import Processor

LOGGER_NAME = "logger_name"  # structlog keeps the name `logger` to itself until an event is on its way
_WEBSOCKETS = "websockets"
_PEER_ERRORS = (OSError, EOFError)  # a TimeoutError is an OSError


def hand_over(_: object, level: str, event: MutableMapping[str, Any]) -> tuple[tuple[Entry], dict[str, Any]]:
    """The last processor: the arguments of the standard library's logger, an `Entry` in place of a text."""
    if LOGGER_NAME in event:
        event["logger"] = event.pop(LOGGER_NAME)
    return (_entry(time.time(), level, event),), {}


CHAIN: tuple[Processor, ...] = (StackInfoRenderer(), format_exc_info, hand_over)


def entry_of(record: logging.LogRecord) -> Entry:
    """What a record of the standard library says: our own `Entry`, or that of another library.

    Other libraries' entries get the field `logger`. A failed opening handshake, of which anybody who can reach the
    port can cause as many as they like, gets the field `error` instead of a traceback.
    """
    if isinstance(record.msg, Entry):
        return record.msg
    event: MutableMapping[str, Any] = {"event": _text_of(record), "logger": record.name}
    exception = record.exc_info[1] if record.exc_info else None
    if exception is not None and _is_failed_handshake(record, exception):
        event["error"] = exception
    elif record.exc_info:
        event["exc_info"] = record.exc_info
    if record.stack_info:
        event["stack"] = record.stack_info
    level = record.levelname.lower()
    return _entry(record.created, level, format_exc_info(None, level, event))


def _entry(created_s: float, level: str, event: MutableMapping[str, Any]) -> Entry:
    name = plain(event.pop("event", ""))
    return Entry(
        created_s, level, name if isinstance(name, str) else str(name), plain_fields({**get_contextvars(), **event})
    )


def _text_of(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError):  # arguments that do not fit the text: show the text alone
        return str(record.msg)


def _is_failed_handshake(record: logging.LogRecord, exception: BaseException) -> bool:
    return (
        record.name.partition(".")[0] == _WEBSOCKETS
        and "handshake failed" in str(record.msg)
        and (isinstance(exception, _PEER_ERRORS) or type(exception).__module__.startswith(f"{_WEBSOCKETS}."))
    )
