from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from plugandtell.analytics.announcing import Announcer
from plugandtell.analytics.database import StoredCalls, open_calls
from plugandtell.core.call import CallOptions, Stage
from plugandtell.core.failure import FailureKind
from tests.analytics.samples import NOON, complete, failure

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from plugandtell.analytics.report import Report


@pytest.fixture
async def calls(tmp_path: Path) -> AsyncIterator[StoredCalls]:
    async with open_calls(None, tmp_path) as opened:
        for call_id in ("7f", "8a"):
            await opened.add(call_id, "file:///a.wav", "a.wav", CallOptions(), NOON)
        yield opened


async def fail_once_more(calls: StoredCalls, attempt: int) -> None:
    await calls.note_failure(replace(failure("7f"), attempt=attempt, kind=FailureKind.TRANSIENT))
    await calls.mark_retrying("7f", Stage.TRANSCRIPTION, NOON)


async def test_what_is_expected_is_said_once_and_nothing_else(calls: StoredCalls) -> None:
    said: asyncio.Queue[Report] = asyncio.Queue()
    announcer = Announcer(calls, said.put_nowait)
    announcer.expect("7f")
    running = asyncio.create_task(announcer.run(0))
    async with asyncio.timeout(10):
        await complete(calls, "8a")
        await complete(calls, "7f")
        assert (await said.get()).call_id == "7f"
        assert await announcer.drained() == 0
    running.cancel()
    assert said.empty()


async def test_a_call_that_ended_before_it_was_expected_is_said_in_the_end(calls: StoredCalls) -> None:
    said: list[Report] = []
    announcer = Announcer(calls, said.append)
    await complete(calls, "7f")
    announcer.expect("7f")
    assert await announcer.drained() == 0
    assert [report.call_id for report in said] == ["7f"]


async def test_a_try_that_is_near_is_waited_for_and_one_that_is_far_is_not(calls: StoredCalls) -> None:
    said: list[Report] = []
    announcer = Announcer(calls, said.append)
    announcer.expect("7f")
    await fail_once_more(calls, 1)
    async with asyncio.timeout(10):
        draining = asyncio.create_task(announcer.drained())
        done, _ = await asyncio.wait([draining], timeout=0.3)
        assert not done
        for attempt in (2, 3):
            await fail_once_more(calls, attempt)
        assert await draining == 1
    assert said == []


async def test_a_call_that_is_deleted_is_waited_for_no_more(calls: StoredCalls) -> None:
    announcer = Announcer(calls, print)
    announcer.expect("7f")
    await calls.delete("7f")
    assert await announcer.drained() == 0
