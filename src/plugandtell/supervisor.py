"""`plugandtell run`: a server and a client as child processes, watched, and stopped in the right order.

Each child's standard input is its lifeline: it is closed to stop the child, and it closes by itself if this process
dies, so that no child is left behind.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import subprocess
import sys
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from plugandtell.command import TOKEN_VARIABLE, TOKENS_VARIABLE, print_line
from plugandtell.core.exit_status import ExitStatus
from plugandtell.core.network import reachable_host
from plugandtell.logservice.settings import COLUMNS_VARIABLE, console_columns, wants_color
from plugandtell.stopping import stop_requests

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

_STOP_WITHIN_S = 15.0  # more than a child's own deadline
_LONGEST_LINE_BYTES = 1024 * 1024
_HOLDER = "plugandtell-run"  # the same each time, so that what a killed run left is taken from the next one
_MARK_COLUMNS = len("client | ")
_COLORS = {"client": 36, "server": 35, "run": 33}


def run_until_stopped(
    server_flags: Sequence[str], client_flags: Sequence[str], audio_dir: Path, *, shares_token: bool
) -> int:
    """Run both until one of them ends or this process is asked to stop; returns the exit code that tells how it went.

    Args:
        server_flags: The server's command line.
        client_flags: The client's command line, without the server's address.
        audio_dir: Where the server records.
        shares_token: Whether the server asks for tokens, and the client was given none: they get one of their own.
    """
    before = _names(audio_dir, "*.wav")
    environment = os.environ | (_shared_token(os.environ) if shares_token else {})
    status = asyncio.run(Supervisor(server_flags, client_flags, environment, _say).run())
    recordings = sorted(_names(audio_dir, "*.wav") - before)
    print_line(sys.stdout, summary(audio_dir, recordings, len(_names(audio_dir, "*.wav.part")), status))
    return status


def summary(audio_dir: Path, recordings: Sequence[str], unfinished: int, status: int) -> str:
    """What is there now: a line each, for people and for scripts."""
    folder = audio_dir.resolve()
    lines = [f"{_counted(len(recordings))} in {folder}:", *(f"  {name}" for name in recordings)]
    if not recordings:
        reason = "no voice was heard" if status == ExitStatus.OK else "see above"
        lines = [f"no recordings in {folder}: {reason}"]
    if unfinished:
        lines.append(f"{_counted(unfinished)} unfinished: the next server that records there mends what is in place")
    return "\n".join(lines)


def _counted(number: int) -> str:
    return f"{number} recording" if number == 1 else f"{number} recordings"


def _names(folder: Path, pattern: str) -> set[str]:
    return {path.name for path in folder.glob(pattern)}


class Child:
    """A child process whose standard error is shown line by line, marked with its name."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, say: Callable[[str, str], None]) -> None:
        self.name = name
        self._process = process
        self._say = say
        self._showing = asyncio.create_task(self._show())

    @classmethod
    async def start(
        cls,
        name: str,
        flags: Sequence[str],
        environment: Mapping[str, str],
        say: Callable[[str, str], None],
        *,
        reads_lines: bool = False,
    ) -> Child:
        """Start `python -m plugandtell NAME`, out of reach of the terminal's Ctrl-C: stopping it is our business."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "plugandtell",
            name,
            "--lifeline",
            *flags,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE if reads_lines else subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=_as_shown(environment),
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
        await asyncio.shield(self._showing)
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
        environment: Of both. Secrets go this way, because everybody on a machine can read command lines.
        say: Shows a line of a child, or of ours.
    """

    def __init__(
        self,
        server_flags: Sequence[str],
        client_flags: Sequence[str],
        environment: Mapping[str, str],
        say: Callable[[str, str], None],
    ) -> None:
        self._server_flags = server_flags
        self._client_flags = client_flags
        self._environment = environment
        self._say = say

    async def run(self) -> int:
        """Run both to the end; returns the first exit code that is not 0, the client's before the server's."""
        with stop_requests() as stop:
            server = await Child.start("server", self._server_flags, self._environment, self._say, reads_lines=True)
            try:
                return await self._run_with(server, stop)
            finally:
                server.kill()

    async def _run_with(self, server: Child, stop: asyncio.Event) -> int:
        listening, stopping = asyncio.create_task(server.line()), asyncio.create_task(stop.wait())
        await asyncio.wait({listening, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if not listening.done():
            listening.cancel()
            return await server.stop()
        if not (url := listening.result()):
            return await server.ended() or ExitStatus.BUG
        flags = [*self._client_flags, f"--server={local_url(url)}"]
        client = await Child.start("client", flags, self._environment, self._say)
        try:
            return await self._watch(server, client, stop)
        finally:
            client.kill()

    async def _watch(self, server: Child, client: Child, stop: asyncio.Event) -> int:
        endings = {asyncio.create_task(child.ended()): child for child in (server, client)}
        stopping = asyncio.create_task(stop.wait())
        done, _ = await asyncio.wait({*endings, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if stop.is_set():
            self._say("run", "stopping: the client first, then the server")
        for ending, child in endings.items():
            if ending in done:
                self._report(child, ending.result())
        stopping.cancel()
        client_code = await client.stop()
        server_code = await server.stop()
        await asyncio.gather(*endings)
        return client_code or server_code

    def _report(self, child: Child, code: int) -> None:
        if code or child.name == "server":
            self._say("run", f"the {child.name} ended with exit code {code}: stopping the other one")


def _say(name: str, line: str) -> None:
    mark = f"\x1b[{_COLORS[name]}m{name:<6}\x1b[0m" if _in_color() else f"{name:<6}"
    print_line(sys.stderr, f"{mark} | {line}")


def _in_color() -> bool:
    return sys.stderr is not None and wants_color(None, is_terminal=sys.stderr.isatty(), environ=os.environ)


def local_url(url: str) -> str:
    """Where this machine finds a server that printed `url`: one that listens everywhere listens on the loopback."""
    parts = urlsplit(url)
    host = reachable_host(parts.hostname or "")
    return parts._replace(netloc=f"[{host}]:{parts.port}" if ":" in host else f"{host}:{parts.port}").geturl()


def _shared_token(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that let this run's client into this run's server."""
    token = secrets.token_urlsafe()
    known = environ.get(TOKENS_VARIABLE, "")
    return {TOKENS_VARIABLE: f"{known}\n{_HOLDER}:{token}", TOKEN_VARIABLE: token}


def _as_shown(environment: Mapping[str, str]) -> dict[str, str]:
    """Children write to pipes, but what they say is shown where this process shows it: as wide, and in colour if so."""
    color = {"FORCE_COLOR": "1"} if _in_color() else {}
    columns = console_columns(sys.stderr, os.environ)
    width = {} if columns is None else {COLUMNS_VARIABLE: str(max(0, columns - _MARK_COLUMNS))}
    return {**environment, **color, **width}
