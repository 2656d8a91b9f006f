"""Workers and servers that are killed: only the streams of the dead notice, and nothing is lost or doubled."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from typing import TYPE_CHECKING

import pytest
from websockets.exceptions import ConnectionClosed

from plugandtell.core.protocol.messages import Ack, Position, SegmentSaved, Welcome
from tests.support.processes import running_server
from tests.support.recordings import recordings
from tests.support.watching import ended
from tests.support.wire import RATE, Wire, pcm
from tests.support.workers import hello_for, logged, naming, pid_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.recordings import Found

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows hands no connections on")


def audio_of(found: list[Found]) -> list[tuple[bytes, str | None]]:
    """The audio of a stream, recording by recording, and which each continues."""
    return [
        (one.pcm, one.sidecar["continues"]) for one in sorted(found, key=lambda one: int(one.sidecar["start_index"]))
    ]


@pytest.mark.parametrize("is_named", [True, False])
async def test_only_the_streams_of_a_worker_that_is_killed_notice(tmp_path: Path, is_named: bool) -> None:
    struck, spared = hello_for(1), hello_for(2)
    async with running_server(tmp_path, "--workers=2") as (server, url):
        one = await Wire.greeted(url, struck, **naming(struck, is_named=is_named))
        other = await Wire.greeted(url, spared, **naming(spared, is_named=is_named))
        for wire in (one, other):
            await wire.speak(0, RATE)
            await wire.say(Position(RATE))
            while (await wire.hear(Ack)).stored_to < RATE:
                pass
        os.kill(await pid_of(tmp_path, 1), signal.SIGKILL)
        with pytest.raises(ConnectionClosed):
            await one.hear(Welcome)
        await other.speak(RATE, RATE)
        async with await Wire.open(url, **naming(struck, is_named=is_named)) as again:
            await again.say(struck)
            assert (await again.hear(Welcome)).resume_from == RATE
            mended = await again.hear(SegmentSaved)
            await again.speak(RATE // 2, 3 * RATE // 2)  # more than asked for: the overlap is trimmed
            saved = await again.end(2 * RATE)
        await other.end(2 * RATE)
        assert (await server.stop()).status == 0
    assert [line["cause"] for line in logged(tmp_path, "worker_died")] == ["signal 9, SIGKILL"]
    found = recordings(tmp_path / "audio")
    assert audio_of([one for one in found if one.sidecar["stream_id"] == str(spared.stream_id)]) == [
        (pcm(0, 2 * RATE), None)
    ]
    assert audio_of([one for one in found if one.sidecar["stream_id"] == str(struck.stream_id)]) == [
        (pcm(0, RATE), None),
        (pcm(RATE, RATE), str(mended.segment_id)),
    ]
    assert {one.file for one in saved} <= {one.path.name for one in found}


async def test_a_worker_is_started_again_as_often_as_it_dies(tmp_path: Path) -> None:
    greeting = hello_for(2)
    async with running_server(tmp_path, "--workers=2") as (server, url):
        for life in (1, 2, 3):
            async with await Wire.greeted(url, greeting, **naming(greeting)) as wire:
                await wire.speak((life - 1) * RATE, RATE)
                await wire.say(Position(life * RATE))
                while (await wire.hear(Ack)).stored_to < life * RATE:
                    pass
                os.kill(await pid_of(tmp_path, 2, life), signal.SIGKILL)
                await wire.hear_out()
        async with await Wire.greeted(url, greeting, **naming(greeting)) as wire:
            await wire.end(3 * RATE)
        assert (await server.stop()).status == 0
    found = recordings(tmp_path / "audio")
    assert [one.pcm for one in found] == [pcm(life * RATE, RATE) for life in range(3)]
    pauses = [line["next_start_s"] for line in logged(tmp_path, "worker_died")]
    assert pauses == [0.1, 0.2, 0.4]


@pytest.mark.parametrize("after", [1, 2, 3])
async def test_a_stream_goes_on_though_the_next_server_has_more_or_fewer_workers(tmp_path: Path, after: int) -> None:
    """The server is killed, and takes its workers along."""
    greetings = [hello_for(worker) for worker in (1, 2, 1, 2)]
    async with running_server(tmp_path, "--workers=2") as (server, url):
        for greeting in greetings:
            wire = await Wire.greeted(url, greeting, **naming(greeting))
            await wire.speak(0, RATE)
            await wire.say(Position(RATE))
            while (await wire.hear(Ack)).stored_to < RATE:
                pass
        pids = [await pid_of(tmp_path, worker) for worker in (1, 2)]
        server.process.kill()
        await server.process.wait()
        assert await ended(*pids)
    async with running_server(tmp_path, f"--workers={after}") as (server, url):
        for greeting in greetings:
            async with await Wire.open(url, **naming(greeting)) as wire:
                await wire.say(greeting)
                assert (await wire.hear(Welcome)).resume_from == RATE
                await wire.speak(RATE, RATE)
                await wire.end(2 * RATE)
        assert (await server.stop()).status == 0
    found = recordings(tmp_path / "audio")
    assert len(found) == 8
    for greeting in greetings:
        own = [one for one in found if one.sidecar["stream_id"] == str(greeting.stream_id)]
        first = next(one for one in own if one.sidecar["start_index"] == 0)
        assert audio_of(own) == [(pcm(0, RATE), None), (pcm(RATE, RATE), first.sidecar["segment_id"])]


async def test_a_silent_segment_is_known_though_the_number_of_workers_changes(tmp_path: Path) -> None:
    greetings = [hello_for(worker) for worker in (1, 2, 1, 2)]
    async with running_server(tmp_path, "--workers=2", "--silence=0.5") as (server, url):
        for greeting in greetings:
            async with await Wire.greeted(url, greeting, **naming(greeting)) as wire:
                await wire.speak(0, RATE)
                await wire.say(Position(4 * RATE, 0))
                await wire.end(4 * RATE)
        assert (await server.stop()).status == 0
    for workers in (3, 1):
        async with running_server(tmp_path, f"--workers={workers}") as (server, url):
            for greeting in greetings:
                async with await Wire.open(url, **naming(greeting)) as wire:
                    await wire.say(greeting)
                    assert (await wire.hear(Welcome)).resume_from == RATE
            assert (await server.stop()).status == 0
    assert not list((tmp_path / "audio").glob("*.wav*"))


async def test_what_a_dead_worker_left_is_in_place_when_the_server_has_stopped(tmp_path: Path) -> None:
    greeting = hello_for(1)
    async with running_server(tmp_path, "--workers=2") as (server, url):
        wire = await Wire.greeted(url, greeting, **naming(greeting))
        await wire.speak(0, RATE)
        await wire.say(Position(RATE))
        while (await wire.hear(Ack)).stored_to < RATE:
            pass
        pid = await pid_of(tmp_path, 1)
        os.kill(pid, signal.SIGSTOP)  # so that it does not stop in order
        stopping = asyncio.create_task(server.stop())
        os.kill(pid, signal.SIGKILL)
        assert (await stopping).status == 0
    (found,) = recordings(tmp_path / "audio")
    assert (found.pcm, found.sidecar["reason"]) == (pcm(0, RATE), "recovered")
