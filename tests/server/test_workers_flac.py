"""Workers that make FLACs, killed while they do: every sample is in one, and no other recording is touched."""

from __future__ import annotations

import os
import re
import signal
import sys
from typing import TYPE_CHECKING

import pytest

from plugandtell.core.errors import AudioNotSaved
from plugandtell.core.protocol.messages import Ack, Audio, End, Position, Welcome
from plugandtell.core.recording import Container
from plugandtell.server.app import running_server as serving
from plugandtell.server.settings import ServerSettings
from tests.support.processes import running_server
from tests.support.recordings import recordings
from tests.support.watching import ended, until
from tests.support.wire import RATE, Wire, pcm
from tests.support.workers import hello_for, logged, naming, pid_of

if TYPE_CHECKING:
    from pathlib import Path

    from plugandtell.core.protocol.messages import Hello

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows hands no connections on")

FLAGS = ("--format=flac", "--silence=3600")
WORD, EVERY, WORDS = 1600, 55 * RATE, 20
LONG = (WORDS - 1) * EVERY + WORD  # takes a FLAC some tenths of a second


async def begin_long(url: str, greeting: Hello) -> Wire:
    """A stream with such long pauses in it that making its FLAC can be watched."""
    wire = await Wire.greeted(url, greeting, **naming(greeting))
    await wire.say(*(Audio(index, pcm(index, WORD)) for index in range(0, LONG, EVERY)), Position(LONG))
    while (await wire.hear(Ack)).stored_to < LONG:
        pass
    return wire


async def is_encoding(folder: Path) -> None:
    await until(lambda: list((folder / "audio").glob("*.flac.part.new")))


async def come_back(url: str, greeting: Hello, index: int) -> None:
    """Everything was stored; the client, which was not told of its recording, is told now."""
    async with await Wire.open(url, **naming(greeting)) as wire:
        await wire.say(greeting)
        assert (await wire.hear(Welcome)).resume_from == index
        assert len(await wire.end(index)) == 1


def check(folder: Path, struck: Hello, spared: Hello) -> None:
    pcm_of = {one.sidecar["stream_id"]: one.pcm for one in recordings(folder / "audio")}
    assert pcm_of.keys() == {str(struck.stream_id), str(spared.stream_id)}
    assert pcm_of[str(spared.stream_id)] == pcm(0, 2 * RATE)
    words = (pcm(index, WORD) for index in range(0, LONG, EVERY))
    assert pcm_of[str(struck.stream_id)] == bytes(2 * (EVERY - WORD)).join(words)


async def test_a_worker_is_killed_while_it_makes_one(tmp_path: Path) -> None:
    struck, spared = hello_for(1), hello_for(2)
    async with running_server(tmp_path, "--workers=2", *FLAGS) as (server, url):
        other = await Wire.greeted(url, spared, **naming(spared))
        await other.speak(0, RATE)
        wire = await begin_long(url, struck)
        await wire.say(End(LONG))
        await is_encoding(tmp_path)
        os.kill(await pid_of(tmp_path, 1), signal.SIGKILL)
        await wire.hear_out()
        await come_back(url, struck, LONG)
        await other.speak(RATE, RATE)
        assert len(await other.end(2 * RATE)) == 1
        assert (await server.stop()).status == 0
    check(tmp_path, struck, spared)
    assert [line["worker"] for line in logged(tmp_path, "worker_died")] == [1]


@pytest.mark.parametrize(("after", "both"), [(1, False), (3, True)])
async def test_a_server_is_killed_while_a_worker_makes_one(tmp_path: Path, after: int, both: bool) -> None:
    struck, spared = hello_for(1), hello_for(2)
    async with running_server(tmp_path, "--workers=2", *FLAGS) as (server, url):
        other = await Wire.greeted(url, spared, **naming(spared))
        await other.speak(0, 2 * RATE)
        await other.say(Position(2 * RATE))
        while (await other.hear(Ack)).stored_to < 2 * RATE:
            pass
        wire = await begin_long(url, struck)
        pids = [await pid_of(tmp_path, worker) for worker in (1, 2)]
        await wire.say(End(LONG))
        await is_encoding(tmp_path)
        if both:
            os.kill(pids[0], signal.SIGKILL)
        server.process.kill()
        await server.process.wait()
        assert await ended(*pids)
    async with running_server(tmp_path, f"--workers={after}", *FLAGS) as (server, url):
        await come_back(url, struck, LONG)
        await come_back(url, spared, 2 * RATE)
        assert (await server.stop()).status == 0
    check(tmp_path, struck, spared)


async def test_what_a_dead_worker_left_does_not_keep_the_server_beyond_its_time(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The part stays for the next start, and whoever stops the server is told."""
    audio_dir = tmp_path / "audio"
    settings = ServerSettings(port=0, workers=2, audio_dir=audio_dir, silence=3600.0, format=Container.FLAC)
    greeting = hello_for(1)
    server = serving(settings, shutdown_within_s=0.0)
    wire = await begin_long((await server.__aenter__()).url, greeting)
    os.kill(int(re.findall(r"worker=1 worker_pid=(\d+)", capsys.readouterr().out)[0]), signal.SIGKILL)
    with pytest.raises(AudioNotSaved, match="1 recordings"):
        await server.__aexit__(None, None, None)
    await wire.hear_out()
    assert len(list(audio_dir.glob("*.wav.part"))) == 1
    async with running_server(tmp_path, *FLAGS) as (again, url):
        await come_back(url, greeting, LONG)
        assert (await again.stop()).status == 0
    assert len(recordings(audio_dir)) == 1
