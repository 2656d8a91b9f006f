"""The whole client against real servers, good and bad, over lines that break."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.typing import Subprotocol

from plugandtell.client.app import stream_to_server
from plugandtell.client.detector import NoDetector
from plugandtell.client.gate_options import GateOptions
from plugandtell.client.settings import ClientSettings, check_url
from plugandtell.core.errors import AudioNotSaved, InvalidSetting, NotOurServer, Refused, ServerUnreachable
from plugandtell.core.pace import Pace
from plugandtell.core.protocol.codec import decode_client, encode
from plugandtell.core.protocol.messages import (
    SUBPROTOCOL,
    Ack,
    Audio,
    End,
    EndReason,
    Error,
    Hello,
    Position,
    SegmentDiscarded,
    SegmentSaved,
    Welcome,
)
from plugandtell.server.app import running_server
from plugandtell.server.settings import ServerSettings
from tests.support.proxy import proxy_to
from tests.support.recordings import recordings
from tests.support.speech import RATE, sentence, silence, write_wav

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    Script = Callable[["FakeServer", ServerConnection], Awaitable[None]]

BATCH_SAMPLES = 1600


async def stream(path: Path, url: str, stop: asyncio.Event | None = None, **changes: Any) -> list[SegmentSaved]:
    """Stream a file as fast as may be; returns what was saved."""
    saved: list[SegmentSaved] = []
    gate = GateOptions(vad=changes.pop("vad", "none"))
    defaults: dict[str, Any] = {"input": str(path), "pace": Pace.FAST, "label": "laptop"}
    settings = ClientSettings(**(defaults | changes))
    async with asyncio.timeout(30):
        await stream_to_server(settings, gate, url, stop or asyncio.Event(), lambda one, _: saved.append(one))
    return saved


class FakeServer:
    """Says what its script tells it to say."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self.url = ""
        self.connections = 0
        self.heard: list[Hello | Audio | Position | End] = []

    async def handle(self, socket: ServerConnection) -> None:
        self.connections += 1
        await self._script(self, socket)
        await socket.close()

    async def hear(self, socket: ServerConnection) -> Hello | Audio | Position | End:
        message = decode_client(await socket.recv())
        self.heard.append(message)
        return message

    async def welcome(self, socket: ServerConnection) -> Hello:
        greeting = await self.hear(socket)
        assert isinstance(greeting, Hello)
        await socket.send(encode(Welcome(greeting.stream_id, 0, 3000, 1_048_576)))
        return greeting


@asynccontextmanager
async def fake_server(script: Script) -> AsyncIterator[FakeServer]:
    fake = FakeServer(script)
    async with serve(fake.handle, "127.0.0.1", 0, subprotocols=[Subprotocol(SUBPROTOCOL)], compression=None) as server:
        fake.url = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"
        yield fake


@pytest.fixture
def speech(tmp_path: Path) -> Path:
    write_wav(tmp_path / "in.wav", silence(0.2), sentence(2), silence(0.2))
    return tmp_path / "in.wav"


async def test_a_line_that_is_cut_again_and_again_leaves_one_whole_recording(tmp_path: Path) -> None:
    whole = write_wav(tmp_path / "in.wav", *(sentence(number) for number in range(5)))
    settings = ServerSettings(port=0, audio_dir=tmp_path / "audio", resume_window=30)
    async with running_server(settings) as server, proxy_to(server.url) as proxy:
        streaming = asyncio.create_task(stream(tmp_path / "in.wav", proxy.url))
        for _ in range(5):
            await proxy.passed_bytes(20_000)
            proxy.cut()
        (saved,) = await streaming
        assert proxy.connections >= 4
    (found,) = recordings(tmp_path / "audio")
    assert found.pcm == whole
    assert found.path.name == saved.file
    assert found.sidecar["gaps"] == []


async def test_a_connection_that_stands_but_is_dead_is_noticed(tmp_path: Path) -> None:
    whole = write_wav(tmp_path / "in.wav", *(sentence(number) for number in range(5)))
    settings = ServerSettings(port=0, audio_dir=tmp_path / "audio", resume_window=30)
    async with running_server(settings) as server, proxy_to(server.url) as proxy:
        streaming = asyncio.create_task(stream(tmp_path / "in.wav", proxy.url, keepalive=0.4))
        await proxy.passed_bytes(20_000)
        proxy.stall()
        await streaming
        assert proxy.connections == 2
    (found,) = recordings(tmp_path / "audio")
    assert found.pcm == whole


