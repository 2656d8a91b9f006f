"""A client that is back before the server has done with its last connection."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from plugandtell.core.protocol.messages import Ack, Audio, Position, SegmentStarted, Welcome
from tests.support.recordings import recordings
from tests.support.wire import Wire, hello, pcm

if TYPE_CHECKING:
    from pathlib import Path

    from tests.server.conftest import StartServer

SECOND = 16_000
STEP = 5 * SECOND
STEPS = 12


async def test_what_a_lost_connection_left_unread_is_left_to_the_next_one(
    start_server: StartServer, audio_dir: Path
) -> None:
    greeting = hello()
    may_save = threading.Event()
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
    async with start_server() as url:
        blocked = asyncio.get_running_loop().run_in_executor(None, may_save.wait)
        lost = await Wire.greeted(url, greeting)
        await _tell(lost, 0)
        for _ in range(9):  # so many segments may wait to be saved; then the server reads no further
            await lost.hear(SegmentStarted)
        await lost.drop()
        async with await Wire.open(url) as wire:
            await wire.say(greeting)
            stored_to = (await wire.hear(Welcome)).resume_from
            assert stored_to < STEPS * STEP - STEP
            may_save.set()
            await blocked
            await _tell(wire, stored_to)
            await wire.end(STEPS * STEP)
            assert wire.all_heard(Ack)[-1].stored_to == (STEPS - 1) * STEP + 10
    assert [found.pcm for found in recordings(audio_dir)] == [pcm(step * STEP, 10) for step in range(STEPS)]


async def _tell(wire: Wire, stored_to: int) -> None:
    for start in range(0, STEPS * STEP, STEP):
        if start >= stored_to:
            await wire.say(Audio(start, pcm(start, 10)))
        await wire.say(Position(start + 4 * SECOND))
