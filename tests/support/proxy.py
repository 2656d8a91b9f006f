"""A line between client and server that a test can cut."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Proxy:
    """Passes bytes between connections made to `url` and a server, until it is cut."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._writers: set[asyncio.StreamWriter] = set()
        self.url = ""
        self.connections = 0
        self.passed = asyncio.Event()
        self._valves: dict[asyncio.Event, asyncio.StreamWriter] = {}
        self._count = 0
        self._notify_at = 0

    async def passed_bytes(self, count: int) -> None:
        """Wait until so many more bytes have gone from clients to the server."""
        self._notify_at = self._count + count
        self.passed.clear()
        await self.passed.wait()

    def cut(self) -> None:
        """Break every connection at once, without a word."""
        for writer in self._writers:
            writer.transport.abort()
        for valve in self._valves:
            valve.set()

    def stall(self) -> None:
        """Leave the clients' present connections standing, with nobody behind them any more."""
        for valve, far_writer in self._valves.items():
            valve.clear()
            far_writer.transport.abort()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass one connection on."""
        self.connections += 1
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._port)
        valve = asyncio.Event()
        valve.set()
        self._writers |= {writer, far_writer}
        self._valves[valve] = far_writer
        with suppress(OSError):
            await asyncio.gather(
                self._pass(reader, far_writer, valve, counted=True), self._pass(far_reader, writer, valve)
            )
        self._writers -= {writer, far_writer}
        del self._valves[valve]
        for end in (writer, far_writer):
            end.close()

    async def _pass(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        valve: asyncio.Event,
        *,
        counted: bool = False,
    ) -> None:
        while data := await reader.read(65_536):
            await valve.wait()
            writer.write(data)
            await writer.drain()
            if counted:
                self._count += len(data)
                if self._count >= self._notify_at:
                    self.passed.set()
        await valve.wait()
        writer.transport.abort()


@asynccontextmanager
async def proxy_to(url: str) -> AsyncIterator[Proxy]:
    """A proxy in front of the server at `url`."""
    proxy = Proxy(int(url.rpartition(":")[2]))
    listening = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.url = f"ws://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    try:
        yield proxy
    finally:
        listening.close()
        proxy.cut()
        await listening.wait_closed()
