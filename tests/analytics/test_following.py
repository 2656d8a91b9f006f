from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from plugandtell.analytics.database import StoredCalls, open_calls
from plugandtell.analytics.following import changes_of, until_ended
from plugandtell.core.call import CallOptions, Stage
from plugandtell.core.errors import CallNotFound
from tests.analytics.samples import NOON, complete, failure

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from plugandtell.analytics.calls import Change

OFTEN_S = 0.001


@pytest.fixture
async def calls(tmp_path: Path) -> AsyncIterator[StoredCalls]:
    async with open_calls(None, tmp_path) as opened:
        for call_id in ("7f", "8a"):
            await opened.add(call_id, "file:///a.wav", "a.wav", CallOptions(), NOON)
        yield opened


async def fail(calls: StoredCalls, call_id: str) -> None:
    await calls.note_failure(failure(call_id))
    await calls.mark_failed(call_id, Stage.TRANSCRIPTION, NOON)
    await calls.settle(call_id, NOON)


async def test_a_call_that_was_tried_again_is_followed_to_its_last_end(calls: StoredCalls) -> None:
    await fail(calls, "7f")
    await calls.reset("7f", NOON)
    await complete(calls, "7f")
    states = [change.state.value async for change in changes_of(calls, "7f") if change.stage is None]
    assert "failed" in states
    assert states[-1] == "complete"


async def test_a_call_that_goes_on_is_followed_while_it_does(calls: StoredCalls) -> None:
    seen: list[Change] = []

    async def follow() -> None:
        async for change in changes_of(calls, "7f", OFTEN_S):
            seen.append(change)  # noqa: PERF401  (shown while it goes on)

    async with asyncio.timeout(10):
        following = asyncio.create_task(follow())
        await complete(calls, "7f")
        await following
    assert seen[-1].state.value == "complete"


async def test_whoever_follows_a_call_that_is_deleted_is_told(calls: StoredCalls) -> None:
    async def follow() -> None:
        async for _ in changes_of(calls, "7f", OFTEN_S):
            pass

    async with asyncio.timeout(10):
        following = asyncio.create_task(follow())
        await calls.delete("7f")
        with pytest.raises(CallNotFound):
            await following


async def test_many_are_waited_for_at_once_and_the_deleted_are_named(calls: StoredCalls) -> None:
    since = await calls.last_change()
    seen: list[str] = []
    async with asyncio.timeout(10):
        waiting = asyncio.create_task(
            until_ended(calls, ["7f", "8a"], since, lambda change: seen.append(change.call_id), OFTEN_S)
        )
        await calls.delete("8a")
        await complete(calls, "7f")
        assert await waiting == {"8a"}
    assert set(seen) == {"7f"}
