"""The other end of a connection: told, asked whether it is alive, refused, dropped; and counted while it is there."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from websockets.asyncio.server import ServerConnection as WebSocket
from websockets.exceptions import ConnectionClosed

from plugandtell.core.protocol.codec import encode
from plugandtell.core.protocol.messages import Error, ServerMessage
from plugandtell.logservice import get_logger

if TYPE_CHECKING:
    from plugandtell.server.admission import Admission

CLOSE_WITHIN_S = 5.0
_ALIVE_WITHIN_S = 2.0
_MOST_UNREAD_BYTES = 1024 * 1024
_LONGEST_REASON_BYTES = 123  # RFC 6455, section 5.5: a control frame carries 125 bytes, two of which are the code


class WebSocketPeer:
    """A connection as sessions see it.

    Args:
        socket: The connection.
        send_within_s: How long the other end may leave unread what it is told; then it is dropped.
        close_within_s: How long it may take to close.

    Attributes:
        holder: Whose token the connection was opened with; None without one.
    """

    def __init__(self, socket: WebSocket, send_within_s: float, close_within_s: float = CLOSE_WITHIN_S) -> None:
        self.holder: str | None = getattr(socket, "username", None)
        self._socket = socket
        self._send_within_s = send_within_s
        self._close_within_s = close_within_s

    async def send(self, message: ServerMessage) -> None:
        """Send a message, or drop it if the connection is gone."""
        try:
            async with asyncio.timeout(self._send_within_s):
                await self._socket.send(encode(message))
        except ConnectionClosed:
            return
        except TimeoutError:
            get_logger().warning("slow_reader_dropped", within_s=self._send_within_s)
            await self.abort()

    async def is_alive(self) -> bool:
        """Whether the other end answers a ping in time."""
        try:
            async with asyncio.timeout(_ALIVE_WITHIN_S):
                await (await self._socket.ping())
        except (TimeoutError, ConnectionClosed):
            return False
        return True

    async def abort(self) -> None:
        """Drop the connection without waiting for the other end."""
        self._socket.transport.abort()
        await self._socket.wait_closed()

    async def close(self, code: int, reason: str) -> None:
        """Say why, and close; or drop the connection if the other end does not read it."""
        text = reason.encode()[:_LONGEST_REASON_BYTES].decode(errors="ignore")
        try:
            async with asyncio.timeout(self._close_within_s):
                await self._socket.close(code, text)
        except TimeoutError:
            await self.abort()

    async def refuse(self, close_code: int, code: str, message: str) -> None:
        """Send an error and close."""
        await self.send(Error(code, message))
        await self.close(close_code, message)

    async def turn_away(self, close_code: int, code: str, message: str) -> None:
        """Refuse, and read on meanwhile: the client's close frame may lie behind much that it had sent before."""
        refusing = asyncio.create_task(self.refuse(close_code, code, message))
        with suppress(ConnectionClosed):
            while True:
                await self._socket.recv()
        await refusing


class CountedWebSocket(WebSocket):
    """A connection that is counted from its first packet to its last."""

    def __init__(self, admission: Admission, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._admission = admission
        self._host = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Drop it at once if there are far too many."""
        super().connection_made(transport)
        self._host = host_of(self) if self.remote_address else ""
        if self._admission.enter(self._host):
            self.transport.abort()

    def data_received(self, data: bytes) -> None:
        """Drop it if its pongs pile up: the library writes one for each ping, read or not."""
        super().data_received(data)
        if self.transport.get_write_buffer_size() > _MOST_UNREAD_BYTES:
            get_logger().warning("slow_reader_dropped", unread_bytes=self.transport.get_write_buffer_size())
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Count it no more."""
        self._admission.leave(self._host)
        super().connection_lost(exc)


def host_of(socket: WebSocket) -> str:
    """The address of the other end, without its port."""
    return str(socket.remote_address[0])


def address_of(socket: WebSocket) -> str:
    """The address of the other end, for the log."""
    host, port = socket.remote_address[:2]
    return f"{host}:{port}"
