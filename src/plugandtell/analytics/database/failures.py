"""What went wrong, kept for good, and the alerts that come of it. Each function is one transaction's work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, Select, exists, select, update

from plugandtell.analytics.calls import Alert
from plugandtell.analytics.database.schema import ALERTS, DELIVERIES, FAILURES, STAGES
from plugandtell.analytics.database.stages import insert_if_new, locked
from plugandtell.core.call import Stage
from plugandtell.core.failure import Failure, FailureKind

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

_LONGEST_TEXT = 100_000


def note_failure(connection: Connection, failure: Failure) -> bool:
    """See `Calls.note_failure`."""
    locked(connection, failure.call_id)
    row: dict[str, object] = {
        "call_id": failure.call_id,
        "stage": failure.stage.value,
        "attempt": failure.attempt,
        "kind": failure.kind.value,
        "failed_at": failure.at,
    }
    texts = {name: _storable(getattr(failure, name)) for name in ("error", "message", "details", "traceback", "worker")}
    if not insert_if_new(connection, FAILURES, row | texts):
        return False
    stage = (STAGES.c.call_id == failure.call_id, STAGES.c.stage == failure.stage.value)
    raised = update(STAGES).where(*stage, STAGES.c.failed < failure.attempt).values(failed=failure.attempt)
    connection.execute(raised)
    return True


def failures(connection: Connection, call_id: str | None, limit: int | None) -> list[Failure]:
    """See `Calls.failures`."""
    query = select(FAILURES).order_by(FAILURES.c.failed_at.desc(), FAILURES.c.failure_id.desc()).limit(limit)
    if call_id is not None:
        query = query.where(FAILURES.c.call_id == call_id)
    return [_failure(row) for row in connection.execute(query).all()[::-1]]


def raise_alert(connection: Connection, alert: Alert) -> bool:
    """See `Calls.raise_alert`."""
    locked(connection, alert.call_id)
    row = {
        "alert_id": alert.alert_id,
        "call_id": alert.call_id,
        "stage": alert.stage.value,
        "attempt": alert.attempt,
        "message": _storable(alert.message),
        "raised_at": alert.at,
    }
    return insert_if_new(connection, ALERTS, row)


def alerts(connection: Connection, call_id: str | None, limit: int) -> list[Alert]:
    """See `StoredCalls.alerts`."""
    query = select(ALERTS).order_by(ALERTS.c.raised_at.desc(), ALERTS.c.alert_id.desc()).limit(limit)
    if call_id is not None:
        query = query.where(ALERTS.c.call_id == call_id)
    return [_alert(row) for row in connection.execute(query)]


def pending_alerts(
    connection: Connection, channels: Sequence[str], since: datetime, limit: int
) -> list[tuple[Alert, str]]:
    """See `Calls.pending_alerts`."""
    pending: list[tuple[Alert, str]] = []
    for channel in channels:
        query = _pending_on(channel).where(ALERTS.c.raised_at >= since).order_by(ALERTS.c.raised_at, ALERTS.c.alert_id)
        pending += [(_alert(row), channel) for row in connection.execute(query.limit(limit))]
    return pending


def pending_alert(connection: Connection, alert_id: str, channel: str) -> Alert | None:
    """See `Calls.pending_alert`."""
    row = connection.execute(_pending_on(channel).where(ALERTS.c.alert_id == alert_id)).first()
    return None if row is None else _alert(row)


def note_delivery(connection: Connection, alert_id: str, channel: str, at: datetime, error: str | None) -> None:
    """See `Calls.note_delivery`."""
    known = select(ALERTS.c.alert_id).where(ALERTS.c.alert_id == alert_id).with_for_update(read=True, key_share=True)
    if connection.execute(known).first() is None:
        return  # the call was deleted meanwhile
    row = {"alert_id": alert_id, "channel": channel, "ended_at": at}
    insert_if_new(connection, DELIVERIES, row | {"error": None if error is None else _storable(error)})


def deliveries(connection: Connection, call_id: str) -> dict[tuple[str, str], str | None]:
    """See `StoredCalls.deliveries`."""
    query = select(DELIVERIES).join(ALERTS).where(ALERTS.c.call_id == call_id)
    return {(row.alert_id, row.channel): row.error for row in connection.execute(query)}


def _pending_on(channel: str) -> Select[Any]:
    this = (DELIVERIES.c.alert_id == ALERTS.c.alert_id, DELIVERIES.c.channel == channel)
    return select(ALERTS).where(~exists().where(*this))


def _alert(row: Row[Any]) -> Alert:
    return Alert(row.call_id, Stage(row.stage), row.attempt, row.message, row.raised_at)


def _failure(row: Row[Any]) -> Failure:
    return Failure(
        call_id=row.call_id,
        stage=Stage(row.stage),
        attempt=row.attempt,
        kind=FailureKind(row.kind),
        error=row.error,
        message=row.message,
        details=row.details,
        traceback=row.traceback,
        worker=row.worker,
        at=row.failed_at,
    )


def _storable(value: str) -> str:
    """What an error says, as both databases take it: PostgreSQL knows no NUL, and half a surrogate pair is no text."""
    return value[:_LONGEST_TEXT].replace("\0", "\N{SYMBOL FOR NULL}").encode(errors="replace").decode()
