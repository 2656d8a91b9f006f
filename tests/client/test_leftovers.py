"""What earlier clients left in the spool, and how it reaches a server: before the rest, and never in its way."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from plugandtell.client.settings import Leftovers
from plugandtell.client.spool import Spool
from plugandtell.core.audio import SPEECH
from plugandtell.core.errors import AudioNotSaved, ServerUnreachable
from plugandtell.core.protocol.codec import encode
from plugandtell.core.protocol.messages import Ack, Audio, End, EndReason, Error, Hello, Position, SegmentSaved
from plugandtell.server.app import running_server
from plugandtell.server.settings import ServerSettings
from tests.client.test_app import FakeServer, fake_server, stream
from tests.support.processes import free_port
from tests.support.recordings import recordings
from tests.support.speech import sentence, silence, write_wav
from tests.support.wire import RATE, STARTED_AT, hello, pcm

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from websockets.asyncio.server import ServerConnection

URL = "ws://127.0.0.1:3000"


@pytest.fixture
def spool(state_folder: Path) -> Spool:
    return Spool(state_folder / "plugandtell" / "spool", 100_000_000, SPEECH)


@pytest.fixture
def speech(tmp_path: Path) -> Path:
    write_wav(tmp_path / "in.wav", sentence(4))
    return tmp_path / "in.wav"


def leave(
    spool: Spool, label: str, server: str = URL, age_s: float = 0.0, parts: Sequence[Audio | Position] = ()
) -> Hello:
    """As a client does that dies."""
    greeting = replace(hello(label=label), started_at=STARTED_AT - timedelta(seconds=age_s))
    left = spool.begin(greeting, server)
    for part in parts or [Audio(0, pcm(0, RATE))]:
        if isinstance(part, Audio):
            left.store.append(part.start, bytes(part.pcm))
        else:
            left.store.note(part)
    spool.release(left)
    return greeting


def folders(spool: Spool) -> list[Path]:
    return [path for path in spool.folder.iterdir() if path.is_dir()]


async def test_what_is_left_is_sent_first_the_oldest_before_all(tmp_path: Path, spool: Spool, speech: Path) -> None:
    leave(spool, "newer", age_s=60)
    leave(spool, "older", age_s=120)
    async with running_server(ServerSettings(port=0, audio_dir=tmp_path / "audio")) as server:
        saved = await stream(speech, server.url, label="now")
    assert [item.file.rpartition("_")[2] for item in saved] == ["older.wav", "newer.wav", "now.wav"]
    found = recordings(tmp_path / "audio")
    assert [item.pcm for item in found[:2]] == [pcm(0, RATE)] * 2
    assert found[0].sidecar["reason"] == "end"
    assert folders(spool) == []


async def test_segments_end_where_they_would_have(tmp_path: Path, spool: Spool, speech: Path) -> None:
    """The pause is shorter than the silence that ends a recording if the hangover counts, and longer if it does not."""
    second = 4 * RATE + RATE // 2
    before, after = Audio(0, pcm(0, 2 * RATE)), Audio(second, pcm(second, RATE))
    parts: list[Audio | Position] = [before, Position(4 * RATE, RATE), after]
    leave(spool, "left", parts=parts)
    async with running_server(ServerSettings(port=0, audio_dir=tmp_path / "audio")) as server:
        await stream(speech, server.url, label="now")
    left = [item for item in recordings(tmp_path / "audio") if item.sidecar["labels"]["name"] == "left"]
    assert [item.sidecar["reason"] for item in left] == ["silence", "end"]
    assert [item.pcm for item in left] == [pcm(0, 2 * RATE), pcm(second, RATE)]
    assert left[0].sidecar["voiced_samples"] == RATE


async def test_what_was_meant_for_another_host_does_not_go_here(tmp_path: Path, spool: Spool, speech: Path) -> None:
    leave(spool, "left", server="wss://host.example")
    async with running_server(ServerSettings(port=0, audio_dir=tmp_path / "audio")) as server:
        with capture_logs() as lines:
            assert len(await stream(speech, server.url)) == 1
        (line,) = [line for line in lines if line["event"] == "leftover_of_another_server"]
        assert "host.example" in line["server"]
        assert len(await stream(speech, server.url, leftovers=Leftovers.NONE)) == 1
        assert len(folders(spool)) == 1
        assert len(await stream(speech, server.url, leftovers=Leftovers.ANY)) == 2
    assert folders(spool) == []


@pytest.mark.parametrize("at", ["hello", "audio"])
async def test_what_a_server_refuses_for_good_stays_and_stops_nothing(spool: Spool, speech: Path, at: str) -> None:
    refused = leave(spool, "left").stream_id

    async def refuse_one(server: FakeServer, socket: ServerConnection) -> None:
        greeting = await (server.hear(socket) if at == "hello" and server.connections == 1 else server.welcome(socket))
        assert isinstance(greeting, Hello)
        if greeting.stream_id == refused:
            await socket.send(encode(Error("format_refused", "not this one")))
            await socket.close(1008, "not this one")
            return
        while not isinstance(message := await server.hear(socket), End):
            pass
        await socket.send(encode(Ack(message.index)))
        await socket.send(encode(SegmentSaved(refused, "a.wav", 0, message.index, 1, EndReason.END)))

    async with fake_server(refuse_one) as fake:
        with capture_logs() as lines:
            assert len(await stream(speech, fake.url)) == 1
    (line,) = [line for line in lines if line["event"] == "leftover_not_sent"]
    assert (line["log_level"], line["kept_s"]) == ("error", 1.0)
    assert "not this one" in line["error"]
    assert [folder.name for folder in folders(spool)] == [str(refused)]


async def test_of_a_damaged_leftover_what_can_be_read_is_sent(tmp_path: Path, spool: Spool, speech: Path) -> None:
    leave(spool, "left", parts=[Audio(start, pcm(start, 8000)) for start in range(0, 4 * RATE, 8000)])
    (chunk,) = spool.folder.glob("*/*.chunk")
    data = bytearray(chunk.read_bytes())
    data[3 * 16_032 + 100] ^= 1
    chunk.write_bytes(data)
    async with running_server(ServerSettings(port=0, audio_dir=tmp_path / "audio")) as server:
        with capture_logs() as lines:
            await stream(speech, server.url)
    assert "spool_damaged" in [line["event"] for line in lines]
    (found,) = [item for item in recordings(tmp_path / "audio") if item.sidecar["labels"]["name"] == "left"]
    assert found.pcm == pcm(0, 24_000) + bytes(16_000) + pcm(32_000, 32_000)
    assert found.sidecar["gaps"] == [{"start_index": 24_000, "samples": 8_000}]
    assert [path.name for path in spool.folder.glob("*/*")] == ["00000001.damaged"]


async def test_a_spool_that_cannot_be_used_is_said_and_stops_nothing(tmp_path: Path, speech: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    async with running_server(ServerSettings(port=0, audio_dir=tmp_path / "audio")) as server:
        with capture_logs() as lines:
            assert len(await stream(speech, server.url, spool_dir=tmp_path / "file")) == 1
    (line,) = [line for line in lines if line["event"] == "spool_failed"]
    assert (line["log_level"], line["kept_in"]) == ("error", "memory")


async def test_without_a_spool_nothing_is_written(tmp_path: Path, speech: Path) -> None:
    async with running_server(ServerSettings(port=0, audio_dir=tmp_path / "audio")) as server:
        assert len(await stream(speech, server.url, spool_dir=tmp_path / "spool", spool_mb=0)) == 1
    assert not (tmp_path / "spool").exists()


async def test_when_all_is_saved_the_spool_is_empty(tmp_path: Path, spool: Spool, speech: Path) -> None:
    async with running_server(ServerSettings(port=0, audio_dir=tmp_path / "audio")) as server:
        await stream(speech, server.url)
    assert folders(spool) == []


async def test_who_finds_no_server_leaves_nothing(spool: Spool, speech: Path) -> None:
    with pytest.raises(ServerUnreachable):
        await stream(speech, f"ws://127.0.0.1:{free_port()}")
    assert folders(spool) == []


async def test_what_a_server_that_went_away_does_not_have_is_kept(tmp_path: Path, spool: Spool, speech: Path) -> None:
    async def vanish(server: FakeServer, socket: ServerConnection) -> None:
        await server.welcome(socket)
        await server.hear(socket)
        socket.transport.abort()

    async with fake_server(vanish) as fake:
        with pytest.raises(AudioNotSaved) as caught:
            await stream(speech, fake.url, give_up_after=0.3)
    assert caught.value.kept_s == pytest.approx(len(sentence(4)) / RATE)
    async with running_server(ServerSettings(port=0, audio_dir=tmp_path / "audio")) as server:
        write_wav(tmp_path / "later.wav", silence(1))
        await stream(tmp_path / "later.wav", server.url, vad="webrtc")
    (found,) = recordings(tmp_path / "audio")
    assert found.pcm == sentence(4).tobytes()


async def test_when_the_spool_is_full_the_oldest_audio_goes_and_the_exit_tells(spool: Spool, speech: Path) -> None:
    small = Spool(spool.folder, 1_000_000, SPEECH)
    left = leave(small, "left", parts=[Audio(start, pcm(start, 8000)) for start in range(0, 30 * RATE, 8000)])
    oldest = spool.folder / str(left.stream_id) / "00000001.chunk"

    async def take_late(server: FakeServer, socket: ServerConnection) -> None:
        await server.welcome(socket)
        async with asyncio.timeout(30):
            while oldest.exists():  # noqa: ASYNC110  (a file is the only sign)
                await asyncio.sleep(0.01)
        while not isinstance(message := await server.hear(socket), End):
            pass
        await socket.send(encode(Ack(message.index)))
        await socket.send(encode(SegmentSaved(left.stream_id, "a.wav", 0, message.index, 1, EndReason.END)))

    async with fake_server(take_late) as fake:
        with capture_logs() as lines, pytest.raises(AudioNotSaved, match="no room"):
            await stream(speech, fake.url, spool_mb=1)
    (line,) = [line for line in lines if line["event"] == "spool_full"]
    assert line["log_level"] == "error"
    assert line["lost_s"] == pytest.approx(1.5)


async def test_a_client_may_wait_for_its_server(tmp_path: Path, speech: Path) -> None:
    asked = asyncio.Event()

    async def not_yet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.set()
        await reader.readline()
        writer.write(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    waiting_room = await asyncio.start_server(not_yet, "127.0.0.1", 0)
    port = waiting_room.sockets[0].getsockname()[1]
    streaming = asyncio.create_task(stream(speech, f"ws://127.0.0.1:{port}", wait_for_server=True))
    await asked.wait()
    waiting_room.close()
    async with running_server(ServerSettings(port=port, audio_dir=tmp_path / "audio")):
        assert len(await streaming) == 1
    (found,) = recordings(tmp_path / "audio")
    assert found.pcm == sentence(4).tobytes()
