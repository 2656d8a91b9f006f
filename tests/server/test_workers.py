"""A server of several processes: each stream is recorded by the one that owns it, whichever way it comes."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING

import pytest

from plugandtell.core.errors import InvalidSetting
from plugandtell.core.protocol.codec import encode
from plugandtell.core.protocol.messages import Ack, Audio, End, SegmentSaved, Welcome
from plugandtell.core.shard import shard_of
from plugandtell.server.settings import ServerSettings
from plugandtell.server.workers.moving import text_frame
from tests.support.processes import finished, running_server
from tests.support.recordings import recordings
from tests.support.wire import RATE, WITHIN_S, Wire, hello, pcm
from tests.support.workers import hello_for, logged, naming

if TYPE_CHECKING:
    from pathlib import Path

    from plugandtell.core.protocol.messages import Hello

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows hands no connections on")


async def test_streams_are_spread_and_each_is_recorded_by_its_owner(tmp_path: Path) -> None:
    greetings = [hello(label=f"client-{number}") for number in range(12)]
    async with running_server(tmp_path, "--workers=3") as (server, url):

        async def stream(number: int, greeting: Hello) -> None:
            async with await Wire.greeted(url, greeting, **naming(greeting, is_named=number % 2 == 0)) as wire:
                await wire.speak(number, RATE)
                assert len(await wire.end(number + RATE)) == 1

        await asyncio.gather(*(stream(number, greeting) for number, greeting in enumerate(greetings)))
        assert (await server.stop()).status == 0
    found = {one.sidecar["stream_id"]: one.pcm for one in recordings(tmp_path / "audio")}
    assert found == {str(greeting.stream_id): pcm(number, RATE) for number, greeting in enumerate(greetings)}
    recorded_by = {line["stream_id"]: line["worker"] for line in logged(tmp_path, "segment_saved")}
    assert recorded_by == {str(one.stream_id): shard_of(one.stream_id, 3) + 1 for one in greetings}


@pytest.mark.parametrize("is_named_first", [True, False])
@pytest.mark.parametrize("is_named_later", [True, False])
async def test_a_stream_that_resumes_finds_its_recording(
    tmp_path: Path, is_named_first: bool, is_named_later: bool
) -> None:
    async with running_server(tmp_path, "--workers=2", "--resume-window=30") as (server, url):
        for worker in (1, 2):
            greeting = hello_for(worker)
            async with await Wire.greeted(url, greeting, **naming(greeting, is_named=is_named_first)) as wire:
                await wire.speak(0, RATE)
                await wire.hear(Ack)
            for _ in range(2):  # whichever worker is the next in turn
                async with await Wire.open(url, **naming(greeting, is_named=is_named_later)) as wire:
                    await wire.say(greeting)
                    resume_from = (await wire.hear(Welcome)).resume_from
                    assert resume_from >= RATE // 2
            async with await Wire.greeted(url, greeting, **naming(greeting, is_named=is_named_later)) as wire:
                await wire.speak(resume_from, 2 * RATE - resume_from)
                assert len(await wire.end(2 * RATE)) == 1
        assert (await server.stop()).status == 0
    assert [one.pcm for one in recordings(tmp_path / "audio")] == [pcm(0, 2 * RATE)] * 2


@pytest.mark.parametrize("worker", [1, 2])
async def test_a_client_that_says_everything_at_once_is_heard(tmp_path: Path, worker: int) -> None:
    """Its request, its hello, and all that follows, before anybody answers."""
    greeting = hello_for(worker)
    request = (
        "GET /v1/stream HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        "Sec-WebSocket-Protocol: plugandtell.v1\r\n\r\n"
    )
    said = request.encode()
    for message in (greeting, Audio(0, pcm(0, RATE)), End(RATE)):
        raw = encode(message)
        frame = text_frame(raw.encode() if isinstance(raw, str) else raw)
        said += frame if isinstance(raw, str) else bytes((0x82,)) + frame[1:]
    async with running_server(tmp_path, "--workers=2") as (server, url):
        for _ in range(2):
            reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
            writer.write(said)
            async with asyncio.timeout(WITHIN_S):
                await reader.readuntil(b"segment_saved")
            writer.transport.abort()
        assert (await server.stop()).status == 0
    assert [one.pcm for one in recordings(tmp_path / "audio")] == [pcm(0, RATE)]


async def test_a_stream_is_in_use_whichever_worker_its_second_connection_comes_by(tmp_path: Path) -> None:
    async with running_server(tmp_path, "--workers=2") as (_, url):
        for worker in (1, 2):
            greeting = hello_for(worker)
            async with await Wire.greeted(url, greeting, **naming(greeting)):
                for _ in range(2):
                    async with await Wire.open(url) as other:
                        await other.say(greeting)
                        assert await other.hear_out() == 4001


async def test_who_stops_it_gets_everything_saved_and_told(tmp_path: Path) -> None:
    async with running_server(tmp_path, "--workers=2") as (server, url):
        greetings = [hello_for(worker) for worker in (1, 2, 1, 2)]
        wires = [await Wire.greeted(url, one, **naming(one, is_named=n < 2)) for n, one in enumerate(greetings)]
        for wire in wires:
            await wire.speak(0, RATE)
            await wire.hear(Ack)
        outcome = asyncio.create_task(server.stop())
        assert [await wire.hear_out() for wire in wires] == [1001] * 4
        assert (await outcome).status == 0
        assert all(len(wire.all_heard(SegmentSaved)) == 1 for wire in wires)
    found = recordings(tmp_path / "audio")
    assert len(found) == 4
    assert all(one.pcm == pcm(0, len(one.pcm) // 2) and one.sidecar["reason"] == "shutdown" for one in found)


STILLBORN = """
import os, sys
if "plugandtell.server.workers.worker" in sys.orig_argv:
    os._exit(3)
"""


async def test_a_worker_that_cannot_start_ends_the_server_in_plain_words(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(STILLBORN)
    modules = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    outcome = await finished(tmp_path, "server", "--port=0", "--workers=2", environment={"PYTHONPATH": modules})
    assert (outcome.status, outcome.stdout) == (1, "")
    assert "ended before it took connections (exit code 3)" in outcome.stderr


def test_there_are_none_on_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    ServerSettings(workers=1)
    with pytest.raises(InvalidSetting, match=r"--workers.*Windows"):
        ServerSettings(workers=2)
