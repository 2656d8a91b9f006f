"""Many clients, rude clients, and clients that get nowhere: the others are not harmed."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from websockets.exceptions import ConnectionClosed

from plugandtell.core.protocol.messages import Ack, Audio, Error, Position
from tests.server.test_listener import _acknowledged
from tests.support.processes import running
from tests.support.recordings import recordings
from tests.support.wire import RATE, Wire, hello, pcm

if TYPE_CHECKING:
    from pathlib import Path

    from tests.server.conftest import StartServer


async def test_one_address_does_not_get_all_the_places(start_server: StartServer, audio_dir: Path) -> None:
    async with start_server(max_streams_per_address=2) as url:
        async with await Wire.greeted(url) as first, await Wire.greeted(url), await Wire.open(url) as third:
            assert await third.hear_out() == 1013
            assert third.error.code == "address_full"
            await first.speak(0, RATE)
            await first.end(RATE)
        async with await Wire.greeted(url) as later:
            await later.end(0)
    assert recordings(audio_dir)[0].pcm == pcm(0, RATE)


@pytest.mark.parametrize("message", [Position(RATE), Audio(0, pcm(0, 1600))])
async def test_who_talks_without_getting_on_is_shown_out_and_nothing_is_lost(
    start_server: StartServer, audio_dir: Path, message: Audio | Position
) -> None:
    async with start_server(stall_timeout=0.3) as url, await Wire.greeted(url) as wire:
        await wire.speak(0, RATE)
        await _acknowledged(wire, RATE // 2)
        with suppress(ConnectionClosed):
            while not wire.socket.close_code:
                await wire.say(message)
                await asyncio.sleep(0.02)
        assert await wire.hear_out() == 4002
        assert wire.error.code == "stalled"
    assert recordings(audio_dir)[0].pcm == pcm(0, RATE)


async def test_a_message_that_trickles_in_does_not_count_as_talk(start_server: StartServer) -> None:
    async with start_server(idle_timeout=0.3) as url, await Wire.greeted(url) as wire:
        listening = asyncio.create_task(wire.hear(Error))
        wire.socket.transport.write(b"\x82\xfe\xff\xff\0\0\0\0")  # a binary message of 65,535 bytes begins
        while not listening.done():
            wire.socket.transport.write(b"\0")
            await asyncio.sleep(0.02)
        assert (await listening).code == "idle"


async def test_who_pings_without_end_and_reads_no_answer_is_dropped(start_server: StartServer) -> None:
    pings = (b"\x89\xfd\0\0\0\0" + bytes(125)) * 512
    async with start_server() as url, await Wire.greeted(url) as wire:
        transport = wire.socket.transport
        transport.pause_reading()
        sent_bytes = 0
        while sent_bytes < 64 * 1024 * 1024 and not transport.is_closing():
            if transport.get_write_buffer_size() < len(pings):
                transport.write(pings)
                sent_bytes += len(pings)
            await asyncio.sleep(0)
        assert transport.is_closing()  # after what the kernel holds both ways, and 1 MB of ours


@pytest.mark.parametrize("rude", [Position(0), Audio(0, b""), Audio(0, pcm(0, 100))])
async def test_a_flood_does_not_touch_another_stream(
    start_server: StartServer, audio_dir: Path, rude: Audio | Position
) -> None:
    async with (
        start_server() as url,
        await Wire.greeted(url, hello(label="rude")) as flooding,
        await Wire.greeted(url, hello(label="honest")) as honest,
    ):
        flood = asyncio.create_task(_flood(flooding, rude))
        for start in range(0, 2 * RATE, RATE // 2):
            await honest.speak(start, RATE // 2)
            await honest.hear(Ack)
        await honest.end(2 * RATE)
        flood.cancel()
        await asyncio.gather(flood, return_exceptions=True)
    by_label = {found.sidecar["client"]["label"]: found.pcm for found in recordings(audio_dir)}
    assert by_label["honest"] == pcm(0, 2 * RATE)
    assert by_label.get("rude", pcm(0, 100)) == pcm(0, 100)


async def _flood(wire: Wire, message: Audio | Position) -> None:
    while True:
        for _ in range(200):
            await wire.say(message)
        await asyncio.sleep(0)


FEW_DESCRIPTORS = """
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
from plugandtell.server.cli import main
main()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
async def test_a_server_without_descriptors_keeps_what_it_has_and_recovers(tmp_path: Path) -> None:
    """More connections than descriptors, none of which says a word."""
    async with running(tmp_path, "--port=0", "--hello-timeout=60", python=["-c", FEW_DESCRIPTORS]) as server:
        url = await server.line()
        port = int(url.rpartition(":")[2])
        async with await Wire.greeted(url, hello(label="first")) as wire:
            await wire.speak(0, RATE)
            crowd = [await asyncio.open_connection("127.0.0.1", port) for _ in range(150)]
            dropped = [asyncio.create_task(reader.read()) for reader, _ in crowd]
            await asyncio.wait(dropped, return_when=asyncio.FIRST_COMPLETED)
            await wire.speak(2 * RATE, RATE)  # a gap needs a descriptor for a moment
            await wire.say(Position(10 * RATE))
            await wire.speak(10 * RATE, RATE)  # and so does another recording
            assert len(await wire.end(11 * RATE)) == 2
        for _, writer in crowd:
            writer.transport.abort()
        await asyncio.gather(*dropped, return_exceptions=True)
        async with await Wire.greeted(url, hello(label="second")) as wire:
            await wire.speak(0, RATE)
            await wire.end(RATE)
        assert "Traceback" not in (await server.stop()).stderr
    found = {one.path.name: one.pcm for one in recordings(tmp_path / "audio")}
    assert list(found.values()) == [
        pcm(0, RATE) + bytes(2 * RATE) + pcm(2 * RATE, RATE),
        pcm(0, RATE),
        pcm(10 * RATE, RATE),
    ]
