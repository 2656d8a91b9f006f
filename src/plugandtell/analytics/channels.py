"""Ways for an alert to go out on this machine: the log, and a command of the user's."""

from __future__ import annotations

import asyncio
import json
import os
from typing import TYPE_CHECKING, Final

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
        pipe = asyncio.subprocess.PIPE
        devnull = asyncio.subprocess.DEVNULL
        environment = os.environ | {f"PLUGANDTELL_ALERT_{name.upper()}": _short(value) for name, value in facts.items()}
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command, env=environment, stdin=pipe, stdout=devnull, stderr=pipe
            )
        except (OSError, ValueError) as exc:
            raise AlertNotSent(COMMAND, str(exc)) from exc
        try:
            async with asyncio.timeout(self._within_s):
                _, stderr = await process.communicate(json.dumps(facts).encode())
        except TimeoutError as exc:
            raise AlertNotSent(COMMAND, f"it was not done after {self._within_s:g} s") from exc
        finally:
            await _end(process)
        if process.returncode != 0:
            said = stderr.decode(errors="replace").strip()[-_MOST_SHOWN:]
            raise AlertNotSent(COMMAND, f"it ended with status {process.returncode}: {said}")


def _short(value: object) -> str:
    """As a system takes it into an environment: Linux refuses more than 128 KiB, and all refuse a NUL."""
    return str(value).replace("\0", "")[:_LONGEST_VARIABLE]


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.kill()
        await process.wait()
