"""What is seen of a client while it streams."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from plugandtell.client.app import stream_to_server
from plugandtell.client.gate_options import GateOptions
from plugandtell.client.settings import ClientSettings
from plugandtell.client.window import Window
from plugandtell.core.gate import GateState
from plugandtell.core.status import ClientStatus, LineState, Phase
from plugandtell.core.talk import TalkState
from plugandtell.server.app import running_server
from plugandtell.server.settings import ServerSettings
from tests.support.speech import sentence, silence, write_wav
from tests.support.watching import until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


async def seen(window: Window, wanted: Callable[[ClientStatus], object]) -> ClientStatus:
    """Look until it is so."""

    def look() -> ClientStatus | None:
        return status if wanted(status := window.look()) else None

    return await until(look)


async def test_a_client_from_its_start_to_its_end(tmp_path: Path) -> None:
    write_wav(tmp_path / "in.wav", silence(0.2), sentence(4), silence(60))
    settings, stop = ClientSettings(input=str(tmp_path / "in.wav"), spool_dir=tmp_path / "spool"), asyncio.Event()
    async with running_server(ServerSettings(port=0, audio_dir=tmp_path / "audio", silence=1.0)) as server:
        window = Window(server.url, time.monotonic, is_watched=True)
        assert window.look() == ClientStatus(server=server.url)
        streaming = asyncio.create_task(
            stream_to_server(settings, GateOptions(), server.url, stop, lambda _saved, _hello: None, window=window)
        )
        status = await seen(window, lambda status: status.gate is GateState.VOICE)
        assert (status.phase, status.line) == (Phase.RUNNING, LineState.CONNECTED)
        assert status.source == str(tmp_path / "in.wav")
        status = await seen(window, lambda status: status.gate is GateState.PAUSE and status.silence_s > 0.5)
        assert status.silence_limit_s == 1.0
        assert {"l", "v"} <= set(status.heard.marks)
        assert status.heard.levels_db
        assert status.voice_s > 1
        assert status.sent_bytes > 32_000
        status = await seen(window, lambda status: status.recordings)
        assert (status.recordings, status.waiting_s, status.lost_s) == (1, 0, 0)
        assert status.latest in {path.name for path in (tmp_path / "audio").iterdir()}
        window.press_named("mute")
        window.press_named("nothing")
        assert window.look().talk is TalkState.MUTED
        await seen(window, lambda status: status.heard.marks.endswith("m"))
        stop.set()
        await streaming
    assert window.look().phase is Phase.FINISHING


async def test_nobody_who_looks_means_no_meter(tmp_path: Path) -> None:
    assert Window("ws://x", time.monotonic).meter is None
