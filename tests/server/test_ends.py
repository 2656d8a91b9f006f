"""Every connection ends, whatever it is at, and nobody gets out of a time-out by being loud."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from random import Random
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.faults.raw import HANDSHAKE, Op, audio, frame, hello_fields, text
from tests.server.test_connection import Ear, connection

if TYPE_CHECKING:
    from tests.server.conftest import StartServer

WITHIN_S = 20


async def dial(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    parts = urlsplit(url)
    return await asyncio.open_connection(parts.hostname, parts.port)


@pytest.mark.parametrize("said", [b"", HANDSHAKE[:30]], ids=["nothing", "half a request"])
async def test_a_stop_ends_who_has_not_asked_to_be_let_in(start_server: StartServer, said: bytes) -> None:
    async with start_server(hello_timeout=60) as url:
        reader, writer = await dial(url)
        writer.write(said)
        behind, other = await dial(url)
        other.write(HANDSHAKE)
        await behind.readuntil(b"\r\n\r\n")  # so the first is accepted too
        other.close()
    async with asyncio.timeout(WITHIN_S):
        with suppress(ConnectionError):
            assert await reader.read() == b""
    writer.close()


async def flood(writer: asyncio.StreamWriter, data: bytes) -> None:
    try:
        while True:
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass


@pytest.mark.parametrize(
    ("limits", "data", "code"),
    [
        ({"stall_timeout": 0.3}, audio(0, 100) * 500, "stalled"),
        ({"idle_timeout": 0.3}, frame(Op.PONG) * 5000, "idle"),
    ],
    ids=["audio that is there already", "pongs"],
)
async def test_a_flood_keeps_no_time_out_away(
    start_server: StartServer, limits: dict[str, float], data: bytes, code: str
) -> None:
    async with start_server(**limits) as url:
        reader, writer = await dial(url)
        writer.write(HANDSHAKE + text(hello_fields(Random(1))))
        flooding = asyncio.create_task(flood(writer, data))
        async with asyncio.timeout(WITHIN_S):
            await reader.readuntil(json.dumps(code).encode())
        flooding.cancel()
        writer.close()


async def test_a_hold_that_comes_while_one_is_let_go_of_holds() -> None:
    made, pipe = connection(Ear())
    made.data_received(HANDSHAKE)
    states = []
    for changes in ((made.pause_writing, made.resume_writing, made.pause_writing), (made.resume_writing,)):
        for change in changes:
            change()
        await asyncio.sleep(0)
        states.append((made.is_held, pipe.is_paused))
    assert states == [(True, True), (False, False)]
    made.connection_lost(None)


async def test_who_says_no_more_and_does_not_read_is_dropped_in_time() -> None:
    made, pipe = connection(Ear(), close_within_s=0.01)
    made.data_received(HANDSHAKE)
    made.eof_received()  # the transport closes when what was written is read
    async with asyncio.timeout(WITHIN_S):
        await pipe.aborted.wait()
    made.connection_lost(None)


async def test_others_have_their_turn_while_a_flood_goes_on_after_our_goodbye() -> None:
    made, pipe = connection(Ear())
    made.data_received(HANDSHAKE)
    made.close(1001, "the server shuts down")
    made.data_received(frame(Op.PONG) * 100 + frame(Op.CLOSE, b"\x03\xe9"))
    turns = 0
    while not made.was_closed:
        assert pipe.is_paused
        turns += 1
        await asyncio.sleep(0)
    assert turns == 3
    assert pipe.has_ended
    made.connection_lost(None)
