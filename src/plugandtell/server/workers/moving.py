"""How a connection gets to the worker that owns its stream, when only its hello has told whose it is.

The socket itself moves, with the hello and whatever came behind it, so that there is nothing in between afterwards. An
encrypted line cannot move, since its keys are here: then the owner gets one end of a pair of sockets, and what is on
the line is pumped between the two, as bytes, until either side ends. Pings, closes and a line that drops pass
through as they are.
"""

from __future__ import annotations

import asyncio
import os
import socket
from typing import TYPE_CHECKING

from plugandtell.logservice import get_logger
from plugandtell.server.workers.channel import Channel, Tag

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from plugandtell.core.metrics import Metrics
    from plugandtell.core.shard import Shard
    from plugandtell.server.connection import Connection
    from plugandtell.server.conversation import Visitor

_CLOSE_WITHIN_S = 2.0
_TOLD_WITHIN_S = 3.0  # longer than the server waits for the others
_TEXT, _MASKED = 0x81, 0x80
_NO_MASK = bytes(4)


class OtherWorkers:
    """Where connections go whose streams are not this worker's.

    Args:
        shard: This worker's share.
        channel: Leads there.
    """

    def __init__(self, shard: Shard, channel: Channel) -> None:
        self._shard = shard
        self._channel = channel
        self._pumps: set[asyncio.Task[None]] = set()
        self._asked: dict[int, asyncio.Future[Metrics]] = {}
        self._questions = 0

    async def measure(self) -> Metrics:
        """The numbers of all of them, this one's included.

        Raises:
            TimeoutError: The server does not say.
        """
        self._questions += 1
        number = self._questions
        self._asked[number] = asyncio.get_running_loop().create_future()
        try:
            self._channel.send(Tag.ASK, {"number": number})
            async with asyncio.timeout(_TOLD_WITHIN_S):
                return await self._asked[number]
        finally:
            del self._asked[number]

    def told(self, number: int, metrics: Metrics) -> None:
        """The answer to such a question."""
        asked = self._asked.get(number)
        if asked is not None and not asked.done():
            asked.set_result(metrics)

    def owns(self, stream_id: UUID) -> bool:
        """Whether one of them has the stream."""
        return not self._shard.owns(stream_id)

    def take(self, connection: Connection, hello: str, stream_id: UUID, visitor: Visitor) -> bool:
        """Give them a connection; the hello and what came behind it are told again.

        Returns whether they count the connection now, because nothing of it is left here.
        """
        transport, rest = connection.surrender()
        frames = text_frame(hello.encode()) + rest
        facts = {"stream_id": str(stream_id), "host": visitor.host, "port": visitor.port, "holder": visitor.holder}
        if self._channel.is_full:
            connection.abort()
            return False
        if (sock := _socket_of(transport)) is not None:
            is_sent = self._channel.send(Tag.MOVE, facts, frames, sock)
            if not is_sent:
                sock.close()
            asyncio.get_running_loop().call_soon(connection.abort)  # when it is settled who counts it
            return is_sent
        ours, theirs = socket.socketpair()
        if not self._channel.send(Tag.MOVE, {**facts, "host": None, "shown": visitor.host}, frames, theirs):
            theirs.close()
        task = asyncio.create_task(_pump(ours, transport, connection))
        self._pumps.add(task)
        task.add_done_callback(self._pumps.discard)
        return False

    async def wait(self) -> None:
        """Wait until nothing is pumped any more."""
        while self._pumps:
            await asyncio.wait(self._pumps)


def text_frame(payload: bytes) -> bytes:
    """A text message as a client sends it, under a mask that changes nothing (RFC 6455, section 5.2)."""
    length = len(payload)
    if length < 126:
        head = bytes((_TEXT, _MASKED | length))
    elif length < 65_536:
        head = bytes((_TEXT, _MASKED | 126)) + length.to_bytes(2, "big")
    else:
        head = bytes((_TEXT, _MASKED | 127)) + length.to_bytes(8, "big")
    return head + _NO_MASK + payload


def _socket_of(transport: asyncio.Transport) -> socket.socket | None:
    """The socket, once more; None if there is more between us and the other end than that."""
    if transport.get_extra_info("sslcontext") is not None or transport.get_write_buffer_size():
        return None
    return socket.socket(fileno=os.dup(transport.get_extra_info("socket").fileno()))


async def _pump(ours: socket.socket, line: asyncio.Transport, connection: Connection) -> None:
    """Carry bytes both ways between the line and the pair until either ends, and then end the other."""
    ends = asyncio.Event()
    inner = _End(line, ends.set)  # complete from the start: the owner may be faster than what follows
    try:
        pair, _ = await asyncio.get_running_loop().connect_accepted_socket(lambda: inner, ours)
    except OSError as exc:
        get_logger().error("connection_not_moved", error=exc.strerror)
        ours.close()
        line.abort()
        return
    if line.is_closing():  # its connection has been told
        pair.abort()
        return
    outer = _End(pair, ends.set)
    line.set_protocol(outer)
    line.resume_reading()
    await ends.wait()
    if outer.is_lost:
        pair.abort()
    elif not line.is_closing():
        await _end(line, outer)
    connection.connection_lost(None)


async def _end(line: asyncio.Transport, outer: _End) -> None:
    """Let the other end read what it was told before the line is closed, if it does so soon.

    TLS reads on meanwhile, into the void, so that who only sends cannot be left to it for long.
    """
    lost = asyncio.Event()
    outer.on_lost = lost.set
    line.close()
    try:
        async with asyncio.timeout(_CLOSE_WITHIN_S):
            await lost.wait()
    except TimeoutError:
        line.abort()


class _End(asyncio.Protocol):
    """One end of a pump: what comes goes to the other; nothing is read faster than it can be written.

    Args:
        other: Where it goes.
        on_lost: Told when nothing will come any more.
    """

    def __init__(self, other: asyncio.Transport, on_lost: Callable[[], None]) -> None:
        self.on_lost = on_lost
        self.is_lost = False
        self._other = other

    def data_received(self, data: bytes) -> None:
        """Pass it on."""
        if not self._other.is_closing():
            self._other.write(data)

    def pause_writing(self) -> None:
        """Let the other end wait."""
        if not self._other.is_closing():
            self._other.pause_reading()

    def resume_writing(self) -> None:
        """Let it go on."""
        if not self._other.is_closing():
            self._other.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over."""
        self.is_lost = True
        self.on_lost()
