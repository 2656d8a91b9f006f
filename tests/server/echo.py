"""A real server that says back what it hears, and a client that speaks to it in raw bytes and hears it out."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeAlias, cast

from websockets import frames
from websockets.server import ServerProtocol

from plugandtell.server.connection import Connection, Message, Request, Response
from tests.faults.raw import HANDSHAKE, Op

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from plugandtell.server.masking import Unmask

MAX_BYTES = 68 * 1024
_CLOSE_WITHIN_S = 30.0
_MOST_UNREAD_BYTES = 8 * MAX_BYTES

Frame: TypeAlias = tuple[Op, bytes]


class Echo:
    """The user of a connection: sends each message back, as it came."""

    def __init__(self) -> None:
        self.transport = cast("asyncio.Transport", None)  # until the connection is made
        self._connection = cast("Connection", None)

    def made(self, connection: Connection) -> None:
        self._connection = connection

    def judge(self, request: Request) -> Response | None:
        assert request.path
        return None

    def opened(self) -> None:
        pass

    def received(self, message: Message) -> None:
        if isinstance(message, str):
            self._connection.send(message)
        elif self._connection.is_open:  # a connection sends text only: it is all that our own protocol wants of it
            self.transport.write(frames.Frame(frames.Opcode.BINARY, message).serialize(mask=False))

    def lost(self) -> None:
        pass


class EchoConnection(Connection):
    """A connection that is for an echo."""

    __slots__ = ("_echo",)

    def __init__(self, unmask: Unmask | None) -> None:
        self._echo = Echo()
        super().__init__(ServerProtocol(max_size=MAX_BYTES), self._echo, MAX_BYTES, _CLOSE_WITHIN_S, unmask)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._echo.transport = cast("asyncio.Transport", transport)
        super().connection_made(transport)


@asynccontextmanager
async def echo_server(unmask: Unmask | None) -> AsyncIterator[int]:
    """Listens as long as the context lasts; gives the port."""
    loop = asyncio.get_running_loop()
    async with await loop.create_server(lambda: EchoConnection(unmask), "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


async def talk(port: int, pieces: Iterable[bytes]) -> list[Frame]:
    """Say the pieces, one after the other, and hear all that is said until the server ends the connection.

    Each piece arrives by itself, as far as the kernel lets it: the server has its turn before the next one leaves.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=_MOST_UNREAD_BYTES)
    try:
        writer.write(HANDSHAKE)
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
        for piece in pieces:
            writer.write(piece)
            await asyncio.sleep(0)
        return read_frames(await reader.read())
    finally:
        writer.close()


def read_frames(data: bytes) -> list[Frame]:
    """What a server sent, frame by frame: each is a whole message, not masked, and without reserved bits."""
    found = []
    while data:
        assert data[0] & 0xF0 == 0x80, "a whole message without reserved bits"
        assert data[1] < 0x80, "no mask"
        length, place = data[1], 2
        if length > 125:
            place += 2 if length == 126 else 8
            length = int.from_bytes(data[2:place], "big")
        assert len(data) >= place + length, "a whole frame"
        found.append((Op(data[0] & 0x0F), data[place : place + length]))
        data = data[place + length :]
    return found
