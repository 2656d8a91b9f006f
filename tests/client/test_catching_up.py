"""A long time without a server, and then its return: large blocks, little memory, and live audio goes on."""

from __future__ import annotations

import asyncio
import random
import time
from contextlib import asynccontextmanager
from itertools import groupby
from typing import TYPE_CHECKING

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.typing import Subprotocol

from plugandtell.client.connecting import LineSettings
from plugandtell.client.detector import NoDetector
from plugandtell.client.disk_store import DiskLimits, DiskStore
from plugandtell.client.feed import Feed
from plugandtell.client.reporter import Reporter
from plugandtell.client.source import Losses
from plugandtell.client.uplink import Uplink
from plugandtell.core.audio import SPEECH
from plugandtell.core.gate import AudioGate, GateSettings
from plugandtell.core.protocol.client import ClientStream
from plugandtell.core.protocol.codec import decode_client, encode
from plugandtell.core.protocol.messages import (
    SUBPROTOCOL,
    Ack,
    Audio,
    End,
    EndReason,
    Hello,
    SegmentSaved,
    Welcome,
)
from tests.support.wire import RATE, hello, pcm

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from plugandtell.core.protocol.messages import ClientMessage

LIMITS = DiskLimits()
FRAME = 320


@pytest.fixture
def store(tmp_path: Path) -> Iterator[DiskStore]:
    store = DiskStore(tmp_path, SPEECH, LIMITS, lambda _size_bytes: None)
    yield store
    store.close()


def welcome(greeting: Hello) -> Welcome:
    return Welcome(greeting.stream_id, 0, 3000, 1_048_576)


def test_an_hour_that_waits_takes_two_files_of_memory_and_no_step_takes_more(store: DiskStore) -> None:
    hour = 3600 * RATE
    stream = ClientStream(hello(), SPEECH, 1600, store)
    second = bytes(2 * RATE)
    for start in range(0, hour, RATE):
        stream.add_audio(start, second)
        assert store.memory_bytes <= LIMITS.chunk_bytes
    stream.receive(welcome(stream.hello))
    stream.end(hour)
    sent_to = messages = 0
    while isinstance(message := stream.next_message(), Audio):
        assert message.start == sent_to
        sent_to += len(message.pcm) // 2
        messages += 1
        stream.receive(Ack(sent_to - RATE))
        assert store.memory_bytes <= 2 * LIMITS.chunk_bytes
    assert sent_to == hour
    assert message == End(hour)
    assert messages < 2 * hour * 2 // 65_536


class LiveSource:
    """Hears 20 ms whenever the event loop comes round."""

    name = "live"
    is_live = True
    losses = Losses()

    def __init__(self, start: int, chunks: int, story: list[str]) -> None:
        self._start = start
        self._chunks = chunks
        self._story = story

    async def open(self) -> None: ...

    async def chunks(self) -> AsyncIterator[bytes]:
        for number in range(self._chunks):
            await asyncio.sleep(0)
            self._story.append("heard")
            yield pcm(self._start + number * FRAME, FRAME)

    def stop(self) -> None: ...

    async def close(self) -> None: ...


class Listener:
    """A server that confirms whatever comes, and keeps it."""

    def __init__(self, story: list[str]) -> None:
        self.heard = bytearray()
        self.url = ""
        self._story = story

    async def handle(self, socket: ServerConnection) -> None:
        message: ClientMessage = decode_client(await socket.recv())
        assert isinstance(message, Hello)
        await socket.send(encode(welcome(message)))
        while not isinstance(message := decode_client(await socket.recv()), End):
            if isinstance(message, Audio):
                self._story.append("sent")
                assert message.start == len(self.heard) // 2
                self.heard += message.pcm
                await socket.send(encode(Ack(len(self.heard) // 2)))
        stored_to = len(self.heard) // 2
        await socket.send(encode(SegmentSaved(hello().stream_id, "a.wav", 0, stored_to, 1, EndReason.END)))
        await socket.close()


@asynccontextmanager
async def listener(story: list[str]) -> AsyncIterator[Listener]:
    found = Listener(story)
    subprotocols = [Subprotocol(SUBPROTOCOL)]
    async with serve(found.handle, "127.0.0.1", 0, subprotocols=subprotocols, compression=None) as server:
        found.url = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"
        yield found


async def test_live_audio_is_taken_while_a_backlog_is_sent(store: DiskStore) -> None:
    minutes, chunks = 10 * 60 * RATE, 500
    stream = ClientStream(hello(), SPEECH, 1600, store)
    for start in range(0, minutes, RATE):
        stream.add_audio(start, pcm(start, RATE))
    story: list[str] = []
    reporter = Reporter(lambda _saved: None, time.monotonic)
    async with listener(story) as server:
        settings = LineSettings(server.url, 5.0, 20.0)
        uplink = Uplink(settings, stream, reporter.take_message, time.monotonic, random.random)
        gate = AudioGate(NoDetector(), GateSettings(frame_samples=FRAME, pre_roll_samples=0))
        gate.skip(minutes)
        feed = Feed(LiveSource(minutes, chunks, story), gate, stream, uplink, reporter)
        async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
            tasks.create_task(feed.run())
            await uplink.run()
        await uplink.close()
    assert server.heard == pcm(0, minutes + chunks * FRAME)
    first, last = story.index("sent"), len(story) - story[::-1].index("heard")
    in_a_row = [len(list(items)) for what, items in groupby(story[first:last]) if what == "sent"]
    assert sum(in_a_row) > 100
    assert max(in_a_row) <= 4
