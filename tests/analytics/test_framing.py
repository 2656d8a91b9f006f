from __future__ import annotations

import json
import struct
import traceback

import pytest

from plugandtell.analytics.framing import HEAD, MAX_BYTES, BadFrame, Tag, failure, frame, parse_failure, parse_head
from plugandtell.core import errors
from tests.core.test_errors import EXAMPLES


@pytest.mark.parametrize("tag", list(Tag))
def test_a_frame_says_what_it_is_about_and_how_long_it_is(tag: Tag) -> None:
    sent = frame(tag, b"abc")
    assert parse_head(sent[: HEAD.size]) == (tag, 3)
    assert sent[HEAD.size :] == b"abc"


@pytest.mark.parametrize(
    ("head", "complaint"),
    [
        (struct.pack(">BI", 99, 0), "no frame with the tag 99"),
        (struct.pack(">BI", Tag.RESULT, MAX_BYTES + 1), "larger than"),
        (b"Segme", "larger than"),
    ],
)
def test_what_is_no_frame_is_refused(head: bytes, complaint: str) -> None:
    with pytest.raises(BadFrame, match=complaint):
        parse_head(head)


@pytest.mark.parametrize("error", [error for error, _ in EXAMPLES], ids=lambda error: type(error).__name__)
def test_every_error_of_ours_arrives_as_it_was(error: errors.PlugAndTellError) -> None:
    arrived = parse_failure(failure(error, "intent"))
    assert type(arrived) is type(error)
    assert str(arrived) == str(error)


def test_any_other_error_is_an_engine_that_failed_and_where_is_not_lost() -> None:
    try:
        json.loads("no")
    except ValueError as exc:
        arrived = parse_failure(failure(exc, "intent"))
    assert isinstance(arrived, errors.EngineFailed)
    assert str(arrived).startswith("intent failed: JSONDecodeError: Expecting value")
    assert "in raw_decode" in "".join(traceback.format_exception(arrived))


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\xff",
        b"[]",
        b'"x"',
        b"{}",
        b'{"error": "InputEmpty", "args": ["a"], "traceback": ""}',
        b'{"error": "InputEmpty", "args": 3, "traceback": ""}',
        b'{"error": "NoSuch", "args": [], "traceback": ""}',
        b'{"error": "SPEECH", "args": [], "traceback": ""}',
        b'{"error": "__builtins__", "args": [], "traceback": ""}',
        b'{"error": 5, "args": [], "traceback": ""}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_error_is_refused(payload: bytes) -> None:
    with pytest.raises(BadFrame):
        parse_failure(payload)
