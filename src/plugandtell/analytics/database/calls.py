"""The calls as a database keeps them."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from plugandtell.analytics.calls import LONG_AGO
from plugandtell.analytics.database import failures, migrating, reading, stages
from plugandtell.analytics.database.connection import ANSWER_WITHIN_S, Database, database_url
from plugandtell.core.call import StageState

if TYPE_CHECKING:
    import builtins
    from collections.abc import AsyncIterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from plugandtell.analytics.calls import Alert, CallRecord, Change, StageRecord
    from plugandtell.analytics.service import StageResult
    from plugandtell.core.call import CallOptions, CallState, Stage
    from plugandtell.core.failure import Failure

_LOOK_EVERY_S = 0.2
_AT_ONCE = 1000


@asynccontextmanager
async def open_calls(
    url: str | None, data_dir: Path, *, answer_within_s: float = ANSWER_WITHIN_S
) -> AsyncIterator[StoredCalls]:
    """The calls in a database, whose tables are made or brought up to date first.

    Args:
        url: PostgreSQL, as `postgresql://USER:PASSWORD@HOST/NAME`; None for an SQLite file in the data folder.
        data_dir: That folder, made where it is missing.
        answer_within_s: After which a database that hangs is unreachable.

    Raises:
        InvalidSetting: It is another kind of address.
        FolderUnusable: The data folder cannot be made.
        StoreUnreachable: The database does not answer.
        StoreUnusable: It is of a newer version, damaged, or none that can be used.
    """
    database = Database(database_url(url, data_dir), answer_within_s)
    try:
        await migrating.migrate(database)
        yield StoredCalls(database)
    finally:
        await database.close()


class StoredCalls:
    """The port `analytics.calls.Calls`, and what people ask beyond it. Any number of processes may use it at once.

    Work comes twice and late: each method can be called again with the same arguments, and the second time changes
    nothing. `False` says that nothing was changed, which may also be because an earlier call of the same method was
    carried out and its answer was lost: it is no reason to leave out what follows.

    Every method raises `StoreUnreachable` when the database does not answer, `StoreUnusable` when it is damaged, and
    those that ask of or change one call raise `CallNotFound` when there is none: it was deleted meanwhile.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, call_id: str, audio_url: str, source: str, options: CallOptions, at: datetime) -> bool:
        """Take a call in; returns whether it is new. One that is there already stays as it is."""
        return await self._database.write(stages.add, call_id, audio_url, source, options, at)

    async def get(self, call_id: str) -> CallRecord:
        """The call with that id."""
        return await self._database.read(reading.get, call_id)

    async def find(self, prefix: str) -> CallRecord:
        """The call with that id, or the only one whose id begins so.

        Raises:
            CallNotFound: There is none, or there are several.
        """
        return await self._database.read(reading.find, prefix)

    async def list(
        self, state: CallState | None = None, limit: int = 100, before: CallRecord | None = None
    ) -> builtins.list[CallRecord]:
        """Calls, those added last first: all or those in one state, from the top or after `before`."""
        return await self._database.read(reading.page, state, limit, before)

    async def counts(self) -> dict[CallState, int]:
        """How many calls there are in each state."""
        return await self._database.read(reading.counts)

    async def delete(self, call_id: str) -> bool:
        """Remove everything of a call, its results, failures, alerts and events; returns whether there was one."""
        return await self._database.write(stages.remove, call_id)

    async def stages(self, call_id: str) -> dict[Stage, StageRecord]:
        """Where the call stands in each stage."""
        return await self._database.read(reading.stages, call_id)

    async def stage_states(self, call_id: str) -> dict[Stage, StageState]:
        """The same, the states alone."""
        return await self._database.read(reading.states_of, call_id)

    async def begin(self, call_id: str, stage: Stage, attempt: int, worker: str, at: datetime) -> None:
        """Note that an attempt runs in a worker. Changes nothing once the stage is done or failed."""
        await self._database.write(stages.begin, call_id, stage, attempt, worker, at)

    async def keep_result(self, call_id: str, stage: Stage, result: StageResult, at: datetime) -> bool:
        """Keep a stage's result, which makes it done; returns whether it was kept.

        The first result is the one that counts. None is kept where the stage has failed for good.
        """
        return await self._database.write(stages.keep_result, call_id, stage, result, at)

    async def results(self, call_id: str) -> dict[Stage, StageResult]:
        """The results there are; none where there is no such call.

        Raises:
            StoreUnusable: One cannot be read.
        """
        return await self._database.read(reading.results, call_id)

    async def note_failure(self, failure: Failure) -> bool:
        """Keep a failure for good, one for each attempt at a stage, and raise the stage's `failed`; is it new?"""
        return await self._database.write(failures.note_failure, failure)

    async def failures(self, call_id: str | None = None, limit: int | None = None) -> builtins.list[Failure]:
        """The failures of a call, or of all, the first one first; with a limit, only the last so many."""
        return await self._database.read(failures.failures, call_id, limit)

    async def mark_retrying(self, call_id: str, stage: Stage, at: datetime) -> None:
        """Note that another attempt is to come. Changes nothing once the stage is done or failed."""
        await self._database.write(stages.mark, call_id, stage, StageState.RETRYING, at)

    async def mark_failed(self, call_id: str, stage: Stage, at: datetime) -> None:
        """Note that a stage failed for good. Changes nothing once it is done."""
        await self._database.write(stages.mark, call_id, stage, StageState.FAILED, at)

    async def settle(self, call_id: str, at: datetime) -> CallState:
        """What its stages make of the call.

        Whatever changes a stage writes this too, in the same transaction, so that there is nothing to be mended here.
        """
        return await self._database.write(stages.settle, call_id, at)

    async def reset(self, call_id: str, at: datetime) -> builtins.list[Stage]:
        """A person's retry: stages that failed wait again, and what failed is forgiven; returns which."""
        return await self._database.write(stages.reset, call_id, at)

    async def unfinished(
        self, before: datetime, after: str = "", limit: int = _AT_ONCE
    ) -> builtins.list[tuple[CallRecord, dict[Stage, StageRecord]]]:
        """Calls without an end that were added before a time, in the order of their ids, behind the id `after`."""
        return await self._database.read(reading.unfinished, before, after, limit)

    async def raise_alert(self, alert: Alert) -> bool:
        """Keep an alert, one for each last attempt at a stage; returns whether it is new."""
        return await self._database.write(failures.raise_alert, alert)

    async def alerts(self, call_id: str | None = None, limit: int = 100) -> builtins.list[Alert]:
        """Alerts, the last first: of one call or of all."""
        return await self._database.read(failures.alerts, call_id, limit)

    async def pending_alerts(
        self, channels: Sequence[str], since: datetime = LONG_AGO
    ) -> builtins.list[tuple[Alert, str]]:
        """Alerts with a channel, of these, on which they neither went out nor were given up; not all at once."""
        return await self._database.read(failures.pending_alerts, channels, since, _AT_ONCE)

    async def pending_alert(self, alert_id: str, channel: str) -> Alert | None:
        """That alert, if it is there and neither went out on the channel nor was given up there."""
        return await self._database.read(failures.pending_alert, alert_id, channel)

    async def note_delivery(self, alert_id: str, channel: str, at: datetime, error: str | None = None) -> None:
        """Note that an alert went out on a channel, or was given up there because of `error`. The first word counts."""
        await self._database.write(failures.note_delivery, alert_id, channel, at, error)

    async def deliveries(self, call_id: str) -> dict[tuple[str, str], str | None]:
        """By alert and channel, how a call's alerts ended: with None where it went out, or why it was given up."""
        return await self._database.read(failures.deliveries, call_id)

    async def last_change(self) -> int:
        """The place of the last change; 0 before the first. Whoever wants what comes from now on begins there."""
        return await self._database.read(reading.last_change)

    async def changes_since(self, seq: int, call_id: str | None = None, limit: int = _AT_ONCE) -> builtins.list[Change]:
        """What happened after a place in the order of changes, to a call or to all; `limit` at once."""
        return await self._database.read(reading.changes_since, seq, call_id, limit)

    async def watch(
        self, seq: int, call_id: str | None = None, every_s: float = _LOOK_EVERY_S
    ) -> AsyncIterator[Change]:
        """What happened after that place and what goes on to happen, without an end.

        The database is asked every `every_s`, so that a change in any process on any machine is seen.
        """
        while True:
            changes = await self.changes_since(seq, call_id)
            for change in changes:
                seq = change.seq
                yield change
            if not changes:
                await asyncio.sleep(every_s)
