"""The envelope of everything that goes through a queue.

A message is small: it names the call, the stage and where the audio is. Results do not travel in it: they are kept
once, under (call, stage), and read from there.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from plugandtell.core.call import Stage
from plugandtell.core.failure import Failure

VERSION: Final = 1
"""Of the envelope. A reader refuses any other, and leaves the message where it is for one that knows it."""


class Status(StrEnum):
    """Where the work that a message is about stands."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    PROCESSED = "processed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be done: a stage of a call.

    Attributes:
        call_id: The call.
        stage: The stage.
        audio_url: Where its audio is.
        failure: Why it comes by way of the retry queue; None in a stage's own queue.
    """

    call_id: str
    stage: Stage
    audio_url: str
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class ErrorInfo:
    """An error as other programs read it: `code` as HTTP counts, 4xx the call's own fault and 5xx ours."""

    message: str
    code: int
    details: str


@dataclass(frozen=True, slots=True)
class Envelope:
    """One message.

    Attributes:
        message_id: Unique, and the same however often the same message is sent: `CALL_transcription`.
        timestamp: When it was made, in UTC.
        source_service: The service that made it.
        payload: The task.
        error: Why the last attempt failed; None if none has.
        status: Where the work stands.
        retry_count: Attempts that failed so far.
        version: Of this format.

    Raises:
        ValueError: It has another version, the status and the error contradict one another, or the count is negative.
    """

    message_id: str
    timestamp: datetime
    source_service: str
    payload: Task
    error: ErrorInfo | None = None
    status: Status = Status.PENDING
    retry_count: int = 0
    version: int = VERSION

    def __post_init__(self) -> None:
        if self.version != VERSION:
            raise ValueError(f"the version is {self.version}, but this program reads {VERSION}")
        if self.retry_count < 0:
            raise ValueError(f"retry_count is {self.retry_count}, but must not be negative")
        if self.status is Status.FAILED and self.error is None:
            raise ValueError("a message that failed says why in its error")
        if self.timestamp.utcoffset() is None:
            raise ValueError(f"the timestamp {self.timestamp.isoformat()} has no offset from UTC")


def message_id(call_id: str, stage: Stage) -> str:
    """The id of the message that has a stage done."""
    return f"{call_id}_{stage.value}"
