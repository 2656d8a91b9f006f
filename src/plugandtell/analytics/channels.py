"""Ways for an alert to go out on this machine: the log, and a command of the user's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plugandtell.core.errors import AlertNotSent
from plugandtell.logservice import get_logger
from plugandtell.user_command import UserCommand

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plugandtell.analytics.alerting import Facts

LOG, COMMAND, WEBHOOK = "log", "command", "webhook"
"""The channels by name."""


class LogChannel:
    """An error in the log."""

    async def send(self, facts: Facts) -> None:
        """Log it."""
        get_logger().error("alert", **facts)


class CommandChannel:
    """Runs a command, as `UserCommand` does.

    Args:
        command: The program and its arguments; no shell looks at them.
        within_s: After that long it is killed, and counts as failed.
    """

    def __init__(self, command: Sequence[str], within_s: float = 30.0) -> None:
        self._command = UserCommand(command, "PLUGANDTELL_ALERT_", within_s)

    async def send(self, facts: Facts) -> None:
        """Run it.

        Raises:
            AlertNotSent: It cannot be started, takes too long, or ends with another status than 0.
        """
        if cause := await self._command.run(facts):
            raise AlertNotSent(COMMAND, cause)
