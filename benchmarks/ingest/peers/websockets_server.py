"""A minimal recorder on `websockets`, read with `async for`, on uvloop: `python websockets_server.py FOLDER`."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import uvloop
from wav import Recorder
from websockets.asyncio.server import ServerConnection, serve


async def main(recorder: Recorder) -> None:
    """Serve until SIGTERM."""

    async def handle(connection: ServerConnection) -> None:
        recording = recorder.start()
        try:
            async for message in connection:
                recording.write(message)
        finally:
            recording.end()

    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with serve(handle, "127.0.0.1", 0, compression=None, backlog=1024) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await stop.wait()


uvloop.run(main(Recorder(Path(sys.argv[1]))))
