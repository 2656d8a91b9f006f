"""Runs a command of the user's, told of something that happened; no shell has a part in it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import tempfile
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_MOST_SHOWN: Final = 500
_LONGEST_VARIABLE: Final = 8000


class UserCommand:
    """A program that is given facts twice: as JSON on its standard input, and, long texts cut, in variables.

    It is done when it ends; what it leaves running is its own affair. Its standard output is not looked at.

    Args:
        command: The program and its arguments, just as it gets them.
        prefix: What its variables' names begin with.
        within_s: After that long it is killed, with all that is in its process group, and counts as failed.
        withheld: Variables of ours that it does not get.
    """

    def __init__(self, command: Sequence[str], prefix: str, within_s: float, withheld: Sequence[str] = ()) -> None:
        self._command = tuple(command)
        self._prefix = prefix
        self._within_s = within_s
        self._withheld = frozenset(withheld)
        self._running: set[asyncio.subprocess.Process] = set()

    async def run(self, facts: Mapping[str, Any]) -> str | None:
        """Run it to its end, or kill it when this is cancelled.

        Returns:
            Why it failed: it cannot be started, took too long, or ended with another status than 0.
        """
        own = {name: value for name, value in os.environ.items() if name not in self._withheld}
        environment = own | {f"{self._prefix}{name.upper()}": _short(value) for name, value in facts.items()}
        try:
            # Files, not pipes: what the command leaves running may hold them for as long as it likes.
            with tempfile.TemporaryFile() as stdin, tempfile.TemporaryFile() as stderr:
                stdin.write(json.dumps(facts).encode())
                stdin.seek(0)
                status = await self._run(environment, stdin, stderr)
                said = _end_of(stderr)
        except TimeoutError:  # an OSError too
            return f"it was not done after {self._within_s:g} s"
        except (OSError, ValueError) as exc:
            return str(exc)
        return None if status == 0 else f"it ended with status {status}: {said}"

    def kill(self) -> None:
        """End what runs. Idempotent, and safe to call from a signal's handler."""
        for process in tuple(self._running):
            if process.returncode is None:
                with suppress(ProcessLookupError, PermissionError):  # macOS says the latter of one that just ended
                    if sys.platform == "win32":
                        process.kill()
                    else:
                        os.killpg(process.pid, signal.SIGKILL)

    async def _run(self, environment: Mapping[str, str], stdin: IO[bytes], stderr: IO[bytes]) -> int | None:
        process = await asyncio.create_subprocess_exec(
            *self._command,
            env=dict(environment),
            stdin=stdin,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=stderr,
            process_group=None if sys.platform == "win32" else 0,  # out of reach of the terminal's Ctrl-C, too
        )
        self._running.add(process)
        try:
            async with asyncio.timeout(self._within_s):
                return await process.wait()
        finally:
            self.kill()
            await process.wait()
            self._running.discard(process)


def _short(value: object) -> str:
    """As a system takes it into an environment: Linux refuses more than 128 KiB, and all refuse a NUL."""
    return str(value).replace("\0", "")[:_LONGEST_VARIABLE]


def _end_of(file: IO[bytes]) -> str:
    """The last that was written to it."""
    file.seek(max(0, file.seek(0, os.SEEK_END) - _MOST_SHOWN))
    return file.read(_MOST_SHOWN).decode(errors="replace").strip()
