"""A child process of `plugandtell run`, watched and shown.

Its standard input is its lifeline: it is closed to stop the child, and it closes by itself if this process dies, so
that no child is left behind.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from contextlib import suppress
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from plugandtell.logservice.settings import COLUMNS_VARIABLE, console_columns, wants_color

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

MARK_COLUMNS = len("analytics | ")
STOP_WITHIN_S = 15.0
"""More than the deadline that a client and a server set themselves."""
_LONGEST_LINE_BYTES = 1024 * 1024


class Output(StrEnum):
    """What becomes of a child's standard output: shown, read with `Child.line`, or not wanted."""

    SHOWN = "shown"
    READ = "read"
    UNWANTED = "unwanted"


class Child:
    """A child process whose standard error is shown line by line, marked with its name."""

    def __init__(
        self, name: str, process: asyncio.subprocess.Process, say: Callable[[str, str], None], *, shows_output: bool
    ) -> None:
        self.name = name
        self._process = process
        self._say = say
        streams = (process.stderr, process.stdout) if shows_output else (process.stderr,)
        self._showing: asyncio.Future[Any] = asyncio.gather(*(self._show(one) for one in streams if one is not None))

    @classmethod
    async def start(
        cls,
        name: str,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        say: Callable[[str, str], None],
        *,
        output: Output = Output.UNWANTED,
    ) -> Child:
        """Start `python -m plugandtell ARGUMENTS`, out of reach of the terminal's Ctrl-C: stopping it is our business.

        Args:
            name: What it is called in what is shown.
            arguments: The subcommand, and its flags.
            environment: Of the process.
            say: Shows a line that it wrote.
            output: What becomes of its standard output.
        """
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "plugandtell",
            *arguments,
            "--lifeline",
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL if output is Output.UNWANTED else subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(environment),
            limit=_LONGEST_LINE_BYTES,
            start_new_session=sys.platform != "win32",
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
        return cls(name, process, say, shows_output=output is Output.SHOWN)

    async def line(self) -> str:
        """The next line of its standard output; empty at the end."""
        assert self._process.stdout is not None
        return (await self._process.stdout.readline()).decode(errors="replace").strip()

    def follow(self) -> None:
        """Show the rest of its standard output, which must be one that is read."""
        assert self._process.stdout is not None
        self._showing = asyncio.gather(self._showing, self._show(self._process.stdout))

    async def ended(self) -> int:
        """Wait until it has ended and everything it said is shown; returns its exit code as a shell would."""
        code = await self._process.wait()
        await asyncio.shield(self._showing)
        return code if code >= 0 else 128 - code

    async def send(self, line: str) -> None:
        """Write a line to its standard input; one that has ended does not read it, and that is no error."""
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.write(f"{line}\n".encode())
            await self._process.stdin.drain()

    async def stop(self) -> int:
        """Ask it to stop, and kill it if it does not; returns its exit code."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            async with asyncio.timeout(STOP_WITHIN_S):
                return await self.ended()
        except TimeoutError:
            self._say(self.name, f"did not stop within {STOP_WITHIN_S:g} s and is killed")
            self.kill()
            return await self.ended()

    def kill(self) -> None:
        """End it now. Idempotent."""
        if self._process.returncode is None:
            self._process.kill()

    async def _show(self, stream: asyncio.StreamReader) -> None:
        async for line in stream:
            self._say(self.name, line.decode(errors="replace").rstrip("\r\n"))


def shown_in_color() -> bool:
    """Whether this process shows what it says in colour."""
    return sys.stderr is not None and wants_color(None, is_terminal=sys.stderr.isatty(), environ=os.environ)


def as_shown(environment: Mapping[str, str]) -> dict[str, str]:
    """Children write to pipes, but what they say is shown where this process shows it: as wide, and in colour if so."""
    color = {"FORCE_COLOR": "1"} if shown_in_color() else {}
    columns = console_columns(sys.stderr, os.environ)
    width = {} if columns is None else {COLUMNS_VARIABLE: str(max(0, columns - MARK_COLUMNS))}
    return {**environment, **color, **width}
