from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from plugandtell.core.call import Stage
from plugandtell.core.failure import Failure, FailureKind
from plugandtell.core.message import Attempt, Envelope, Status, Task, attempt_of, failed, message_id, pending

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def envelope(**fields: Any) -> Envelope:
    task = Task("7f", Stage.TRANSCRIPTION, "file:///audio/a.wav")
    known: dict[str, Any] = {"message_id": "m", "timestamp": NOON, "source_service": "x", "payload": task}
    return Envelope(**(known | fields))


def test_a_message_is_named_after_its_call_and_stage() -> None:
    assert message_id("call_12345", Stage.TRANSCRIPTION) == "call_12345_transcription"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"version": 2}, "the version is 2"),
        ({"retry_count": -1}, "retry_count is -1"),
        ({"status": Status.FAILED}, "says why"),
        ({"timestamp": datetime(2026, 11, 24, 12)}, "no offset"),  # noqa: DTZ001
    ],
)
def test_a_message_that_contradicts_itself_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        envelope(**fields)


SECOND = Attempt("7f", Stage.FEATURES, 2)


def test_jobs_are_named_after_the_attempt_and_what_becomes_of_it() -> None:
    assert SECOND.job_id == "7f.features.2"
    assert {SECOND.report_id, SECOND.return_id} == {"7f.features.2.failed", "7f.features.2.again"}
    assert SECOND.next.before == SECOND


def test_a_message_to_make_an_attempt_names_it_and_counts_the_failures_before() -> None:
    message = pending(SECOND, "file:///a", "x", NOON)
    assert attempt_of(message) == SECOND
    assert (message.status, message.retry_count, message.error) == (Status.PENDING, 1, None)


@pytest.mark.parametrize(
    ("kind", "code"), [(FailureKind.TRANSIENT, 503), (FailureKind.PERMANENT, 422), (FailureKind.POISON, 500)]
)
def test_a_report_says_what_another_program_needs(kind: FailureKind, code: int) -> None:
    failure = Failure("7f", Stage.FEATURES, 2, kind, "E", "no luck", "more", "", "w", NOON)
    message = failed(SECOND, "file:///a", "x", failure)
    assert attempt_of(message) == SECOND
    assert message.error is not None
    assert (message.error.code, message.error.message, message.error.details) == (code, "no luck", "more")
    assert (message.status, message.retry_count, message.payload.failure) == (Status.FAILED, 2, failure)
