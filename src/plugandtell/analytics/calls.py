"""What the engine asks of the database: every call, where it stands, its results, its failures and its alerts.

The database has the word: a queue may lose a job, deliver it twice or late, and what is kept here still says what is
owed. Everything may therefore be asked twice, by several processes at once, and the second time does no harm.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Protocol

from plugandtell.analytics.service import StageResult
from plugandtell.core.call import CallOptions, CallState, Stage, StageState
from plugandtell.core.failure import Failure

LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class CallRecord:
    """A call as it was submitted, and where it stands.

    Attributes:
        call_id: The call.
        audio_url: Where its audio is.
        source: What it is of, as the user named it.
        options: What whoever submitted it knows about it.
        state: Where it stands as a whole.
        added_at: When it was submitted, in UTC.
        ended_at: When it reached its end; None before.
    """

    call_id: str
    audio_url: str
    source: str
    options: CallOptions
    state: CallState
    added_at: datetime
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class StageRecord:
    """Where a call stands in one stage.

    Attempts are numbered from 1 and never start over, so that (call, stage, attempt) names one attempt for good.

    Attributes:
        state: Where it stands.
        failed: The number of the last attempt that failed; 0 where none has.
        forgiven: What `failed` was when a person last asked for another try: rules for retries count from there.
        attempt: The number of the attempt that began last; 0 before the first.
        worker: Which worker began it; None before the first.
        began_at: When, in UTC; None before the first.
        changed_at: When the state changed last, in UTC; None where that is not known.
    """

    state: StageState = StageState.WAITING
    failed: int = 0
    forgiven: int = 0
    attempt: int = 0
    worker: str | None = None
    began_at: datetime | None = None
    changed_at: datetime | None = None

    @property
    def next_attempt(self) -> int:
        """The number of the attempt that runs, or comes next."""
        return self.failed + 1


@dataclass(frozen=True, slots=True)
class Alert:
    """A stage of a call has failed for good, and somebody should look at it.

    Attributes:
        call_id: The call.
        stage: Where.
        attempt: The last one, which makes the alert unique.
        message: Why, in plain words.
        at: When, in UTC.
    """

    call_id: str
    stage: Stage
    attempt: int
    message: str
    at: datetime

    @property
    def alert_id(self) -> str:
        """Names it, the same however often it is sent."""
        return f"{self.call_id}.{self.stage.value}.{self.attempt}"


@dataclass(frozen=True, slots=True)
class Change:
    """Something happened to a call.

    Attributes:
        seq: Its place in the order of all changes, from 1 on.
        call_id: The call.
        stage: The stage whose state it is; None for the call as a whole.
        state: The new state: one of `StageState` for a stage, of `CallState` for the call.
        at: When, in UTC.
    """

    seq: int
    call_id: str
    stage: Stage | None
    state: StageState | CallState
    at: datetime


class Calls(Protocol):
    """All of it. Every method raises StoreUnreachable where the database does not answer: try again."""

    async def add(self, call_id: str, audio_url: str, source: str, options: CallOptions, at: datetime) -> bool:
        """Take a call in; False if it is there already, and nothing changes."""
        ...

    async def get(self, call_id: str) -> CallRecord:
        """A call; raises CallNotFound."""
        ...

    async def stages(self, call_id: str) -> Mapping[Stage, StageRecord]:
        """Where it stands in each of the four stages."""
        ...

    async def begin(self, call_id: str, stage: Stage, attempt: int, worker: str, at: datetime) -> None:
        """An attempt runs in a worker. Changes nothing once the stage is done or failed."""
        ...

    async def keep_result(self, call_id: str, stage: Stage, result: StageResult, at: datetime) -> bool:
        """The stage is done; False if it had a result or had failed for good already, and nothing changes."""
        ...

    async def results(self, call_id: str) -> Mapping[Stage, StageResult]:
        """What is done so far."""
        ...

    async def note_failure(self, failure: Failure) -> bool:
        """Keep it for good; False if (call, stage, attempt) has one already. Raises the stage's `failed`."""
        ...

    async def failures(self, call_id: str | None = None, limit: int | None = None) -> Sequence[Failure]:
        """The failures of a call, or of all, the first one first; with a limit, only the last so many."""
        ...

    async def mark_retrying(self, call_id: str, stage: Stage, at: datetime) -> None:
        """Another attempt is to come. Changes nothing once the stage is done or failed."""
        ...

    async def mark_failed(self, call_id: str, stage: Stage, at: datetime) -> None:
        """The stage failed for good. Changes nothing once it is done."""
        ...

    async def settle(self, call_id: str, at: datetime) -> CallState:
        """Make the call's state what its stages make of it (`core.call.call_state`), and say it."""
        ...

    async def raise_alert(self, alert: Alert) -> bool:
        """Keep an alert; False if it is there already."""
        ...

    async def alerts(self, call_id: str | None = None, limit: int = 100) -> Sequence[Alert]:
        """Alerts, the last first: of one call or of all."""
        ...

    async def note_delivery(self, alert_id: str, channel: str, at: datetime, error: str | None = None) -> None:
        """An alert went out on a channel (`log`, `webhook`, `command`), or was given up there because of `error`."""
        ...

    async def pending_alerts(self, channels: Sequence[str], since: datetime = LONG_AGO) -> Sequence[tuple[Alert, str]]:
        """Alerts raised from then on, with a channel, of these, on which they neither went out nor were given up."""
        ...

    async def pending_alert(self, alert_id: str, channel: str) -> Alert | None:
        """That alert; None where it went out on the channel or was given up there, or there is no such alert."""
        ...

    async def reset(self, call_id: str, at: datetime) -> Sequence[Stage]:
        """A person wants another try: failed stages wait again, and all that failed is forgiven; says which."""
        ...

    async def unfinished(
        self, before: datetime, after: str, limit: int
    ) -> Sequence[tuple[CallRecord, Mapping[Stage, StageRecord]]]:
        """Calls without an end that were submitted before a time, in the order of their ids, behind the id `after`."""
        ...

    async def changes_since(self, seq: int, call_id: str | None = None) -> Sequence[Change]:
        """What happened after a place in the order of changes, to a call or to all; not all at once."""
        ...
