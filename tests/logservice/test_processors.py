from __future__ import annotations

import json
import logging
import re
from array import array
from dataclasses import dataclass
from enum import Enum, IntEnum, StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugandtell.logservice import bound_contextvars
from plugandtell.logservice.processors import json_formatter, redact

if TYPE_CHECKING:
    from types import TracebackType

SAMPLES = np.arange(320, dtype=np.int16)


class Reason(StrEnum):
    SILENCE = "silence"


class Code(IntEnum):
    BUSY = 1013


class State(Enum):
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Chunk:
    index: int
    payload: bytes
    token: str


class Unknown:
    def __repr__(self) -> str:
        return repr(SAMPLES.tobytes())


class InvalidMessage(Exception):
    """Stands for the exception of this name: raised by websockets, which is not imported here."""

    __module__ = "websockets.exceptions"


def redacted(**fields: object) -> dict[str, Any]:
    return dict(redact(None, "info", fields))


def raised(exc: Exception) -> tuple[type[BaseException], BaseException, TracebackType | None]:
    try:
        raise exc  # noqa: TRY301 - for its traceback
    except Exception as caught:  # noqa: BLE001
        return type(caught), caught, caught.__traceback__


def line(
    name: str, text: object, args: tuple[object, ...] = (), exc: Exception | None = None, level: int = logging.ERROR
) -> str:
    """The JSON line of a record of another library."""
    exc_info = raised(exc) if exc else None
    return json_formatter("client", 7).format(logging.LogRecord(name, level, __file__, 1, text, args, exc_info))


def fields_of(line: str) -> dict[str, Any]:
    """What stands on a line besides what every line has."""
    common = ("timestamp", "level", "event", "process", "pid")
    return {key: value for key, value in json.loads(line).items() if key not in common}


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, None),
        (True, True),
        (7, 7),
        (1.5, 1.5),
        (float("inf"), "Infinity"),
        (np.float64(0.5), 0.5),
        ("text", "text"),
        (Reason.SILENCE, "silence"),
        (Code.BUSY, 1013),
        (State.OPEN, "open"),
        (Path("a") / "b", str(Path("a") / "b")),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        ((1, "b"), [1, "b"]),
        ({"a": {1: None}}, {"a": {"1": None}}),
        (OSError("disk full"), "OSError: disk full"),
        (TimeoutError(), "TimeoutError"),
        (Unknown(), "<Unknown>"),
        (Chunk(3, b"1234", "abc"), {"index": 3, "payload": "<4 bytes>", "token": "***"}),
    ],
)
def test_values_become_what_json_holds(value: object, shown: object) -> None:
    assert redacted(value=value) == {"value": shown}


@pytest.mark.parametrize(
    "audio",
    [SAMPLES.tobytes(), bytearray(640), memoryview(SAMPLES.tobytes()), array("h", SAMPLES), SAMPLES, SAMPLES[::-1]],
)
def test_audio_becomes_its_size(audio: object) -> None:
    assert redacted(value={"deep": [(audio,)]}) == {"value": {"deep": [["<640 bytes>"]]}}


@pytest.mark.parametrize("key", ["token", "Authorization", "password", "secret", "auth_token", "X-Client-Secret"])
def test_secrets_are_hidden_at_any_depth(key: str) -> None:
    assert redacted(**{key: "s3cret"}) == {key: "***"}
    assert redacted(headers=[{key: ["s3cret"]}]) == {"headers": [{key: "***"}]}


def test_what_only_sounds_like_a_secret_is_shown() -> None:
    assert redacted(tokens=3, token_count=4) == {"tokens": 3, "token_count": 4}


_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner),
)


@given(_ANYTHING)
def test_everything_fits_into_strict_json(value: object) -> None:
    found = redacted(value=value)
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_the_keys_of_a_line() -> None:
    with bound_contextvars(address="::1", client="c", segment_id="g", stream_id="s", level="mine"):
        found = json.loads(line("asyncio", "slow", level=logging.WARNING))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", found["timestamp"])
    assert list(found.items())[1:] == [
        ("level", "warning"),
        ("event", "slow"),
        ("process", "client"),
        ("pid", 7),
        ("stream_id", "s"),
        ("segment_id", "g"),
        ("client", "c"),
        ("logger", "asyncio"),
        ("address", "::1"),
    ]


def test_a_line_is_ascii_without_control_characters() -> None:
    with bound_contextvars(label="é\x1b\x9b\u202e\ud800\n"):
        assert re.fullmatch(r"[ -~]+", line("asyncio", "x\n"))


def test_the_text_of_another_library() -> None:
    found = json.loads(line("asyncio", "task %s took %.1f s", ("x", 1.25)))
    assert found["event"] == "task x took 1.2 s"


def test_an_unexpected_error_has_its_traceback() -> None:
    trace = fields_of(line("asyncio", "Task exception was never retrieved", exc=ValueError("why")))["exception"]
    assert trace.startswith("Traceback")
    assert trace.endswith("ValueError: why")


@pytest.mark.parametrize(
    ("text", "exc"),
    [
        ("connection handler failed", OSError("disk full")),
        ("opening handshake failed", KeyError("a bug in our own code")),
    ],
)
def test_a_bug_in_the_server_keeps_its_traceback(text: str, exc: Exception) -> None:
    assert "exception" in fields_of(line("websockets.server", text, exc=exc))
