"""A real server process for a benchmark to talk to."""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@asynccontextmanager
async def real_server(folder: Path, *flags: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """A server that records into `folder/audio`, and its URL; stopped at the end, its log thrown away."""
    server = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "plugandtell", "server", "--port=0", *flags),
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert server.stdout is not None
    url = (await server.stdout.readline()).decode().strip()
    try:
        yield server, url
    finally:
        server.send_signal(signal.SIGINT)
        await server.wait()