async def test_a_line_that_is_cut_while_nothing_is_said_does_not_join_what_silence_parts(tmp_path: Path) -> None:
    whole = write_wav(tmp_path / "in.wav", silence(0.5), sentence(0), silence(3.4), sentence(1), silence(0.5))
    settings = ServerSettings(port=0, audio_dir=tmp_path / "audio", resume_window=30)
    async with running_server(settings) as server, proxy_to(server.url) as proxy:
        streaming = asyncio.create_task(stream(tmp_path / "in.wav", proxy.url, vad="webrtc"))
        await proxy.passed_bytes(60_000)
        proxy.cut()
        await streaming
    found = recordings(tmp_path / "audio")
    assert len(found) == 2
    for item in found:
        start, end = item.sidecar["start_index"], item.sidecar["end_index"]
        assert item.pcm == whole[2 * start : 2 * end]


async def test_a_server_that_is_gone_for_good_is_given_up_with_the_count_of_what_is_missing(speech: Path) -> None:
    async def vanish(server: FakeServer, socket: ServerConnection) -> None:
        await server.welcome(socket)
        await server.hear(socket)
        socket.transport.abort()

    async def refuse_all(server: FakeServer, socket: ServerConnection) -> None:
        if server.connections > 1:
            socket.transport.abort()
        else:
            await vanish(server, socket)

    async with fake_server(refuse_all) as fake:
        with pytest.raises(AudioNotSaved) as caught:
            await stream(speech, fake.url, give_up_after=0.5)
    assert caught.value.samples == round(0.4 * RATE) + len(sentence(2))


async def test_who_wants_to_go_does_not_wait_for_a_server_that_is_gone(speech: Path) -> None:
    stop = asyncio.Event()

    async def vanish(server: FakeServer, socket: ServerConnection) -> None:
        if server.connections == 1:
            await server.welcome(socket)
            await server.hear(socket)
        stop.set()
        socket.transport.abort()

    async with fake_server(vanish) as fake:
        with pytest.raises(AudioNotSaved):
            await stream(speech, fake.url, stop, give_up_after=3600)


async def test_a_refusal_in_the_middle_says_why(speech: Path) -> None:
    async def refuse(server: FakeServer, socket: ServerConnection) -> None:
        await server.welcome(socket)
        await server.hear(socket)
        await socket.send(encode(Error("index_jumped", "your clock is broken")))
        await socket.close(4000, "your clock is broken")

    async with fake_server(refuse) as fake:
        with pytest.raises(Refused, match="your clock is broken"):
            await stream(speech, fake.url)
        assert fake.connections == 1


async def test_a_server_that_saves_nothing_is_not_believed(speech: Path) -> None:
    async def forget(server: FakeServer, socket: ServerConnection) -> None:
        await server.welcome(socket)
        while not isinstance(message := await server.hear(socket), End):
            pass
        await socket.send(encode(Ack(message.index)))

    async with fake_server(forget) as fake:
        with pytest.raises(AudioNotSaved, match="without saving"):
            await stream(speech, fake.url)
        assert fake.connections == 1


async def test_a_server_that_loses_its_manners_is_none_of_ours(speech: Path) -> None:
    async def babble(server: FakeServer, socket: ServerConnection) -> None:
        await server.welcome(socket)
        await socket.send("good day")
        await socket.wait_closed()

    async with fake_server(babble) as fake:
        with pytest.raises(NotOurServer, match="good day"):
            await stream(speech, fake.url)


