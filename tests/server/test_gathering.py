"""Messages gather only while they come thick and fast."""

from __future__ import annotations

import asyncio

from plugandtell.server.gathering import Gathering


async def _rounds_sleep(gathering: Gathering) -> bool:
    """Whether the loop sleeps in its rounds."""
    loop = asyncio.get_running_loop()
    before = loop.time()
    for _ in range(3):
        await asyncio.sleep(0)
    del gathering
    return loop.time() - before > 0.03


async def test_a_crowd_makes_the_loop_pause_and_a_few_do_not() -> None:
    gathering = Gathering(0.02)
    gathering.look(0.0, 10_000)  # since when, nobody knows yet
    assert not await _rounds_sleep(gathering)
    gathering.look(1.0, 2001)
    assert await _rounds_sleep(gathering)
    gathering.look(2.0, 1999)
    assert not await _rounds_sleep(gathering)


async def test_it_ends_when_the_server_stops() -> None:
    gathering = Gathering(0.02)
    gathering.look(0.0, 0)
    gathering.look(0.1, 1000)
    gathering.stop()
    assert not await _rounds_sleep(gathering)


async def test_no_pause_is_no_pause() -> None:
    gathering = Gathering(0)
    gathering.look(0.0, 0)
    gathering.look(0.1, 1000)
    assert not await _rounds_sleep(gathering)
