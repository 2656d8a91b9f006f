"""Streams that go from one server to another."""

from __future__ import annotations

import asyncio
import subprocess
from contextlib import suppress
from typing import TYPE_CHECKING
from uuid import uuid4

from plugandtell.core.protocol.messages import Ack, Position, SegmentStarted, Welcome
from tests.support.processes import running, running_server
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


class Switch:
    """A load balancer in the hand of the test: new connections go to `url`'s server."""

    def __init__(self) -> None:
        self.url = ""
        self._writers: list[asyncio.StreamWriter] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", int(self.url.rpartition(":")[2]))
        self._writers += [writer, far_writer]
        with suppress(OSError):
            await asyncio.gather(_pass(reader, far_writer), _pass(far_reader, writer))

    def cut(self) -> None:
        """Break every connection."""
        for writer in self._writers:
            writer.transport.abort()


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()
    writer.transport.abort()


async def test_a_client_whose_server_is_exchanged_goes_on_and_nothing_is_lost(tmp_path: Path) -> None:
    """A real client and two real servers."""
    content = pcm(0, 12 * RATE)
    switch = Switch()
    listening = await asyncio.start_server(switch.serve, "127.0.0.1", 0)
    url = f"ws://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    for name in "ab":
        (tmp_path / name).mkdir()
    async with (
        running_server(tmp_path / "a") as (first, first_url),
        running_server(tmp_path / "b") as (second, second_url),
    ):
        switch.url = first_url
        flags = (f"--server={url}", "--input=-", "--vad=none", "--log-level=debug", f"--spool-dir={tmp_path / 'spool'}")
        async with running(tmp_path, "client", *flags, stdin=subprocess.PIPE) as client:
            assert client.process.stdin is not None
            client.process.stdin.write(content[: len(content) // 2])
            await first.logged("transfer in progress")
            await client.logged("segment started")  # only then can it say what the next recording continues
            switch.url = second_url
            switch.cut()
            client.process.stdin.write(content[len(content) // 2 :])
            client.process.stdin.close()
            outcome = await client.outcome()
            assert outcome.status == 0, outcome.stderr
        await first.stop()
        await second.stop()
    listening.close()
    (before,), (after,) = recordings(tmp_path / "a" / "audio"), recordings(tmp_path / "b" / "audio")
    assert after.sidecar["continues"] == before.sidecar["segment_id"]
    assert after.sidecar["stream_id"] == before.sidecar["stream_id"]
    overlap = before.sidecar["end_index"] - after.sidecar["start_index"]
    assert overlap >= 0
    assert before.pcm + after.pcm[2 * overlap :] == content
