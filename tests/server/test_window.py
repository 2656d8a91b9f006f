"""What is seen of a server, through a real socket."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import pytest

from plugandtell.core.protocol.messages import Audio, End, Position
from plugandtell.core.status import Phase, ServerStatus, StreamStatus
from plugandtell.server.app import running_server
from plugandtell.server.settings import ServerSettings
from plugandtell.server.window import Window
from tests.support.watching import until
from tests.support.wire import RATE, Wire, pcm
from tests.support.workers import hello_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


async def seen(window: Window, wanted: Callable[[ServerStatus], object]) -> ServerStatus:
    """Look until it is so."""

    def look() -> ServerStatus | None:
        return status if wanted(status := window.look()) else None

    return await until(look)


async def test_a_stream_from_its_beginning_to_the_recording(tmp_path: Path) -> None:
    window = Window(tmp_path, 3.0, time.monotonic)
    assert window.look() == ServerStatus(audio_dir=str(tmp_path))
    async with running_server(ServerSettings(port=0, audio_dir=tmp_path), window=window) as server:
        status = window.look()
        assert (status.phase, status.url, status.streams) == (Phase.RUNNING, server.url, ())
        assert status.free_bytes
        async with await Wire.greeted(server.url) as wire:
            await seen(window, lambda status: status.stream_count == 1)
            await wire.say(Audio(0, pcm(0, RATE)), Position(2 * RATE, RATE))
            status = await seen(window, lambda status: status.streams[0].silence_s)
            (stream,) = status.streams
            assert stream == StreamStatus(stream.label, is_connected=True, file=stream.file, seconds=1.0, silence_s=1.0)
            await wire.say(End(2 * RATE))
            status = await seen(window, lambda status: status.saved and status.saved[0].levels_db)
        (saved,) = status.saved
        assert (saved.file, saved.seconds, saved.reason, len(saved.levels_db)) == (stream.file, 1.0, "end", 60)
        assert (status.saved_count, status.audio_dir) == (1, str(tmp_path))
        await seen(window, lambda status: not status.streams)
    assert window.look().phase is Phase.FINISHING


@pytest.mark.skipif(sys.platform == "win32", reason="Windows hands no connections on")
async def test_all_workers_are_seen_as_one_server(tmp_path: Path) -> None:
    window = Window(tmp_path, 3.0, time.monotonic)
    settings = ServerSettings(port=0, audio_dir=tmp_path, workers=2)
    async with running_server(settings, window=window) as server:
        greetings = [hello_for(worker, label=f"client-{worker}") for worker in (1, 2)]
        wires = [await Wire.greeted(server.url, greeting) for greeting in greetings]
        for wire in wires:
            await wire.say(Audio(0, pcm(0, RATE)))
        status = await seen(window, lambda status: [stream.seconds for stream in status.streams] == [1.0, 1.0])
        assert (status.phase, status.url, status.stream_count) == (Phase.RUNNING, server.url, 2)
        assert [stream.label for stream in status.streams] == ["client-1", "client-2"]
        assert status.free_bytes
        for wire in wires:
            await wire.end(RATE)
        status = await seen(window, lambda status: status.saved_count == 2)
        assert {saved.label for saved in status.saved} == {"client-1", "client-2"}
    assert window.look().phase is Phase.FINISHING