async def test_a_server_that_acknowledges_nothing_is_not_flooded(tmp_path: Path) -> None:
    write_wav(tmp_path / "in.wav", *[sentence(2)] * 8)
    stop = asyncio.Event()

    async def only_listen(server: FakeServer, socket: ServerConnection) -> None:
        if server.connections == 1:
            await server.welcome(socket)
            while _samples_heard(server) <= 10 * RATE:
                await server.hear(socket)
            with suppress(TimeoutError):
                async with asyncio.timeout(1):
                    while True:
                        await server.hear(socket)
        stop.set()
        socket.transport.abort()

    async with fake_server(only_listen) as fake:
        with pytest.raises(AudioNotSaved):
            await stream(tmp_path / "in.wav", fake.url, stop)
    assert 10 * RATE < _samples_heard(fake) < 12 * RATE


def _samples_heard(server: FakeServer) -> int:
    return sum(len(message.pcm) // 2 for message in server.heard if isinstance(message, Audio))


async def test_frames_leave_in_batches(speech: Path) -> None:
    async def take(server: FakeServer, socket: ServerConnection) -> None:
        await server.welcome(socket)
        while not isinstance(await server.hear(socket), End):
            pass

    async with fake_server(take) as fake:
        with pytest.raises(AudioNotSaved):
            await stream(speech, fake.url)
    sizes = [len(message.pcm) // 2 for message in fake.heard if isinstance(message, Audio)]
    assert all(size >= BATCH_SAMPLES for size in sizes[:-1])


async def test_a_segment_that_is_discarded_is_settled_too(speech: Path) -> None:
    async def discard(server: FakeServer, socket: ServerConnection) -> None:
        await server.welcome(socket)
        while not isinstance(message := await server.hear(socket), End):
            pass
        await socket.send(encode(Ack(message.index)))
        await socket.send(encode(SegmentDiscarded(UUID(int=1), 0, message.index)))

    async with fake_server(discard) as fake:
        assert await stream(speech, fake.url) == []


async def test_what_is_told_again_after_a_reconnection_is_reported_once(speech: Path) -> None:
    async def repeat(server: FakeServer, socket: ServerConnection) -> None:
        await server.welcome(socket)
        while not isinstance(message := await server.hear(socket), End):
            pass
        await socket.send(encode(Ack(message.index)))
        for _ in range(3):
            await socket.send(encode(SegmentSaved(UUID(int=1), "a.wav", 0, message.index, 1, EndReason.END)))

    async with fake_server(repeat) as fake:
        assert len(await stream(speech, fake.url)) == 1


@pytest.mark.parametrize("answers", [[], [Ack(0)]], ids=["silent", "acknowledges nothing new"])
async def test_a_server_that_welcomes_and_drops_is_given_up_too(speech: Path, answers: list[Ack]) -> None:
    async def welcome_and_drop(server: FakeServer, socket: ServerConnection) -> None:
        await server.welcome(socket)
        await server.hear(socket)
        for answer in answers:
            await socket.send(encode(answer))
        socket.transport.abort()

    async with fake_server(welcome_and_drop) as fake:
        with pytest.raises(AudioNotSaved, match="was lost"):
            await stream(speech, fake.url, give_up_after=1)
        assert fake.connections > 1


async def test_what_nobody_expected_ends_the_client(speech: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_detector: NoDetector, _frame: bytes) -> float:
        raise RuntimeError("the detector is broken")

    monkeypatch.setattr(NoDetector, "probability", fail)

    async def listen(server: FakeServer, socket: ServerConnection) -> None:
        await server.welcome(socket)
        await socket.wait_closed()

    async with fake_server(listen) as fake:
        with pytest.raises(RuntimeError, match="the detector is broken"):
            await stream(speech, fake.url)


async def test_nobody_at_the_address(speech: Path) -> None:
    with pytest.raises(ServerUnreachable, match="no server answers"):
        await stream(speech, "ws://127.0.0.1:9")


@pytest.mark.parametrize("url", ["ws://127.0.0.1:3000", "wss://host.example", "ws://[::1]:3000/v1/stream"])
def test_addresses_that_can_be_used(url: str) -> None:
    assert check_url(url) == url


@pytest.mark.parametrize(
    "url",
    ["", "3000", "127.0.0.1:3000", "http://host", "ws://", "ws://host:x", "ws://host:99999", "ws://a b", "ws://[::1"],
)
def test_addresses_that_cannot(url: str) -> None:
    with pytest.raises(InvalidSetting, match="--server"):
        check_url(url)
