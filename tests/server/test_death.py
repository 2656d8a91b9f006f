"""A server that is killed, and its successor: real processes, real files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plugandtell.core.protocol.messages import Ack, EndReason, Position, SegmentSaved, SegmentStarted, Welcome
from tests.support.processes import running_server
from tests.support.recordings import recordings
from tests.support.wire import RATE, Wire, hello, pcm

if TYPE_CHECKING:
    from pathlib import Path


async def test_a_stream_goes_on_where_a_killed_server_left_it(tmp_path: Path) -> None:
    greeting = hello()
    async with running_server(tmp_path) as (server, url), await Wire.greeted(url, greeting) as wire:
        await wire.speak(0, RATE)
        await wire.say(Position(RATE))
        started = await wire.hear(SegmentStarted)
        while (await wire.hear(Ack)).stored_to < RATE:
            pass
        server.process.kill()
        await server.outcome()
    async with running_server(tmp_path) as (server, url), await Wire.open(url) as wire:
        await wire.say(greeting)
        assert (await wire.hear(Welcome)).resume_from == RATE
        saved = await wire.hear(SegmentSaved)
        assert (saved.segment_id, saved.start_index, saved.end_index) == (started.segment_id, 0, RATE)
        assert saved.reason is EndReason.RECOVERED
        await wire.speak(RATE // 2, 3 * RATE // 2)  # more than asked for: the overlap is trimmed
        _, last = await wire.end(2 * RATE)
        await server.stop()
    first, second = recordings(tmp_path / "audio")
    assert first.pcm + second.pcm == pcm(0, 2 * RATE)
    assert (saved.file, last.file) == (first.path.name, second.path.name)
    assert second.sidecar["continues"] == first.sidecar["segment_id"]
