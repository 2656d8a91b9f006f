"""A connection whose other end does not read."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from plugandtell.core.protocol.messages import Ack
from plugandtell.server.peer import WebSocketPeer


class StuckSocket:
    """A socket with full buffers: what is sent never leaves."""

    def __init__(self) -> None:
        self.transport = self
        self.is_aborted = False

    async def send(self, _: str | bytes) -> None:
        await asyncio.Event().wait()

    async def close(self, _code: int, _reason: str) -> None:
        await asyncio.Event().wait()

    def abort(self) -> None:
        self.is_aborted = True

    async def wait_closed(self) -> None:
        assert self.is_aborted


async def test_who_does_not_read_is_dropped() -> None:
    socket = StuckSocket()
    await WebSocketPeer(cast("Any", socket), send_within_s=0.01, close_within_s=0.01).send(Ack(1))
    assert socket.is_aborted


async def test_who_does_not_even_read_the_goodbye_is_dropped() -> None:
    socket = StuckSocket()
    await WebSocketPeer(cast("Any", socket), send_within_s=0.01, close_within_s=0.01).close(1001, "bye")
    assert socket.is_aborted
