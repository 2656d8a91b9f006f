"""The envelope of everything that goes through a queue.

A message is small: it names the call, the stage and where the audio is. Results do not travel in it: they are kept
once, under (call, stage), and read from there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from plugandtell.core.call import Stage
from plugandtell.core.failure import Failure, FailureKind

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


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at one stage of one call: what a job in a queue is about.

    Attributes:
        call_id: The call.
        stage: The stage.
        number: Counted from 1, through a person's retry as well.
    """

    call_id: str
    stage: Stage
    number: int

    @property
    def job_id(self) -> str:
        """Of the job that makes the attempt, in the queue of its stage."""
        return f"{self.call_id}.{self.stage.value}.{self.number}"

    @property
    def report_id(self) -> str:
        """Of the job in the retry queue that tells of its failure."""
        return f"{self.job_id}.failed"

    @property
    def return_id(self) -> str:
        """Of the job in the retry queue that waits until the attempt is due."""
        return f"{self.job_id}.again"

    @property
    def next(self) -> Attempt:
        """The attempt after this one."""
        return replace(self, number=self.number + 1)

    @property
    def before(self) -> Attempt:
        """The attempt before this one; number 0, which was never made, before the first."""
        return replace(self, number=self.number - 1)


def attempt_of(envelope: Envelope) -> Attempt:
    """The attempt that a message is about: the one that failed, or the next one to be made."""
    task = envelope.payload
    number = envelope.retry_count if envelope.status is Status.FAILED else envelope.retry_count + 1
    return Attempt(task.call_id, task.stage, number)


def pending(attempt: Attempt, audio_url: str, source_service: str, at: datetime) -> Envelope:
    """The message that has an attempt made."""
    return Envelope(
        message_id=message_id(attempt.call_id, attempt.stage),
        timestamp=at,
        source_service=source_service,
        payload=Task(attempt.call_id, attempt.stage, audio_url),
        retry_count=attempt.number - 1,
    )


_CODE_OF: Final = {FailureKind.TRANSIENT: 503, FailureKind.PERMANENT: 422, FailureKind.POISON: 500}


def failed(attempt: Attempt, audio_url: str, source_service: str, failure: Failure) -> Envelope:
    """The message that tells of an attempt's failure."""
    return Envelope(
        message_id=message_id(attempt.call_id, attempt.stage),
        timestamp=failure.at,
        source_service=source_service,
        payload=Task(attempt.call_id, attempt.stage, audio_url, failure),
        error=ErrorInfo(failure.message, _CODE_OF[failure.kind], failure.details),
        status=Status.FAILED,
        retry_count=attempt.number,
    )
