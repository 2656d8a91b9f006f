"""A line that goes wrong by schedule: a proxy that counts the bytes it passes and breaks where it is told to."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections import Counter, deque
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from tests.faults.schedule import Direction, Fault, Kind

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

_READ_BYTES = 16_384
_AT_ONCE = struct.pack("ii", 1, 0)  # SO_LINGER: closing resets the connection


class _Connection:
    """One connection of a client, and the one to the server behind it."""

    def __init__(self, client: asyncio.StreamWriter, server: asyncio.StreamWriter) -> None:
        self._writers = {Direction.UP: server, Direction.DOWN: client}
        self._swallowed: set[Direction] = set()
        self._trickle_bytes = dict.fromkeys(Direction, 0)
        self.is_over = False
        self.valve = asyncio.Event()
        self.valve.set()

    async def write(self, direction: Direction, data: bytes) -> None:
        """Pass bytes on, once the valve is open."""
        await self.valve.wait()
        if direction in self._swallowed:
            return
        writer = self._writers[direction]
        drops = min(len(data), self._trickle_bytes[direction])
        self._trickle_bytes[direction] -= drops
        for place in range(drops):
            writer.write(data[place : place + 1])
            await asyncio.sleep(0)
        writer.write(data[drops:])
        await writer.drain()

    def trickle(self, direction: Direction, size_bytes: int) -> None:
        """Pass the next bytes one by one."""
        self._trickle_bytes[direction] = size_bytes

    def end(self, direction: Direction) -> None:
        """Say the end in one direction, and pass nothing more there."""
        if direction not in self._swallowed:
            self._swallowed.add(direction)
            with suppress(OSError):
                self._writers[direction].write_eof()

    def close(self) -> None:
        """Close in order what was passed until now."""
        self.is_over = True
        for writer in self._writers.values():
            writer.close()

    def reset(self) -> None:
        """Break both ends, and throw away what is on the way."""
        self.is_over = True
        for writer in self._writers.values():
            if (end := writer.get_extra_info("socket")) is not None:
                with suppress(OSError):
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
            writer.transport.abort()


class Line:
    """Passes bytes between whoever connects to `url` and the server at `port`, until a fault is due.

    Args:
        faults: What goes wrong, in order.
        act: Carries out what happens to a process rather than to the line.

    Attributes:
        port: Where the server listens, or None while there is none.
        injected: How many faults of each kind there were.
    """

    def __init__(self, faults: Iterable[Fault], act: Callable[[Kind], Awaitable[None]]) -> None:
        self._faults = deque(faults)
        self._act = act
        self._passed_bytes = 0
        self._refusing = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._connections: set[_Connection] = set()
        self.port: int | None = None
        self.url = ""
        self.injected: Counter[Kind] = Counter()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass one connection on."""
        if self._refusing or self.port is None:
            self._refusing = max(0, self._refusing - 1)
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            writer.transport.abort()
            return
        connection = _Connection(writer, far_writer)
        self._connections.add(connection)
        try:
            await asyncio.gather(
                self._pass(Direction.UP, reader, connection), self._pass(Direction.DOWN, far_reader, connection)
            )
        except OSError:
            connection.reset()
        finally:
            self._connections.discard(connection)
            connection.close()

    async def close(self) -> None:
        """Break what stands, and wait until it is gone."""
        for task in self._tasks:
            task.cancel()
        while self._connections:
            for connection in self._connections:
                connection.valve.set()
                connection.reset()
            await asyncio.sleep(0)

    async def finish(self) -> None:
        """Wait until what happens to processes has happened."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def _pass(self, direction: Direction, reader: asyncio.StreamReader, connection: _Connection) -> None:
        while (data := await reader.read(_READ_BYTES)) and not connection.is_over:
            while (fault := self._due(direction, len(data))) is not None:
                before = fault.after_bytes - self._passed_bytes
                self._faults.popleft()
                self._passed_bytes = 0
                await connection.write(direction, data[:before])
                data = data[before:]
                self.injected[fault.kind] += 1
                await self._inject(fault, connection)
            if self._faults and self._faults[0].direction is direction:
                self._passed_bytes += len(data)
            await connection.write(direction, data)
        await connection.valve.wait()
        connection.end(direction)

    def _due(self, direction: Direction, size_bytes: int) -> Fault | None:
        """The next fault, if it falls among the next so many bytes."""
        if not self._faults or self._faults[0].direction is not direction:
            return None
        fault = self._faults[0]
        return fault if fault.after_bytes < self._passed_bytes + size_bytes else None

    async def _inject(self, fault: Fault, connection: _Connection) -> None:
        match fault.kind:
            case Kind.RESET:
                connection.reset()
            case Kind.TRUNCATE:
                connection.close()
            case Kind.HALF_CLOSE:
                connection.end(fault.direction)
            case Kind.STALL:
                connection.valve.clear()
                self._start(_open_later(connection.valve, fault.amount / 1000))
            case Kind.DEATH:
                connection.valve.clear()
            case Kind.DELAY:
                await asyncio.sleep(fault.amount / 1000)
            case Kind.TRICKLE:
                connection.trickle(fault.direction, fault.amount)
            case Kind.REFUSE:
                self._refusing = fault.amount
                connection.reset()
            case Kind.RESTART_SERVER | Kind.KILL_SERVER | Kind.KILL_CLIENT:
                self._start(self._act(fault.kind))

    def _start(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _open_later(valve: asyncio.Event, after_s: float) -> None:
    await asyncio.sleep(after_s)
    valve.set()


@asynccontextmanager
async def line_of(faults: Iterable[Fault], act: Callable[[Kind], Awaitable[None]]) -> AsyncIterator[Line]:
    """A line that listens at its `url`."""
    line = Line(faults, act)
    listening = await asyncio.start_server(line.serve, "127.0.0.1", 0)
    line.url = f"ws://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    try:
        yield line
    finally:
        listening.close()
        await line.close()
        await listening.wait_closed()
