"""Server and client as processes: stopped, killed, and started again."""

from __future__ import annotations

import asyncio
import shlex
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from plugandtell.core.protocol.messages import Ack
from tests.support.processes import free_port, running, running_server
from tests.support.recordings import recordings, slices_of
from tests.support.speech import RATE, sentence, silence, write_wav
from tests.support.wire import Wire, pcm

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_client_that_is_stopped_saves_what_it_heard(tmp_path: Path, number: int) -> None:
    whole = write_wav(tmp_path / "in.wav", silence(0.3), sentence(2), silence(20))
    async with (
        running_server(tmp_path) as (_, url),
        running(tmp_path, "client", f"--server={url}", "--input=in.wav") as client,
    ):
        await client.logged("transfer in progress")
        outcome = await client.stop(number)
    assert outcome.status == 0, outcome.stderr
    ((start, end),) = slices_of(whole, tmp_path / "audio")
    assert start < 0.3 * RATE < end


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_server_that_is_stopped_saves_what_is_open(tmp_path: Path, number: int) -> None:
    async with running_server(tmp_path) as (server, url), await Wire.greeted(url) as wire:
        await wire.speak(0, RATE)
        await server.logged("voice detected")
        listening = asyncio.create_task(wire.hear_out())
        outcome = await server.stop(number)
        assert await listening == 1001
    assert outcome.status == 0, outcome.stderr
    (found,) = recordings(tmp_path / "audio")
    assert found.pcm[: 2 * 1600] == pcm(0, 1600)
    assert found.sidecar["reason"] == "shutdown"


async def test_a_server_under_nohup_survives_the_end_of_its_terminal(tmp_path: Path) -> None:
    command = f"trap '' HUP INT; exec {shlex.quote(sys.executable)} -m plugandtell server --port=0"
    process = await asyncio.create_subprocess_shell(command, cwd=tmp_path, stdout=subprocess.PIPE)
    assert process.stdout is not None
    url = (await process.stdout.readline()).decode().strip()
    process.send_signal(signal.SIGHUP)
    async with await Wire.greeted(url) as wire:
        await wire.speak(0, RATE)
        await wire.end(RATE)
    process.send_signal(signal.SIGINT)
    assert await process.wait() == 0
    assert recordings(tmp_path / "audio")[0].pcm == pcm(0, RATE)


async def test_what_a_killed_server_had_acknowledged_is_there_after_its_next_start(tmp_path: Path) -> None:
    async with running_server(tmp_path) as (server, url), await Wire.greeted(url) as wire:
        await wire.speak(0, 3 * RATE)
        acknowledged = 0
        while acknowledged < 2 * RATE:
            acknowledged = (await wire.hear(Ack)).stored_to
        server.process.kill()
        await server.outcome()
    assert list((tmp_path / "audio").glob("*.part"))
    async with running_server(tmp_path) as (server, _):
        await server.stop()
    (found,) = recordings(tmp_path / "audio")
    assert found.pcm == pcm(0, len(found.pcm) // 2)
    assert len(found.pcm) // 2 >= acknowledged
    assert found.sidecar["recovered"] is True
    assert found.path.name == "2026-11-23T15-35-00.848Z_laptop.wav"


async def test_a_client_goes_on_at_a_server_that_was_killed_and_came_back(tmp_path: Path) -> None:
    """Together the recordings hold the input: nothing is missing, nothing is there twice, and the client knows it."""
    whole = write_wav(tmp_path / "in.wav", silence(0.3), sentence(2), sentence(0), silence(0.3))
    flags = ("server", f"--port={free_port()}")
    url = f"ws://127.0.0.1:{flags[1].partition('=')[2]}"
    async with running(tmp_path, *flags) as first:
        await first.line()
        async with running(tmp_path, "client", f"--server={url}", "--input=in.wav") as client:
            await first.logged("transfer in progress")
            await first.logged("transfer in progress")  # a second later, much is acknowledged
            first.process.kill()
            await client.logged("connection lost")
            async with running(tmp_path, *flags) as second:
                await second.line()
                outcome = await client.outcome()
    assert outcome.status == 0, outcome.stderr
    slices = slices_of(whole, tmp_path / "audio")
    assert len(slices) == 2
    assert slices[0][1] == slices[1][0]
    assert slices[0][0] < 0.3 * RATE
    assert slices[1][1] > len(whole) // 2 - 0.3 * RATE
    recovered, rest = (found.sidecar for found in recordings(tmp_path / "audio"))
    assert recovered["recovered"] is True
    assert rest["continues"] == recovered["segment_id"]
