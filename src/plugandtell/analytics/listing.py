"""Calls, their stages, failures and alerts as tables for people and as objects for scripts."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from plugandtell.core.audio_url import without_secrets
from plugandtell.core.json_object import utc_text
from plugandtell.core.safe_text import escape

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from plugandtell.analytics.calls import Alert, CallRecord, Change, StageRecord
    from plugandtell.core.call import Stage
    from plugandtell.core.failure import Failure

_LONGEST_SOURCE = 48


def calls_table(calls: Iterable[CallRecord]) -> str:
    """A line a call."""
    rows = [(call.call_id, call.state.value, _time(call.added_at), _shortened(call.source)) for call in calls]
    return aligned(("CALL", "STATE", "SUBMITTED (UTC)", "SOURCE"), rows)


def stages_table(stages: Mapping[Stage, StageRecord]) -> str:
    """A line a stage: where it stands, how often it failed, and which worker had it last."""
    rows = [
        (stage.value, record.state.value, str(record.attempt), str(record.failed), record.worker or "")
        for stage, record in stages.items()
    ]
    return aligned(("STAGE", "STATE", "ATTEMPTS", "FAILED", "WORKER"), rows)


def failures_table(failures: Iterable[Failure]) -> str:
    """A line a failed attempt."""
    rows = [
        (one.call_id, one.stage.value, str(one.attempt), one.kind.value, _time(one.at), f"{one.error}: {one.message}")
        for one in failures
    ]
    return aligned(("CALL", "STAGE", "ATTEMPT", "KIND", "WHEN (UTC)", "WHY"), rows)


def alerts_table(alerts: Iterable[Alert]) -> str:
    """A line an alert."""
    rows = [(alert.call_id, alert.stage.value, _time(alert.at), alert.message) for alert in alerts]
    return aligned(("CALL", "STAGE", "WHEN (UTC)", "WHY"), rows)


def change_line(change: Change) -> str:
    """What happened to a call, in a line."""
    what = "call" if change.stage is None else change.stage.value
    return f"{_time(change.at)}  {change.call_id}  {what:<13}  {change.state.value}"


def aligned(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as what is in them; the last one is left as it is."""
    table = [list(header), *([escape(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    widths[-1] = 0
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table]
    return "\n".join(lines)


def as_object(record: CallRecord | StageRecord | Failure | Alert | Change) -> dict[str, Any]:
    """All of it, times in ISO 8601; of a URL what holds no secret."""
    fields = {name: _plain(value) for name, value in asdict(record).items()}
    return fields | {"audio_url": without_secrets(fields["audio_url"])} if "audio_url" in fields else fields


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return utc_text(value)
    return {name: _plain(one) for name, one in value.items()} if isinstance(value, dict) else value


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def _shortened(source: str) -> str:
    """Its end, which tells files of one folder apart."""
    return source if len(source) <= _LONGEST_SOURCE else f"…{source[1 - _LONGEST_SOURCE :]}"
