"""Everything that changes where a call stands.

Each function is one transaction's work, and locks the call first: what happens to one call happens in order. A
stage's new state, what that makes of the call, and the events that tell of it are written together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Connection, delete, insert, select, text, update
from sqlalchemy.dialects import postgresql, sqlite

from plugandtell.analytics.database.reading import call_record, states_of
from plugandtell.analytics.database.schema import CALLS, EVENTS, RESULTS, STAGES
from plugandtell.analytics.wire import to_json
from plugandtell.core.call import CallOptions, CallState, Stage, StageState, call_state, may_become
from plugandtell.core.errors import CallNotFound

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy import Table

    from plugandtell.analytics.calls import CallRecord
    from plugandtell.analytics.service import StageResult

_ONE_WRITER_OF_EVENTS = text("SELECT pg_advisory_xact_lock(8022005)")


def add(connection: Connection, call_id: str, audio_url: str, source: str, options: CallOptions, at: datetime) -> bool:
    """See `Calls.add`."""
    row = {
        "call_id": call_id,
        "audio_url": audio_url,
        "source": source,
        "options": to_json(options),
        "state": CallState.WAITING.value,
        "added_at": at,
    }
    if not insert_if_new(connection, CALLS, row):
        return False
    waiting = {"call_id": call_id, "state": StageState.WAITING.value, "changed_at": at}
    none_yet = {"failed": 0, "forgiven": 0, "attempt": 0}
    connection.execute(insert(STAGES), [{**waiting, **none_yet, "stage": stage.value} for stage in Stage])
    _tell(connection, call_id, {None: CallState.WAITING}, at)
    return True


def begin(connection: Connection, call_id: str, stage: Stage, attempt: int, worker: str, at: datetime) -> None:
    """See `Calls.begin`."""
    values = {"attempt": attempt, "worker": worker, "began_at": at}
    _move(connection, call_id, stage, StageState.RUNNING, at, values)


def keep_result(connection: Connection, call_id: str, stage: Stage, result: StageResult, at: datetime) -> bool:
    """See `Calls.keep_result`."""
    if not _move(connection, call_id, stage, StageState.DONE, at):
        return False
    row = {"call_id": call_id, "stage": stage.value, "result": to_json(result), "kept_at": at}
    connection.execute(insert(RESULTS).values(row))
    return True


def mark(connection: Connection, call_id: str, stage: Stage, state: StageState, at: datetime) -> None:
    """See `Calls.mark_retrying` and `Calls.mark_failed`."""
    _move(connection, call_id, stage, state, at)


def settle(connection: Connection, call_id: str, at: datetime) -> CallState:
    """See `Calls.settle`."""
    call = locked(connection, call_id)
    return _settle(connection, call, states_of(connection, call_id), {}, at)


def reset(connection: Connection, call_id: str, at: datetime) -> list[Stage]:
    """See `Calls.reset`."""
    call = locked(connection, call_id)
    states = states_of(connection, call_id)
    failed = [stage for stage in Stage if states[stage] is StageState.FAILED]
    if failed:
        values = {"state": StageState.WAITING.value, "forgiven": STAGES.c.failed, "changed_at": at}
        connection.execute(update(STAGES).where(STAGES.c.call_id == call_id, STAGES.c.stage.in_(failed)).values(values))
        waiting = dict.fromkeys(failed, StageState.WAITING)
        _settle(connection, call, {**states, **waiting}, waiting, at)
    return failed


def remove(connection: Connection, call_id: str) -> bool:
    """See `StoredCalls.delete`. The rest goes with it: the other tables refer to this row."""
    return bool(connection.execute(delete(CALLS).where(CALLS.c.call_id == call_id)).rowcount)


def locked(connection: Connection, call_id: str) -> CallRecord:
    """The call, which nobody else changes until the transaction ends.

    Raises:
        CallNotFound: There is none.
    """
    row = connection.execute(select(CALLS).where(CALLS.c.call_id == call_id).with_for_update()).one_or_none()
    if row is None:
        raise CallNotFound(call_id, "no call")
    return call_record(row)


def insert_if_new(connection: Connection, table: Table, row: Mapping[str, object]) -> bool:
    """Add a row where there is none with the same key; returns whether it is new."""
    dialect_insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    new = dialect_insert(table).values(row).on_conflict_do_nothing().returning(*table.primary_key)
    return connection.execute(new).first() is not None


def _move(
    connection: Connection,
    call_id: str,
    stage: Stage,
    state: StageState,
    at: datetime,
    values: Mapping[str, object] | None = None,
) -> bool:
    call = locked(connection, call_id)
    states = states_of(connection, call_id)
    if not may_become(states[stage], state):
        return False
    changed = {"state": state.value, "changed_at": at, **(values or {})}
    connection.execute(update(STAGES).where(STAGES.c.call_id == call_id, STAGES.c.stage == stage.value).values(changed))
    _settle(connection, call, {**states, stage: state}, {stage: state} if states[stage] is not state else {}, at)
    return True


def _settle(
    connection: Connection,
    call: CallRecord,
    states: Mapping[Stage, StageState],
    moved: Mapping[Stage, StageState],
    at: datetime,
) -> CallState:
    """Write what its stages make of the call, and tell of it and of the stages that moved."""
    state = call_state(states)
    told: dict[Stage | None, StageState | CallState] = dict(moved.items())
    if state is not call.state:
        told[None] = state
        values = {"state": state.value, "ended_at": at if state.is_end else None}
        connection.execute(update(CALLS).where(CALLS.c.call_id == call.call_id).values(values))
    if told:
        _tell(connection, call.call_id, told, at)
    return state


def _tell(
    connection: Connection, call_id: str, told: Mapping[Stage | None, StageState | CallState], at: datetime
) -> None:
    """Write events, last in a transaction.

    Whoever reads on from a number must never find a smaller one later. PostgreSQL gives numbers out before the
    transactions end, so that they take turns from here to their ends; SQLite has one writer anyway.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(_ONE_WRITER_OF_EVENTS)
    rows = [{"call_id": call_id, "stage": stage, "state": state.value, "at": at} for stage, state in told.items()]
    connection.execute(insert(EVENTS), rows)
