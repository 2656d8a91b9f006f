"""Follows calls to their ends, through a database that may go away for a while and calls that may be deleted."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from plugandtell.core.call import CallState
from plugandtell.core.errors import CallNotFound, TransientError
from plugandtell.logservice import get_logger

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Sequence

    from plugandtell.analytics.calls import Change
    from plugandtell.analytics.database import StoredCalls

LOOK_EVERY_S: Final = 0.2
AWAY_PAUSE_S: Final = 1.0
_ALL_AT_ONCE: Final = 1000
_MISSING_EVERY: Final = 20
"""Empty looks, after which it is seen whether the calls are still there."""


async def changes_of(calls: StoredCalls, call_id: str, every_s: float = LOOK_EVERY_S) -> AsyncIterator[Change]:
    """What happened to a call and what goes on to happen, until it has reached its end.

    Args:
        calls: The calls.
        call_id: Which.
        every_s: How long between two looks while nothing happens.

    Raises:
        CallNotFound: There is no such call, or it is deleted meanwhile.
    """
    await calls.get(call_id)
    seq, empty = 0, 0
    while True:
        changes = await patient_changes(calls, seq, call_id)
        for change in changes:
            seq = change.seq
            yield change
        if changes and len(changes) < _ALL_AT_ONCE and ends(changes):
            return
        empty = 0 if changes else empty + 1
        if empty % _MISSING_EVERY == _MISSING_EVERY - 1:
            await calls.get(call_id)
        if not changes:
            await asyncio.sleep(every_s)


async def until_ended(
    calls: StoredCalls,
    call_ids: Iterable[str],
    since: int,
    show: Callable[[Change], None],
    every_s: float = LOOK_EVERY_S,
) -> set[str]:
    """Wait until all of these calls have ended; gives those that were deleted meanwhile.

    Args:
        calls: The calls.
        call_ids: Which.
        since: A place in the order of changes before all of theirs.
        show: Is told of each of their changes.
        every_s: How long between two looks while nothing happens.
    """
    remaining, deleted, empty = set(call_ids), set[str](), 0
    while remaining:
        changes = await patient_changes(calls, since)
        ended = dict[str, bool]()
        for change in changes:
            since = change.seq
            if change.call_id in remaining:
                show(change)
                if change.stage is None:
                    ended[change.call_id] = ends([change])
        remaining -= {call_id for call_id, has_ended in ended.items() if has_ended}
        empty = 0 if changes else empty + 1
        if empty % _MISSING_EVERY == _MISSING_EVERY - 1:
            missing = {call_id for call_id in remaining if not await _exists(calls, call_id)}
            remaining, deleted = remaining - missing, deleted | missing
        if not changes:
            await asyncio.sleep(every_s)
    return deleted


async def patient_changes(calls: StoredCalls, seq: int, call_id: str | None = None) -> Sequence[Change]:
    """What happened after that place, as far as one look goes; a database that goes away is waited for."""
    while True:
        try:
            return await calls.changes_since(seq, call_id, _ALL_AT_ONCE)
        except TransientError as error:
            get_logger().warning("changes_delayed", error=str(error))
            await asyncio.sleep(AWAY_PAUSE_S)


def ends(changes: Sequence[Change]) -> bool:
    """Whether the last word on the call in them is its end, and nobody asked for another try since."""
    words = [change for change in changes if change.stage is None]
    return bool(words) and CallState(words[-1].state).is_end


async def _exists(calls: StoredCalls, call_id: str) -> bool:
    try:
        await calls.get(call_id)
    except CallNotFound:
        return False
    except TransientError:
        return True
    return True
