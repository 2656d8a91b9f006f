"""The floor: TCP on uvloop, bytes counted and nothing else. `python raw_server.py FOLDER`; the folder stays empty."""

from __future__ import annotations

import asyncio
import signal

import uvloop


class Sink(asyncio.Protocol):
    """Counts."""

    def __init__(self) -> None:
        self.size = 0

    def data_received(self, data: bytes) -> None:
        """Count."""
        self.size += len(data)


async def main() -> None:
    """Serve until SIGTERM."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    server = await loop.create_server(Sink, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await stop.wait()


uvloop.run(main())
