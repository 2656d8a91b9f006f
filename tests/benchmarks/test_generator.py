"""The load generator, built here, against a server of ours and a bare socket."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from benchmarks.ingest.building import build_generator
from benchmarks.ingest.latency import latencies_us, read_log
from benchmarks.ingest.pcm import prove, samples, stream_files

from plugandtell.server.app import running_server
from plugandtell.server.settings import ServerSettings
from tests.support.watching import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

pytestmark = [
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the generator needs epoll and inotify"),
    pytest.mark.skipif(shutil.which("cc") is None, reason="the generator is written in C"),
]
MESSAGES = 40


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_generator(tmp_path_factory.mktemp("generator"))


class Running:
    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    def tell(self, command: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{command}\n".encode())

    async def hear(self, event: str) -> dict[str, Any]:
        assert self._process.stdout is not None
        told: dict[str, Any] = json.loads(await self._process.stdout.readline())
        assert told["event"] == event
        return told

    async def stream(self, messages: int = MESSAGES) -> dict[str, Any]:
        """Stream until at least so many messages are on their way; returns what was told at the end."""
        self.tell("start")
        sent = 0
        while sent < messages:
            self.tell("count")
            sent = (await self.hear("count"))["messages"]
        self.tell("stop")
        return await self.hear("stopped")


@asynccontextmanager
async def generating(program: Path, port: int, dialect: str, *flags: str) -> AsyncIterator[Running]:
    pipe = asyncio.subprocess.PIPE
    target = [f"--port={port}", f"--dialect={dialect}"]
    words = [word for flag in [*target, "--interval-us=1000", *flags] for word in flag.split("=", 1)]
    process = await asyncio.create_subprocess_exec(program, *words, stdin=pipe, stdout=pipe)
    try:
        running = Running(process)
        await running.hear("open")
        yield running
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_what_is_sent_is_what_the_proof_expects(program: Path) -> None:
    received: list[bytes] = []
    over = asyncio.Event()

    async def keep(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.append(await reader.read(-1))
        writer.close()
        over.set()

    async with await asyncio.start_server(keep, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with generating(program, port, "raw", "--streams=1", "--first=41") as generator:
            sent = (await generator.stream())["messages"]
            generator.tell("end")
            ended = await generator.hear("ended")
            await over.wait()
    assert ended["samples"] == [320 * sent]
    assert np.array_equal(np.frombuffer(received[0], "<i2"), samples(41, 0, 320 * sent))


async def test_streams_that_the_server_does_not_read_are_behind(program: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        async with generating(program, server.getsockname()[1], "raw", "--streams=2") as generator:
            unread = [server.accept()[0] for _ in range(2)]
            stopped = await generator.stream(10)
        for connection in unread:
            connection.close()
    assert stopped["unread_streams"] == 2
    assert stopped["unread_most_bytes"] >= 5 * 640


async def test_all_that_is_sent_to_a_server_of_ours_is_recorded_acknowledged_and_timed(
    program: Path, tmp_path: Path
) -> None:
    audio, log = tmp_path / "audio", tmp_path / "times.bin"
    flags = ["--streams=3", "--watched=1", "--path=/v1/stream", f"--log={log}"]
    async with (
        running_server(ServerSettings(port=0, audio_dir=audio)) as server,
        generating(program, _port(server.url), "plugandtell", *flags) as generator,
    ):
        await generator.stream()
        (watched,) = await until(lambda: stream_files(audio.glob("*.wav.part"), 1).get(0, []))
        generator.tell(f"watch 0 {watched}")
        generator.tell("count")
        began = await generator.hear("count")
        await generator.stream()
        generator.tell("end")
        ended = await generator.hear("ended")
    assert (ended["saved"], ended["acknowledged"], ended["failed"]) == (3, 3, 0)
    assert prove(sorted(audio.glob("*.wav")), dict(enumerate(ended["samples"]))).faults == ()
    assert np.all(np.isfinite(latencies_us(read_log(log), began["ns"], 2**63)))


async def test_a_stream_that_drops_comes_back_without_losing_a_sample(program: Path, tmp_path: Path) -> None:
    audio = tmp_path / "audio"
    flags = ["--streams=2", "--path=/v1/stream"]
    async with (
        running_server(ServerSettings(port=0, audio_dir=audio)) as server,
        generating(program, _port(server.url), "plugandtell", *flags) as generator,
    ):
        await generator.stream()
        generator.tell("resume 4")
        resumed = await generator.hear("resumed")
        await generator.stream()
        generator.tell("end")
        ended = await generator.hear("ended")
    assert (resumed["count"], ended["failed"], ended["saved"]) == (4, 0, 2)
    assert prove(sorted(audio.glob("*.wav")), dict(enumerate(ended["samples"]))).faults == ()


def _port(url: str) -> int:
    return int(url.rsplit(":", maxsplit=1)[-1].split("/", maxsplit=1)[0])
