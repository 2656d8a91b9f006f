"""The campaign of lines: server and client in one process, real sockets between them, and a line that goes wrong."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import soundfile

from plugandtell.client.app import stream_to_server
from plugandtell.client.gate_options import GateOptions
from plugandtell.client.settings import ClientSettings
from plugandtell.core.errors import NotOurServer, TransientError
from plugandtell.core.pace import Pace
from plugandtell.core.recording import Durability
from plugandtell.server.app import running_server
from plugandtell.server.settings import ServerSettings
from tests.faults.line import line_of
from tests.faults.oracle import compare
from tests.faults.schedule import Schedule, make_schedule
from tests.faults.speech import spoken_of
from tests.faults.tally import Tally
from tests.support.recordings import recordings
from tests.support.speech import RATE

if TYPE_CHECKING:
    from pathlib import Path

    from plugandtell.core.protocol.messages import SegmentSaved
    from tests.faults.line import Line
    from tests.faults.schedule import Kind

WITHIN_S = 120.0
"""No schedule takes so long, unless something hangs."""
_KEEPALIVE_S = 0.8
_GIVE_UP_AFTER_S = 60.0


class Host:
    """A server that can be started again."""

    def __init__(self, schedule: Schedule, audio_dir: Path, workers: int) -> None:
        self._settings = ServerSettings(
            port=0,
            workers=workers,
            audio_dir=audio_dir,
            silence=schedule.silence_s,
            max_duration=schedule.max_duration_s,
            resume_window=schedule.resume_window_s,
            gaps=schedule.gaps,
            durability=Durability(schedule.durability),
            format=schedule.container,
            min_free_mb=0,
        )
        self._running = AsyncExitStack()

    async def start(self) -> int:
        """Returns the port."""
        server = await self._running.enter_async_context(running_server(self._settings))
        return int(server.url.rpartition(":")[2])

    async def stop(self) -> None:
        """Stop in order."""
        await self._running.aclose()


async def run_workers_line(seed: int, folder: Path) -> Tally:
    """The same with a server of two processes."""
    return await run_line(seed, folder, workers=2)


async def run_line(seed: int, folder: Path, workers: int = 1) -> Tally:
    """One schedule, from the first sample to the comparison.

    Raises:
        AssertionError: Something was lost, doubled, or said wrongly.
    """
    schedule = make_schedule(seed)
    spoken = spoken_of(schedule)
    soundfile.write(folder / "in.wav", spoken.samples, RATE, subtype="PCM_16")
    host = Host(schedule, folder / "audio", workers)
    one_at_a_time = asyncio.Lock()  # the next fault may come while the server still stops

    async def restart(_kind: Kind) -> None:
        async with one_at_a_time:
            line.port = None
            await host.stop()
            line.port = await host.start()

    saved: list[SegmentSaved] = []
    async with asyncio.timeout(WITHIN_S), line_of(schedule.faults, restart) as line:
        line.port = await host.start()
        try:
            await _stream(schedule, folder, line, saved)
            await line.finish()
        finally:
            await host.stop()
    found = recordings(folder / "audio")
    assert len({item.sidecar["stream_id"] for item in found}) <= 1
    told, there = sorted(notice.file for notice in saved), [item.path.name for item in found]
    assert told == there, f"the client was told of {told}, but there are {there}"
    return Tally(Counter(lines=1), Counter(map(str, line.injected.elements())), compare(found, spoken))


async def _stream(schedule: Schedule, folder: Path, line: Line, saved: list[SegmentSaved]) -> None:
    """Stream it all; a client that finds no server at its start is started again, as users do."""
    settings = ClientSettings(
        input=str(folder / "in.wav"),
        pace=Pace.FAST,
        label="laptop",
        batch_ms=schedule.batch_ms,
        keepalive=_KEEPALIVE_S,
        give_up_after=_GIVE_UP_AFTER_S,
        spool_dir=folder / "spool",  # its own: what is left over must not reach the server of another schedule
    )
    while True:
        try:
            await stream_to_server(
                settings, GateOptions(vad=schedule.vad), line.url, asyncio.Event(), lambda one, _: saved.append(one)
            )
        except (TransientError, NotOurServer):
            if list((folder / "audio").glob("*.wav*")):
                raise
        else:
            return
