from __future__ import annotations

import asyncio

from plugandtell.client.bell import LoopBell
from tests.client.audio import PATIENCE_S

NEVER_S = 1000.0


async def test_it_ends_the_wait_from_another_thread() -> None:
    bell = LoopBell()
    waiting = asyncio.create_task(bell.wait(NEVER_S))
    await asyncio.sleep(0)
    async with asyncio.timeout(PATIENCE_S):
        await asyncio.to_thread(bell.ring)
        await waiting


async def test_the_wait_ends_by_itself() -> None:
    async with asyncio.timeout(PATIENCE_S):
        await LoopBell().wait(0.001)


async def test_what_rings_while_nobody_waits_is_heard_once() -> None:
    bell = LoopBell()
    await bell.wait(0)
    bell.ring()
    bell.ring()
    await asyncio.sleep(0)
    async with asyncio.timeout(PATIENCE_S):
        await bell.wait(NEVER_S)
    waiting = asyncio.create_task(bell.wait(NEVER_S))
    for _ in range(3):
        await asyncio.sleep(0)
    assert not waiting.done()
    waiting.cancel()


def test_a_loop_that_has_ended_is_rung_in_vain() -> None:
    bell = LoopBell()
    asyncio.run(bell.wait(0))
    bell.ring()
