"""The commands as users start them: child processes in a folder of their own."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from pathlib import Path

WITHIN_S = 30.0


@dataclass(frozen=True)
class Outcome:
    """How a command ended."""

    status: int
    stdout: str
    stderr: str

    @property
    def lines(self) -> list[str]:
        """What it printed."""
        return self.stdout.split()


class Running:
    """A command that runs."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def line(self) -> str:
        """The next line of its standard output."""
        assert self.process.stdout is not None
        async with asyncio.timeout(WITHIN_S):
            return (await self.process.stdout.readline()).decode().strip()

    async def logged(self, text: str) -> str:
        """Wait until it logs a line with this text; returns the line."""
        assert self.process.stderr is not None
        async with asyncio.timeout(WITHIN_S):
            async for line in self.process.stderr:
                if text in line.decode():
                    return line.decode()
        raise AssertionError(f"it never logged {text!r}")

    async def outcome(self) -> Outcome:
        """Wait for its end."""
        async with asyncio.timeout(WITHIN_S):
            stdout, stderr = await self.process.communicate()
        assert self.process.returncode is not None
        return Outcome(self.process.returncode, stdout.decode(), stderr.decode())

    async def stop(self, number: int = signal.SIGINT) -> Outcome:
        """Send a signal and wait for its end."""
        self.process.send_signal(number)
        return await self.outcome()


@asynccontextmanager
async def running(
    folder: Path,
    *arguments: str | bytes,
    stdin: int = subprocess.DEVNULL,
    environment: Mapping[str, str] | None = None,
    python: Sequence[str] = ("-m", "plugandtell"),
) -> AsyncIterator[Running]:
    """`plugandtell ARGUMENTS`, killed at the end if it still runs; or another `python` program."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("PLUGANDTELL_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *python,
        *arguments,
        cwd=folder,
        env=own | dict(environment or {}),
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        limit=1024 * 1024,
    )
    try:
        yield Running(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


@asynccontextmanager
async def running_server(folder: Path, *flags: str) -> AsyncIterator[tuple[Running, str]]:
    """A server that records into `folder/audio`; gives it and its URL."""
    async with running(folder, "server", "--port=0", *flags) as server:
        url = await server.line()
        assert url.startswith(("ws://", "wss://")), (await server.outcome()).stderr
        yield server, url


async def finished(folder: Path, *arguments: str | bytes, environment: Mapping[str, str] | None = None) -> Outcome:
    """Run a command to its end."""
    async with running(folder, *arguments, environment=environment) as command:
        return await command.outcome()


def free_port() -> int:
    """A port that nobody uses at the moment, for a server that must come back at the same one."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
