"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

ID = sa.String().with_variant(sa.String(collation="C"), "postgresql")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)
UNFINISHED = sa.text("ended_at IS NULL")


def upgrade() -> None:
    """Make all tables."""
    _calls()
    _alerts()
    _events()
    _failures()
    _results()
    _stages()
    _deliveries()


def _calls() -> None:
    """Every call that was submitted."""
    op.create_table(
        "calls",
        sa.Column("call_id", ID, nullable=False),
        sa.Column("audio_url", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("options", sa.Text(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("added_at", TIME, nullable=False),
        sa.Column("ended_at", TIME),
        sa.PrimaryKeyConstraint("call_id", name="pk_calls"),
    )
    op.create_index("ix_calls_added", "calls", ["added_at", "call_id"])
    op.create_index("ix_calls_state", "calls", ["state", "added_at", "call_id"])
    op.create_index("ix_calls_unfinished", "calls", ["call_id"], sqlite_where=UNFINISHED, postgresql_where=UNFINISHED)


def _alerts() -> None:
    """What failed for good."""
    op.create_table(
        "alerts",
        sa.Column("alert_id", ID, nullable=False),
        sa.Column("call_id", ID, nullable=False),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("raised_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["calls.call_id"], name="fk_alerts_calls", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("alert_id", name="pk_alerts"),
        sa.UniqueConstraint("call_id", "stage", "attempt", name="uq_alerts"),
    )
    op.create_index("ix_alerts_at", "alerts", ["raised_at", "alert_id"])


def _events() -> None:
    """All changes, in order."""
    op.create_table(
        "events",
        sa.Column("seq", NUMBER, nullable=False),
        sa.Column("call_id", ID, nullable=False),
        sa.Column("stage", sa.String()),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["calls.call_id"], name="fk_events_calls", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("seq", name="pk_events"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_events_call", "events", ["call_id", "seq"])


def _failures() -> None:
    """Every attempt that failed."""
    op.create_table(
        "failures",
        sa.Column("failure_id", NUMBER, nullable=False),
        sa.Column("call_id", ID, nullable=False),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("traceback", sa.Text(), nullable=False),
        sa.Column("worker", sa.Text(), nullable=False),
        sa.Column("failed_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["calls.call_id"], name="fk_failures_calls", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("failure_id", name="pk_failures"),
        sa.UniqueConstraint("call_id", "stage", "attempt", name="uq_failures"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_failures_at", "failures", ["failed_at", "failure_id"])


def _results() -> None:
    """What the stages found."""
    op.create_table(
        "results",
        sa.Column("call_id", ID, nullable=False),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("kept_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["calls.call_id"], name="fk_results_calls", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("call_id", "stage", name="pk_results"),
    )


def _stages() -> None:
    """Where each call stands in each stage."""
    op.create_table(
        "stages",
        sa.Column("call_id", ID, nullable=False),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("forgiven", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("worker", sa.Text()),
        sa.Column("began_at", TIME),
        sa.Column("changed_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["calls.call_id"], name="fk_stages_calls", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("call_id", "stage", name="pk_stages"),
    )


def _deliveries() -> None:
    """Which alerts went out, and on which channel."""
    op.create_table(
        "deliveries",
        sa.Column("alert_id", ID, nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("ended_at", TIME, nullable=False),
        sa.Column("error", sa.Text()),
        sa.ForeignKeyConstraint(["alert_id"], ["alerts.alert_id"], name="fk_deliveries_alerts", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("alert_id", "channel", name="pk_deliveries"),
    )
