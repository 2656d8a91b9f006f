"""A bare client of the wire protocol: says exactly what a test tells it to say, right or wrong."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID, uuid4

import numpy as np
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from plugandtell.core.protocol.codec import decode_server, encode
from plugandtell.core.protocol.messages import (
    PATH,
    SUBPROTOCOL,
    Audio,
    ClientInfo,
    End,
    Error,
    Hello,
    Position,
    SegmentSaved,
    ServerMessage,
    Welcome,
)

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

M = TypeVar("M", bound=ServerMessage)

STARTED_AT = datetime(2026, 11, 23, 15, 35, 0, 848000, tzinfo=UTC)
RATE = 16_000
WITHIN_S = 30.0


def pcm(start: int, samples: int) -> bytes:
    """Audio in which every sample tells its index, so that a file that holds the wrong ones cannot look right."""
    return ((np.arange(start, start + samples) * 7919) % 65_521 - 32_760).astype("<i2").tobytes()


def hello(stream_id: UUID | None = None, label: str = "laptop", **changes: Any) -> Hello:
    """A hello that any server takes, unless `changes` see to that."""
    fields: dict[str, Any] = {
        "stream_id": stream_id or uuid4(),
        "sample_rate": RATE,
        "channels": 1,
        "started_at": STARTED_AT,
        "client": ClientInfo("wire", "1"),
        "labels": {"name": label},
    }
    return Hello(**(fields | changes))


class Wire:
    """One connection; an `async with` block of it drops the connection at the end without a close frame."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.heard: list[ServerMessage] = []

    @classmethod
    async def open(cls, url: str, *, path: str = PATH, subprotocol: str | None = SUBPROTOCOL, **options: Any) -> Self:
        """Connect, and say nothing yet."""
        offered = [Subprotocol(subprotocol)] if subprotocol else None
        fixed: dict[str, Any] = {"compression": None, "ping_interval": None, "proxy": None}
        return cls(await connect(url + path, subprotocols=offered, **fixed, **options))

    @classmethod
    async def greeted(cls, url: str, greeting: Hello | None = None, **options: Any) -> Self:
        """Connect, say hello, and be welcomed."""
        wire = await cls.open(url, **options)
        await wire.say(greeting or hello())
        await wire.hear(Welcome)
        return wire

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _type: type[BaseException] | None, _value: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        await self.drop()

    async def say(self, *messages: Hello | Audio | Position | End) -> None:
        """Send messages."""
        for message in messages:
            await self.socket.send(encode(message))

    async def say_raw(self, *raw: str | bytes | dict[str, Any]) -> None:
        """Send what is no message, perhaps."""
        for item in raw:
            await self.socket.send(json.dumps(item) if isinstance(item, dict) else item)

    async def speak(self, start: int, samples: int, message_samples: int = 1600) -> None:
        """Send audio in messages of so many samples."""
        for index in range(start, start + samples, message_samples):
            await self.say(Audio(index, pcm(index, min(message_samples, start + samples - index))))

    async def hear(self, kind: type[M]) -> M:
        """Wait for the next message of a kind; everything that comes before it is kept in `heard`."""
        async with asyncio.timeout(WITHIN_S):
            while True:
                message = decode_server(await self.socket.recv())
                self.heard.append(message)
                if isinstance(message, kind):
                    return message

    async def hear_out(self) -> int | None:
        """Listen until the server closes the connection; returns the close code."""
        try:
            async with asyncio.timeout(WITHIN_S):
                while True:
                    self.heard.append(decode_server(await self.socket.recv()))
        except ConnectionClosed:
            return self.socket.close_code

    async def end(self, index: int) -> list[SegmentSaved]:
        """End the stream properly; returns everything that was saved."""
        await self.say(End(index))
        assert await self.hear_out() == 1000
        return self.all_heard(SegmentSaved)

    def all_heard(self, kind: type[M]) -> list[M]:
        """Everything of a kind that was heard so far."""
        return [message for message in self.heard if isinstance(message, kind)]

    @property
    def error(self) -> Error:
        """The one error that was heard."""
        (error,) = self.all_heard(Error)
        return error

    async def drop(self) -> None:
        """Break the connection as a cut cable would."""
        self.socket.transport.abort()
        await self.socket.wait_closed()
