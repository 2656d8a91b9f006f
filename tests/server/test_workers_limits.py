"""Limits that hold over all workers, and clients that keep nobody waiting."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING

import pytest
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from plugandtell.core.protocol.messages import SUBPROTOCOL
from tests.support.processes import running_server
from tests.support.recordings import recordings
from tests.support.wire import RATE, WITHIN_S, Wire, pcm
from tests.support.workers import hello_for, naming, pid_of

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows hands no connections on")


@pytest.mark.parametrize(
    ("flag", "code"), [("--max-streams=3", "server_full"), ("--max-streams-per-address=3", "address_full")]
)
@pytest.mark.parametrize("is_named", [True, False])
async def test_a_limit_holds_over_all_workers(tmp_path: Path, flag: str, code: str, is_named: bool) -> None:
    async with running_server(tmp_path, "--workers=2", flag) as (_, url):
        for _ in range(2):
            async with AsyncExitStack() as stack:
                for worker in (1, 2, 1):
                    greeting = hello_for(worker)
                    wire = await Wire.greeted(url, greeting, **naming(greeting, is_named=is_named))
                    await stack.enter_async_context(wire)
                for worker in (1, 2):
                    greeting = hello_for(worker)
                    async with await Wire.open(url, **naming(greeting, is_named=is_named)) as late:
                        assert await late.hear_out() == 1013
                        assert late.error.code == code
            await _until_let_in(url)


async def test_the_places_of_a_worker_that_dies_are_free(tmp_path: Path) -> None:
    async with running_server(tmp_path, "--workers=2", "--max-streams=2", "--max-streams-per-address=2") as (_, url):
        for life in (1, 2):
            for _ in range(2):
                await _greeted_in_the_end(url)
            os.kill(await pid_of(tmp_path, 1, life), signal.SIGKILL)
            await pid_of(tmp_path, 1, life + 1)
            await _until_let_in(url)


async def test_beyond_the_limits_nobody_is_heard(tmp_path: Path) -> None:
    async with running_server(tmp_path, "--workers=2", "--max-streams=1", "--hello-timeout=60") as (server, url):
        port = int(url.rpartition(":")[2])
        crowd = [await asyncio.open_connection("127.0.0.1", port) for _ in range(40)]
        dropped = [asyncio.create_task(reader.read()) for reader, _ in crowd]
        done: set[asyncio.Task[bytes]] = set()
        async with asyncio.timeout(WITHIN_S):
            while len(done) < 40 - 17:
                done, _ = await asyncio.wait(dropped, return_when=asyncio.FIRST_COMPLETED)
                dropped = [one for one in dropped if one not in done] + list(done)
                await asyncio.sleep(0)
        for _, writer in crowd:
            writer.transport.abort()
        await asyncio.gather(*dropped, return_exceptions=True)
        await _until_let_in(url)
        assert "Traceback" not in (await server.stop()).stderr


@pytest.mark.parametrize("is_named", [True, False])
async def test_a_request_that_trickles_in_is_heard_and_keeps_nobody_waiting(tmp_path: Path, is_named: bool) -> None:
    greeting = hello_for(2)
    named = f"X-PlugAndTell-Stream: {greeting.stream_id}\r\n" if is_named else ""
    request = (
        f"GET /v1/stream HTTP/1.1\r\nHost: x\r\n{named}Upgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        f"Sec-WebSocket-Protocol: {SUBPROTOCOL}\r\n\r\n"
    ).encode()
    async with running_server(tmp_path, "--workers=2") as (server, url):
        port = int(url.rpartition(":")[2])
        silent = await asyncio.open_connection("127.0.0.1", port)  # says nothing at all, all the time
        gone = await asyncio.open_connection("127.0.0.1", port)
        gone[1].write(b"GET /v1")
        gone[1].close()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        answer = asyncio.create_task(reader.readuntil(b"\r\n\r\n"))
        for place in range(len(request)):
            writer.write(request[place : place + 1])
            await writer.drain()
            if place % 20 == 0:
                other = hello_for(1 + place % 2)
                async with await Wire.greeted(url, other, **naming(other)) as wire:
                    await wire.speak(0, 1600)
                    await wire.end(1600)
        async with asyncio.timeout(WITHIN_S):
            assert b" 101 " in await answer
        for end in (writer, silent[1]):
            end.transport.abort()
        assert (await server.stop()).status == 0
    assert {one.pcm for one in recordings(tmp_path / "audio")} == {pcm(0, 1600)}


async def test_who_never_says_anything_is_given_up(tmp_path: Path) -> None:
    async with running_server(tmp_path, "--workers=2", "--hello-timeout=0.2") as (server, url):
        silent = [await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2])) for _ in range(4)]
        async with asyncio.timeout(WITHIN_S):
            assert [await reader.read() for reader, _ in silent] == [b""] * 4
        for _, writer in silent:
            writer.close()
        assert (await server.stop()).status == 0


async def _greeted_in_the_end(url: str) -> None:
    """Take a place and keep it: the one that was left just now may not count as free yet."""
    async with asyncio.timeout(WITHIN_S):
        while True:
            greeting = hello_for(1)
            with suppress(ConnectionClosed):
                await Wire.greeted(url, greeting, **naming(greeting))
                return


async def _until_let_in(url: str) -> None:
    """Try until a place is free, which the server may learn of a moment later than a test."""
    async with asyncio.timeout(WITHIN_S):
        while True:
            greeting = hello_for(2)
            with suppress(AssertionError, ConnectionClosed, InvalidHandshake, OSError):
                async with await Wire.greeted(url, greeting, **naming(greeting)) as wire:
                    await wire.speak(0, RATE // 10)
                    await wire.end(RATE // 10)
                    return
