"""The tables, one schema for SQLite and PostgreSQL. A change here needs a migration in `migrations/versions`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)

if TYPE_CHECKING:
    from sqlalchemy import Dialect


class UtcDateTime(TypeDecorator[datetime]):
    """A time in UTC to the microsecond. SQLite keeps it as text without an offset, which sorts as the times do."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To UTC, and refuse a time that does not say where it holds."""
        if value is None:
            return None
        if value.utcoffset() is None:
            raise ValueError(f"the time {value.isoformat()} has no offset from UTC")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Back, in UTC whatever the session's time zone is."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


ID: Final = String().with_variant(String(collation="C"), "postgresql")
"""Compared byte by byte in both, so that ids that begin with some text lie next to one another."""
NUMBER: Final = BigInteger().with_variant(Integer, "sqlite")
"""SQLite counts up by itself in a column that is an INTEGER and nothing else."""

METADATA: Final = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "uq": "uq_%(table_name)s",
    }
)


def _of_call(*, primary_key: bool = False) -> Column[str]:
    return Column(
        "call_id", ID, ForeignKey("calls.call_id", ondelete="CASCADE"), nullable=False, primary_key=primary_key
    )


CALLS: Final = Table(
    "calls",
    METADATA,
    Column("call_id", ID, primary_key=True),
    Column("audio_url", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("options", Text, nullable=False),
    Column("state", String, nullable=False),
    Column("added_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Index("ix_calls_added", "added_at", "call_id"),
    Index("ix_calls_state", "state", "added_at", "call_id"),
    Index(
        "ix_calls_unfinished",
        "call_id",
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
)

STAGES: Final = Table(
    "stages",
    METADATA,
    _of_call(primary_key=True),
    Column("stage", String, primary_key=True),
    Column("state", String, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("forgiven", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("worker", Text),
    Column("began_at", UtcDateTime),
    Column("changed_at", UtcDateTime, nullable=False),
)

RESULTS: Final = Table(
    "results",
    METADATA,
    _of_call(primary_key=True),
    Column("stage", String, primary_key=True),
    Column("result", Text, nullable=False),
    Column("kept_at", UtcDateTime, nullable=False),
)

FAILURES: Final = Table(
    "failures",
    METADATA,
    Column("failure_id", NUMBER, primary_key=True),
    _of_call(),
    Column("stage", String, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("kind", String, nullable=False),
    Column("error", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("details", Text, nullable=False),
    Column("traceback", Text, nullable=False),
    Column("worker", Text, nullable=False),
    Column("failed_at", UtcDateTime, nullable=False),
    UniqueConstraint("call_id", "stage", "attempt"),
    Index("ix_failures_at", "failed_at", "failure_id"),
    sqlite_autoincrement=True,
)

ALERTS: Final = Table(
    "alerts",
    METADATA,
    Column("alert_id", ID, primary_key=True),
    _of_call(),
    Column("stage", String, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("message", Text, nullable=False),
    Column("raised_at", UtcDateTime, nullable=False),
    UniqueConstraint("call_id", "stage", "attempt"),
    Index("ix_alerts_at", "raised_at", "alert_id"),
)

DELIVERIES: Final = Table(
    "deliveries",
    METADATA,
    Column("alert_id", ID, ForeignKey("alerts.alert_id", ondelete="CASCADE"), primary_key=True),
    Column("channel", String, primary_key=True),
    Column("ended_at", UtcDateTime, nullable=False),
    Column("error", Text),
)
"""An alert that went out on a channel, or was given up there because of an error."""

EVENTS: Final = Table(
    "events",
    METADATA,
    Column("seq", NUMBER, primary_key=True),
    _of_call(),
    Column("stage", String),
    Column("state", String, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Index("ix_events_call", "call_id", "seq"),
    sqlite_autoincrement=True,
)
