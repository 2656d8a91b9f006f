"""Ways for an alert to go out on this machine: the log, and a command of the user's."""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
from typing import IO, TYPE_CHECKING, Final

from plugandtell.core.errors import AlertNotSent
from plugandtell.logservice import get_logger

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plugandtell.analytics.alerting import Facts

LOG, COMMAND, WEBHOOK = "log", "command", "webhook"
"""The channels by name."""

_MOST_SHOWN: Final = 500
_LONGEST_VARIABLE: Final = 8000


class LogChannel:
    """An error in the log."""

    async def send(self, facts: Facts) -> None:
        """Log it."""
        get_logger().error("alert", **facts)


class CommandChannel:
    """Runs a command, which is given the alert twice: as JSON on its standard input, and, long texts cut, in variables.

    It is done when it ends; what it leaves running is its own affair.

    Args:
        command: The program and its arguments; no shell looks at them.
        within_s: After that long it is killed, and counts as failed.
    """

    def __init__(self, command: Sequence[str], within_s: float = 30.0) -> None:
        self._command = tuple(command)
        self._within_s = within_s

    async def send(self, facts: Facts) -> None:
        """Run it.

        Raises:
            AlertNotSent: It cannot be started, takes too long, or ends with another status than 0.
        """
        environment = os.environ | {f"PLUGANDTELL_ALERT_{name.upper()}": _short(value) for name, value in facts.items()}
        try:
            # Files, not pipes: what the command leaves running may hold them for as long as it likes.
            with tempfile.TemporaryFile() as stdin, tempfile.TemporaryFile() as stderr:
                stdin.write(json.dumps(facts).encode())
                stdin.seek(0)
                process = await asyncio.create_subprocess_exec(
                    *self._command, env=environment, stdin=stdin, stdout=asyncio.subprocess.DEVNULL, stderr=stderr
                )
                await self._wait_for(process)
                said = _end_of(stderr)
        except (OSError, ValueError) as exc:
            raise AlertNotSent(COMMAND, str(exc)) from exc
        if process.returncode != 0:
            raise AlertNotSent(COMMAND, f"it ended with status {process.returncode}: {said}")

    async def _wait_for(self, process: asyncio.subprocess.Process) -> None:
        try:
            async with asyncio.timeout(self._within_s):
                await process.wait()
        except TimeoutError as exc:
            raise AlertNotSent(COMMAND, f"it was not done after {self._within_s:g} s") from exc
        finally:
            await _end(process)


def _short(value: object) -> str:
    """As a system takes it into an environment: Linux refuses more than 128 KiB, and all refuse a NUL."""
    return str(value).replace("\0", "")[:_LONGEST_VARIABLE]


def _end_of(file: IO[bytes]) -> str:
    """The last that was written to it."""
    file.seek(max(0, file.seek(0, os.SEEK_END) - _MOST_SHOWN))
    return file.read(_MOST_SHOWN).decode(errors="replace").strip()


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.kill()
        await process.wait()
