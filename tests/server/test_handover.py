"""Streams that go from one server to another."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from plugandtell.core.protocol.messages import Ack, Position, SegmentStarted, Welcome
from tests.support.recordings import recordings
from tests.support.wire import RATE, Wire, hello, pcm

if TYPE_CHECKING:
    from pathlib import Path

    from tests.server.conftest import StartServer


async def test_a_server_that_does_not_know_the_stream_continues_what_the_client_names(
    start_server: StartServer, audio_dir: Path
) -> None:
    elsewhere = uuid4()
    async with start_server() as url, await Wire.open(url) as wire:
        await wire.say(hello(continues=elsewhere))
        assert (await wire.hear(Welcome)).resume_from == 0
        await wire.speak(40 * RATE, RATE)
        await wire.say(Position(50 * RATE))
        await wire.speak(50 * RATE, RATE)
        await wire.end(51 * RATE)
    first, second = recordings(audio_dir)
    assert (first.sidecar["continues"], second.sidecar["continues"]) == (str(elsewhere), None)
    assert (first.sidecar["start_index"], first.pcm) == (40 * RATE, pcm(40 * RATE, RATE))


async def test_a_server_that_knows_the_segment_goes_on_in_it(start_server: StartServer, audio_dir: Path) -> None:
    greeting = hello()
    async with start_server() as url:
        async with await Wire.greeted(url, greeting) as wire:
            await wire.speak(0, RATE)
            segment_id = (await wire.hear(SegmentStarted)).segment_id
            while (await wire.hear(Ack)).stored_to < RATE:
                pass
        async with await Wire.greeted(url, hello(greeting.stream_id, continues=segment_id)) as wire:
            await wire.speak(RATE, RATE)
            await wire.end(2 * RATE)
    (found,) = recordings(audio_dir)
    assert (found.pcm, found.sidecar["continues"]) == (pcm(0, 2 * RATE), None)


async def test_a_stream_that_was_elsewhere_meanwhile_continues_what_was_recorded_there(
    start_server: StartServer, audio_dir: Path
) -> None:
    greeting, elsewhere = hello(), uuid4()
    async with start_server(resume_window=0) as url:
        async with await Wire.greeted(url, greeting) as wire:
            await wire.speak(0, RATE)
            await wire.hear(Ack)
        async with await Wire.greeted(url, hello(greeting.stream_id, continues=elsewhere)) as wire:
            await wire.speak(2 * RATE, RATE)
            await wire.end(3 * RATE)
    _, second = recordings(audio_dir)
    assert second.sidecar["continues"] == str(elsewhere)
