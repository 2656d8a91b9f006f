from __future__ import annotations

from datetime import UTC, datetime

import pytest

from plugandtell.analytics.wire import Unreadable, from_json, to_json
from plugandtell.core.call import CallOptions, Stage
from plugandtell.core.failure import Failure, FailureKind
from plugandtell.core.message import Envelope, ErrorInfo, Status, Task
from plugandtell.core.transcript import Engine, Party, Span, Transcript, Turn, Word

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
FAILURE = Failure("7f", Stage.INTENT, 2, FailureKind.TRANSIENT, "EngineFailed", "x", "", "", "host-1", NOON)
TASK = Task("7f", Stage.INTENT, "file:///a.wav", FAILURE)
ENVELOPE = Envelope("7f_intent", NOON, "Intent", TASK, ErrorInfo("x", 500, ""), Status.FAILED, 2)
WORD = Word("Bonjour,", Span(0, 400), 0.9)
TRANSCRIPT = Transcript(
    9000, (Party.SPEAKER,), "fr", (Turn(Party.SPEAKER, Span(0, 400), "Bonjour,", (WORD,)),), Engine("x", "1")
)


@pytest.mark.parametrize("value", [ENVELOPE, TRANSCRIPT, CallOptions("fr", started_at=NOON)])
def test_what_is_written_is_read_back(value: Envelope | Transcript | CallOptions) -> None:
    assert from_json(to_json(value), type(value)) == value


def test_unknown_fields_are_ignored_so_that_formats_can_grow() -> None:
    assert from_json(to_json(ENVELOPE).replace("{", '{"later":1,', 1), Envelope) == ENVELOPE


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "truncated"),
        ("[]", "Expected `object`"),
        (to_json(ENVELOPE).replace('"retry_count":2', '"retry_count":"2"'), "retry_count"),
        (to_json(ENVELOPE).replace('"version":1', '"version":2'), "the version is 2"),
        (to_json(ENVELOPE).replace('"stage":"intent"', '"stage":"mood"'), "Invalid enum value 'mood'"),
        (to_json(ENVELOPE).replace('"call_id":"7f",', "", 1), "call_id"),
        (b"\xff{", "JSON"),
        ('{"later":' + "[" * 100_000, "ecursion"),
    ],
)
def test_what_is_something_else_is_refused_with_the_place(text: str | bytes, complaint: str) -> None:
    with pytest.raises(Unreadable, match=complaint):
        from_json(text, Envelope)
