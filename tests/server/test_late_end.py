"""A client that says its end to a server that is stopping already."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from plugandtell.core.protocol.messages import Ack, End
from plugandtell.server.app import running_server
from plugandtell.server.settings import ServerSettings
from tests.support.recordings import recordings
from tests.support.wire import Wire, pcm

if TYPE_CHECKING:
    from pathlib import Path

SECOND = 16_000


async def test_an_end_that_comes_too_late_to_be_taken_is_not_called_a_good_one(tmp_path: Path) -> None:
    may_save = threading.Event()
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(1))
    running = running_server(ServerSettings(port=0, audio_dir=tmp_path / "audio"))
    server = await running.__aenter__()
    wire = await Wire.greeted(server.url)
    await wire.speak(0, SECOND)
    await wire.speak(SECOND, 100)  # acknowledged no sooner than the server stops
    blocked = loop.run_in_executor(None, may_save.wait)
    stopping = asyncio.create_task(running.__aexit__(None, None, None))
    while (await wire.hear(Ack)).stored_to < SECOND + 100:
        pass
    await wire.speak(SECOND + 100, SECOND)
    await wire.say(End(2 * SECOND + 100))
    may_save.set()
    await blocked
    assert await wire.hear_out() == 1001
    await stopping
    (found,) = recordings(tmp_path / "audio")
    assert found.pcm == pcm(0, SECOND + 100)
