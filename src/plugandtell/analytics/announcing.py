"""Says what came of each call when it reaches its end."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from plugandtell.analytics.api import report_of
from plugandtell.core.call import CallState, StageState
from plugandtell.core.errors import CallNotFound, TransientError
from plugandtell.logservice import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from plugandtell.analytics.database import StoredCalls
    from plugandtell.analytics.report import Report

_LOOK_EVERY_S = 0.5
_PAUSE_S = 2.0
ANNOUNCED_WITHIN_S = 2 * _LOOK_EVERY_S
"""After the end of a call, if the database answers."""


async def announce(calls: StoredCalls, since: int, say: Callable[[Report], None]) -> None:
    """Say the report of every call that ends, for ever. A database that goes away is waited for.

    Args:
        calls: The calls.
        since: The place in the order of changes from which on.
        say: Shows a report.
    """
    while True:
        try:
            async for change in calls.watch(since, every_s=_LOOK_EVERY_S):
                since = change.seq
                if change.stage is None and CallState(change.state).is_end:
                    await _announce_one(calls, change.call_id, say)
        except TransientError as error:
            get_logger().warning("reports_delayed", error=str(error))
            await asyncio.sleep(_PAUSE_S)


async def all_settled(calls: StoredCalls, call_ids: Iterable[str]) -> None:
    """Wait until nothing goes on with these calls: each has ended, or waits to be tried again."""
    remaining, said = set(call_ids), 0
    while remaining := {call_id for call_id in remaining if await _goes_on(calls, call_id)}:
        if len(remaining) != said:
            get_logger().info("calls_remaining", number=len(remaining))
            said = len(remaining)
        await asyncio.sleep(_LOOK_EVERY_S)


async def _announce_one(calls: StoredCalls, call_id: str, say: Callable[[Report], None]) -> None:
    try:
        report = await report_of(calls, call_id)
    except CallNotFound:
        return  # deleted meanwhile
    if report.state.is_end:
        say(report)


async def _goes_on(calls: StoredCalls, call_id: str) -> bool:
    try:
        if (await calls.get(call_id)).state.is_end:
            return False
        states = (await calls.stage_states(call_id)).values()
    except CallNotFound:
        return False
    except TransientError:
        return True
    return StageState.RETRYING not in states or StageState.RUNNING in states
