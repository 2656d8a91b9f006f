"""Everything that is read of calls. Each function is one transaction's work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, func, select, tuple_

from plugandtell.analytics.calls import CallRecord, Change, StageRecord
from plugandtell.analytics.database.schema import CALLS, EVENTS, RESULTS, STAGES
from plugandtell.analytics.service import RESULT_OF, StageResult
from plugandtell.analytics.wire import Unreadable, from_json
from plugandtell.core.call import CallOptions, CallState, Stage, StageState
from plugandtell.core.errors import CallNotFound, StoreUnusable

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

_LAST = "\U0010ffff"  # sorts after every other character


def get(connection: Connection, call_id: str) -> CallRecord:
    """See `Calls.get`."""
    row = connection.execute(select(CALLS).where(CALLS.c.call_id == call_id)).one_or_none()
    if row is None:
        raise CallNotFound(call_id, "no call")
    return call_record(row)


def find(connection: Connection, prefix: str) -> CallRecord:
    """See `StoredCalls.find`."""
    begins_so = (CALLS.c.call_id >= prefix, CALLS.c.call_id <= prefix + _LAST)
    query = select(CALLS).where(*begins_so).order_by(CALLS.c.call_id).limit(2)
    rows = connection.execute(query).all() if prefix else []
    if not rows:
        raise CallNotFound(prefix, "no call that begins with")
    if len(rows) > 1 and rows[0].call_id != prefix:
        raise CallNotFound(prefix, "more than one call that begins with")
    return call_record(rows[0])


def page(connection: Connection, state: CallState | None, limit: int, before: CallRecord | None) -> list[CallRecord]:
    """See `StoredCalls.list`."""
    query = select(CALLS).order_by(CALLS.c.added_at.desc(), CALLS.c.call_id.desc()).limit(limit)
    if state is not None:
        query = query.where(CALLS.c.state == state.value)
    if before is not None:
        query = query.where(tuple_(CALLS.c.added_at, CALLS.c.call_id) < (before.added_at, before.call_id))
    return [call_record(row) for row in connection.execute(query)]


def counts(connection: Connection) -> dict[CallState, int]:
    """See `StoredCalls.counts`."""
    rows = connection.execute(select(CALLS.c.state, func.count()).group_by(CALLS.c.state))
    found = {CallState(state): number for state, number in rows}
    return {state: found.get(state, 0) for state in CallState}


def stages(connection: Connection, call_id: str) -> dict[Stage, StageRecord]:
    """See `Calls.stages`."""
    rows = connection.execute(select(STAGES).where(STAGES.c.call_id == call_id)).all()
    if not rows:
        raise CallNotFound(call_id, "no call")
    return _by_stage(rows)


def states_of(connection: Connection, call_id: str) -> dict[Stage, StageState]:
    """See `StoredCalls.stage_states`."""
    return {stage: record.state for stage, record in stages(connection, call_id).items()}


def results(connection: Connection, call_id: str) -> dict[Stage, StageResult]:
    """See `Calls.results`."""
    rows = connection.execute(select(RESULTS.c.stage, RESULTS.c.result).where(RESULTS.c.call_id == call_id))
    found = {Stage(stage): result for stage, result in rows}
    return {stage: _result(call_id, stage, found[stage]) for stage in Stage if stage in found}


def unfinished(
    connection: Connection, before: datetime, after: str, limit: int
) -> list[tuple[CallRecord, dict[Stage, StageRecord]]]:
    """See `Calls.unfinished`."""
    query = (
        select(CALLS)
        .where(CALLS.c.ended_at.is_(None), CALLS.c.added_at < before, CALLS.c.call_id > after)
        .order_by(CALLS.c.call_id)
        .limit(limit)
    )
    calls = [call_record(row) for row in connection.execute(query)]
    found = select(STAGES).where(STAGES.c.call_id.in_([call.call_id for call in calls]))
    rows: dict[str, list[Row[Any]]] = {}
    for row in connection.execute(found):
        rows.setdefault(row.call_id, []).append(row)
    # In PostgreSQL, a call may be deleted between one query and the next.
    return [(call, _by_stage(rows[call.call_id])) for call in calls if call.call_id in rows]


def changes_since(connection: Connection, cursor: int, call_id: str | None, limit: int) -> list[Change]:
    """See `Calls.changes_since`."""
    query = select(EVENTS).where(EVENTS.c.seq > cursor).order_by(EVENTS.c.seq).limit(limit)
    if call_id is not None:
        query = query.where(EVENTS.c.call_id == call_id)
    return [_change(row) for row in connection.execute(query)]


def last_change(connection: Connection) -> int:
    """See `StoredCalls.last_change`."""
    return int(connection.execute(select(func.coalesce(func.max(EVENTS.c.seq), 0))).scalar_one())


def call_record(row: Row[Any]) -> CallRecord:
    """A row of `calls`."""
    return CallRecord(
        call_id=row.call_id,
        audio_url=row.audio_url,
        source=row.source,
        options=from_json(row.options, CallOptions),
        state=CallState(row.state),
        added_at=row.added_at,
        ended_at=row.ended_at,
    )


def _by_stage(rows: Iterable[Row[Any]]) -> dict[Stage, StageRecord]:
    found = {row.stage: _stage_record(row) for row in rows}
    return {stage: found[stage] for stage in Stage}


def _stage_record(row: Row[Any]) -> StageRecord:
    return StageRecord(
        state=StageState(row.state),
        failed=row.failed,
        forgiven=row.forgiven,
        attempt=row.attempt,
        worker=row.worker,
        began_at=row.began_at,
        changed_at=row.changed_at,
    )


def _change(row: Row[Any]) -> Change:
    if row.stage is None:
        return Change(row.seq, row.call_id, None, CallState(row.state), row.at)
    return Change(row.seq, row.call_id, Stage(row.stage), StageState(row.state), row.at)


def _result(call_id: str, stage: Stage, text: str) -> StageResult:
    try:
        return from_json(text, RESULT_OF[stage])
    except Unreadable as exc:
        cause = f"the result of {stage} of call {call_id} cannot be read ({exc})"
        raise StoreUnusable("database", cause, "delete the call and submit it again") from exc
