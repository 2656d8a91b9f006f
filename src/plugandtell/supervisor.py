"""`plugandtell run`: server, client and analytics as child processes, watched, and stopped in the right order."""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from plugandtell.analysis import Analysis
from plugandtell.child import Child, Output, as_shown
from plugandtell.command import TOKEN_VARIABLE, TOKENS_VARIABLE, print_line
from plugandtell.core.exit_status import ExitStatus
from plugandtell.core.network import reachable_host
from plugandtell.core.recording import Container
from plugandtell.core.status import is_report
from plugandtell.run_screen import Display, display_for
from plugandtell.stopping import stop_requests

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from plugandtell.core.talk import Key

_HOLDER = "plugandtell-run"  # the same each time, so that what a killed run left is taken from the next one


@dataclass(frozen=True, slots=True)
class Flags:
    """The command lines of the children.

    Attributes:
        server: The server's.
        client: The client's, without the server's address.
        analytics: That of analytics; None to leave it out.
    """

    server: Sequence[str]
    client: Sequence[str]
    analytics: Sequence[str] | None = None


def run_until_stopped(
    flags: Flags, audio_dir: Path, variables: Mapping[str, str], *, shares_token: bool, plain: bool
) -> int:
    """Run all until one of them ends or this process is asked to stop; returns the exit code that tells how it went.

    Args:
        flags: The command lines.
        audio_dir: Where the server records.
        variables: Further ones for the environment of the children.
        shares_token: Whether the server asks for tokens, and the client was given none: they get one of their own.
        plain: Whether lines are wanted, even on a terminal.
    """
    before = _recordings(audio_dir)
    environment = {**os.environ, **variables} | (_shared_token(os.environ) if shares_token else {})
    status = asyncio.run(Supervisor(flags, as_shown(environment), display_for(plain=plain)).run())
    recordings = sorted(_recordings(audio_dir) - before)
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


def _recordings(folder: Path) -> set[str]:
    return {name for container in Container for name in _names(folder, f"*.{container}")}


def _names(folder: Path, pattern: str) -> set[str]:
    return {path.name for path in folder.glob(pattern)}


class Supervisor:
    """Runs the server, then the client; ends the client first, so that the server can still save what it sent.

    Analytics comes last and goes last: it has all that was recorded then.

    Args:
        flags: The command lines.
        environment: Of all. Secrets go this way, because everybody on a machine can read command lines.
        display: Shows what the children and we say, and what they do.
    """

    def __init__(self, flags: Flags, environment: Mapping[str, str], display: Display) -> None:
        self._flags = flags
        self._environment = environment
        self._display = display
        self._say = display.say
        self._reporting = ["--reports"] if display.takes_reports else []
        self._client: Child | None = None
        self._telling: set[asyncio.Task[None]] = set()

    async def run(self) -> int:
        """Run all to the end; returns the first exit code that is not 0: the client's, the server's, analytics's."""
        with stop_requests(at_once=self._display.leave) as stop, ExitStack() as screen:
            screen.enter_context(self._display.showing(self._press))
            server = await self._start("server", self._flags.server)
            try:
                return await self._run_with(server, stop, screen)
            finally:
                server.kill()

    async def _run_with(self, server: Child, stop: asyncio.Event, screen: ExitStack) -> int:
        listening, stopping = asyncio.create_task(self._url_of(server)), asyncio.create_task(stop.wait())
        await asyncio.wait({listening, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if not listening.done():
            listening.cancel()
            return await server.stop()
        if not (url := listening.result()):
            return await server.ended() or ExitStatus.BUG
        client = await self._start("client", [*self._flags.client, f"--server={local_url(url)}"])
        if self._display.takes_reports:
            server.follow()
            client.follow()
        self._client = client
        analysis = self._analysis()
        try:
            code = await self._watch(server, client, stop)
            screen.close()
            rest = ExitStatus.OK if analysis is None else await self._finish(analysis)
            return code or rest
        finally:
            client.kill()
            if analysis is not None:
                analysis.kill()

    async def _start(self, name: str, flags: Sequence[str]) -> Child:
        arguments = [name, *flags, *self._reporting]
        output = Output.READ if name == "server" or self._display.takes_reports else Output.UNWANTED
        return await Child.start(name, arguments, self._environment, self._say, output=output)

    async def _url_of(self, server: Child) -> str:
        """Where it listens; empty if it ended instead."""
        while is_report(line := await server.line()):
            self._say(server.name, line)
        return line

    def _press(self, key: Key) -> None:
        """Tell the client of a key."""
        if self._client is not None:
            task = asyncio.create_task(self._client.send(key.value))
            self._telling.add(task)
            task.add_done_callback(self._telling.discard)

    def _analysis(self) -> Analysis | None:
        if self._flags.analytics is None:
            return None
        arguments = ["worker", *self._flags.analytics, *self._reporting]
        return Analysis(arguments, self._environment, self._say)

    async def _watch(self, server: Child, client: Child, stop: asyncio.Event) -> int:
        endings = {asyncio.create_task(child.ended()): child for child in (server, client)}
        stopping = asyncio.create_task(stop.wait())
        done, _ = await asyncio.wait({*endings, stopping}, return_when=asyncio.FIRST_COMPLETED)
        self._display.stopping()
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

    async def _finish(self, analysis: Analysis) -> int:
        self._say("run", "everything is recorded; analysing the rest (Ctrl-C leaves it for the next start)")
        return await analysis.finish()

    def _report(self, child: Child, code: int) -> None:
        if code or child.name == "server":
            self._say("run", f"the {child.name} ended with exit code {code}: stopping the other one")


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
