from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from plugandtell.core.call import Stage
from plugandtell.core.message import Envelope, Status, Task, message_id

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
