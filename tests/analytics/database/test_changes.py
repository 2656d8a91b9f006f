"""What subscribers see."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from plugandtell.core.call import CallState, Stage, StageState
from tests.analytics.database.moments import NOON, OPTIONS, add, after, keep

if TYPE_CHECKING:
    from plugandtell.analytics.calls import Change
    from plugandtell.analytics.database import StoredCalls

T = Stage.TRANSCRIPTION


def told(changes: list[Change]) -> list[tuple[str, str]]:
    return [(change.stage or "call", change.state.value) for change in changes]


async def test_what_happens_to_a_call_is_told_in_order_and_once(calls: StoredCalls) -> None:
    await add(calls, "7f", "other")
    for attempt in (1, 1, 2):
        await calls.begin("7f", T, attempt, "host-1", after(attempt))
    await calls.mark_retrying("7f", T, NOON)
    await calls.settle("7f", NOON)
    await calls.mark_failed("7f", T, NOON)
    await calls.reset("7f", NOON)
    changes = await calls.changes_since(0, "7f")
    assert told(changes) == [
        ("call", "waiting"),
        ("transcription", "running"),
        ("call", "running"),
        ("transcription", "retrying"),
        ("transcription", "failed"),
        ("call", "failed"),
        ("transcription", "waiting"),
        ("call", "waiting"),
    ]
    assert (changes[1].at, changes[1].state, changes[2].state) == (after(1), StageState.RUNNING, CallState.RUNNING)


async def test_a_subscriber_goes_on_where_it_was(calls: StoredCalls) -> None:
    await add(calls, "a", "b")
    first = await calls.changes_since(0, limit=1)
    rest = await calls.changes_since(first[-1].seq)
    assert [change.call_id for change in first + rest] == ["a", "b"]
    assert await calls.last_change() == rest[-1].seq
    assert await calls.changes_since(rest[-1].seq) == []


async def test_numbers_are_not_used_again_after_a_call_is_deleted(calls: StoredCalls) -> None:
    await add(calls, "a")
    last = await calls.last_change()
    await calls.delete("a")
    await calls.add("b", "file:///b.wav", "file", OPTIONS, NOON)
    assert [change.call_id for change in await calls.changes_since(last)] == ["b"]


async def test_a_watcher_sees_what_was_and_what_comes(calls: StoredCalls) -> None:
    await add(calls, "7f")
    seen: list[Change] = []

    async def watch() -> None:
        async for change in calls.watch(0, "7f", every_s=0.01):
            seen.append(change)
            if change.stage is None and change.state is CallState.COMPLETE:
                return

    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        group.create_task(watch())
        await keep(calls, "7f", *Stage)
    assert seen == await calls.changes_since(0, "7f")


async def test_who_reads_on_while_many_write_misses_nothing(calls: StoredCalls) -> None:
    seen: list[str] = []

    async def watch() -> None:
        async for change in calls.watch(0, every_s=0):
            seen.append(change.call_id)
            if len(seen) == 40:
                return

    call_ids = [f"{number:02}" for number in range(40)]
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        group.create_task(watch())
        for call_id in call_ids:
            group.create_task(calls.add(call_id, "file:///a.wav", "file", OPTIONS, NOON))
    assert sorted(seen) == call_ids
