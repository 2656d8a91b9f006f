"""Times and a call, for tests of the database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from plugandtell.analytics.calls import Alert
from plugandtell.core.call import AgentChannel, CallOptions, Stage
from plugandtell.core.failure import Failure, FailureKind
from tests.support.results import RESULTS

if TYPE_CHECKING:
    from plugandtell.analytics.database import StoredCalls

NOON: Final = datetime(2026, 11, 24, 12, 0, 0, 123456, tzinfo=UTC)
OPTIONS: Final = CallOptions("fr", AgentChannel.SECOND)


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


async def add(calls: StoredCalls, *call_ids: str) -> None:
    """StoredCalls, submitted a second apart from noon on."""
    for number, call_id in enumerate(call_ids):
        assert await calls.add(call_id, f"file:///{call_id}.wav", "file", OPTIONS, after(number))


async def keep(calls: StoredCalls, call_id: str, *stages: Stage) -> None:
    for stage in stages:
        assert await calls.keep_result(call_id, stage, RESULTS[stage], after(60))


def failure(call_id: str, stage: Stage = Stage.INTENT, attempt: int = 1, seconds: float = 0) -> Failure:
    """One whose every text is hard to store."""
    at = after(seconds)
    return Failure(
        call_id, stage, attempt, FailureKind.POISON, "ChildCrashed", "il est mort : é", "é\n\t", "", "host-1", at
    )


def alert(call_id: str, stage: Stage = Stage.INTENT, attempt: int = 1, seconds: float = 0) -> Alert:
    return Alert(call_id, stage, attempt, "broken", after(seconds))
