from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from plugandtell.logservice import bound_contextvars
from plugandtell.logservice.processors import entry_of

if TYPE_CHECKING:
    from types import TracebackType


class InvalidMessage(Exception):
    """Stands for the exception of this name: raised by websockets, which is not imported here."""

    __module__ = "websockets.exceptions"


def raised(exc: Exception) -> tuple[type[BaseException], BaseException, TracebackType | None]:
    try:
        raise exc  # noqa: TRY301 - for its traceback
    except Exception as caught:  # noqa: BLE001
        return type(caught), caught, caught.__traceback__


def record(
    name: str, text: object, args: tuple[object, ...] = (), exc: Exception | None = None, level: int = logging.ERROR
) -> logging.LogRecord:
    return logging.LogRecord(name, level, __file__, 1, text, args, raised(exc) if exc else None)


def test_the_records_of_other_libraries() -> None:
    found = record("asyncio", "task %s took %.1f s", ("x", 1.25), level=logging.WARNING)
    entry = entry_of(found)
    assert (entry.created_s, entry.level, entry.event) == (found.created, "warning", "task x took 1.2 s")
    assert entry.fields == {"logger": "asyncio"}


def test_the_ids_of_the_task_are_on_the_records_of_other_libraries() -> None:
    with bound_contextvars(stream="s"):
        assert entry_of(record("asyncio", "x")).fields == {"stream": "s", "logger": "asyncio"}


def test_arguments_that_do_not_fit() -> None:
    assert entry_of(record("asyncio", "%d", ("x",))).event == "%d"


def test_an_unexpected_error_has_its_traceback() -> None:
    entry = entry_of(record("asyncio", "Task exception was never retrieved", exc=ValueError("why")))
    trace = entry.fields["exception"]
    assert isinstance(trace, str)
    assert trace.startswith("Traceback")
    assert trace.endswith("ValueError: why")


@pytest.mark.parametrize("logger", ["websockets.server", "websockets.client"])
@pytest.mark.parametrize(
    ("exc", "error"),
    [
        (
            InvalidMessage("did not receive a valid HTTP request"),
            "InvalidMessage: did not receive a valid HTTP request",
        ),
        (TimeoutError(), "TimeoutError"),
        (EOFError("connection closed"), "EOFError: connection closed"),
        (ConnectionResetError("gone"), "ConnectionResetError: gone"),
    ],
)
def test_a_failed_handshake_is_one_line(logger: str, exc: Exception, error: str) -> None:
    entry = entry_of(record(logger, "opening handshake failed", exc=exc))
    assert entry.level == "error"
    assert entry.event == "opening handshake failed"
    assert entry.fields == {"logger": logger, "error": error}


@pytest.mark.parametrize(
    ("text", "exc"),
    [
        ("connection handler failed", OSError("disk full")),
        ("opening handshake failed", KeyError("a bug in our own code")),
    ],
)
def test_a_bug_in_the_server_keeps_its_traceback(text: str, exc: Exception) -> None:
    assert "exception" in entry_of(record("websockets.server", text, exc=exc)).fields
