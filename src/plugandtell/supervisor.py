"""`plugandtell run`: a server and a client as child processes, watched, and stopped in the right order.

Each child's standard input is its lifeline: it is closed to stop the child, and it closes by itself if this process
dies, so that no child is left behind.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from typing import TYPE_CHECKING

from plugandtell.core.exit_status import ExitStatus
from plugandtell.stopping import stop_requests

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

_STOP_WITHIN_S = 15.0  # more than a child's own deadline
_LONGEST_LINE_BYTES = 1024 * 1024
_COLORS = {"client": 36, "server": 35, "run": 33}


def run_until_stopped(server_flags: Sequence[str], client_flags: Sequence[str], audio_dir: Path) -> int:
    """Run both until one of them ends or this process is asked to stop; returns the exit code that tells how it went.

    Args:
        server_flags: The server's command line.
        client_flags: The client's command line, without the server's address.
        audio_dir: Where the server records.
    """
    supervisor = Supervisor(server_flags, client_flags, _say)
    status = asyncio.run(supervisor.run())
    sys.stdout.write(summary(audio_dir, supervisor.recordings))
    sys.stdout.flush()
    return status


def summary(audio_dir: Path, recordings: Sequence[str]) -> str:
    """What is there now, for people and for scripts: a line each."""
    if not recordings:
        return f"no recordings: no voice was heard (they would be in {audio_dir.resolve()})\n"
    head = f"{len(recordings)} recording{'s' if len(recordings) > 1 else ''} in {audio_dir.resolve()}:"
    return "\n".join([head, *(f"  {name}" for name in recordings), ""])


class Child:
    """A child process whose standard error is shown line by line, marked with its name."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, say: Callable[[str, str], None]) -> None:
        self.name = name
        self._process = process
        self._say = say
        self._showing = asyncio.create_task(self._show())

    @classmethod
    async def start(cls, name: str, flags: Sequence[str], say: Callable[[str, str], None]) -> Child:
        """Start `python -m plugandtell NAME`, out of reach of the terminal's Ctrl-C: stopping it is our business."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "plugandtell",
            name,
            "--lifeline",
            *flags,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_environment(),
            limit=_LONGEST_LINE_BYTES,
            start_new_session=sys.platform != "win32",
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
        return cls(name, process, say)

    async def line(self) -> str:
        """The next line of its standard output; empty at the end."""
        assert self._process.stdout is not None
        return (await self._process.stdout.readline()).decode(errors="replace").strip()

    async def ended(self) -> int:
        """Wait until it has ended and everything it said is shown; returns its exit code as a shell would."""
        code = await self._process.wait()
        await self._showing
        return code if code >= 0 else 128 - code

    async def stop(self) -> int:
        """Ask it to stop, and kill it if it does not; returns its exit code."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            async with asyncio.timeout(_STOP_WITHIN_S):
                return await self.ended()
        except TimeoutError:
            self._say(self.name, f"did not stop within {_STOP_WITHIN_S:g} s and is killed")
            self.kill()
            return await self.ended()

    def kill(self) -> None:
        """End it now. Idempotent."""
        if self._process.returncode is None:
            self._process.kill()

    async def _show(self) -> None:
        assert self._process.stderr is not None
        async for line in self._process.stderr:
            self._say(self.name, line.decode(errors="replace").rstrip("\r\n"))


class Supervisor:
    """Runs the server, then the client; ends the client first, so that the server can still save what it sent.

    Args:
        server_flags: The server's command line.
        client_flags: The client's command line, without the server's address.
        say: Shows a line of a child, or of ours.
    """

    def __init__(
        self, server_flags: Sequence[str], client_flags: Sequence[str], say: Callable[[str, str], None]
    ) -> None:
        self.recordings: list[str] = []
        self._server_flags = server_flags
        self._client_flags = client_flags
        self._say = say

    async def run(self) -> int:
        """Run both to the end; returns the first exit code that is not 0, the client's before the server's."""
        with stop_requests() as stop:
            server = await Child.start("server", self._server_flags, self._say)
            try:
                if not (url := await server.line()):
                    return await server.ended() or ExitStatus.BUG
                client = await Child.start("client", [*self._client_flags, f"--server={url}"], self._say)
                try:
                    return await self._watch(server, client, stop)
                finally:
                    client.kill()
            finally:
                server.kill()

    async def _watch(self, server: Child, client: Child, stop: asyncio.Event) -> int:
        collecting = asyncio.create_task(self._collect(client))
        endings = {
            asyncio.create_task(server.ended()): server,
            asyncio.create_task(client.ended()): client,
        }
        stopping = asyncio.create_task(stop.wait())
        done, _ = await asyncio.wait({*endings, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if stop.is_set():
            self._say("run", "stopping: the client first, then the server")
        for ending in done - {stopping}:
            self._report(endings[ending], ending.result())
        client_code = await client.stop()
        await collecting
        server_code = await server.stop()
        return client_code or server_code

    def _report(self, child: Child, code: int) -> None:
        if code or child.name == "server":
            self._say("run", f"the {child.name} ended with exit code {code}: stopping the other one")

    async def _collect(self, client: Child) -> None:
        while name := await client.line():
            self.recordings.append(name)


def _say(name: str, line: str) -> None:
    mark = f"\x1b[{_COLORS[name]}m{name:<6}\x1b[0m" if _wants_color() else f"{name:<6}"
    sys.stderr.write(f"{mark} | {line}\n")
    sys.stderr.flush()


def _wants_color() -> bool:
    return sys.stderr.isatty() and not os.environ.get("NO_COLOR")


def _environment() -> dict[str, str]:
    """Children write to pipes, but what they say is shown where this process shows it: in colour if it may be."""
    return os.environ | ({"FORCE_COLOR": "1"} if _wants_color() else {})
