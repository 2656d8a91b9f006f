"""What a user may say about calls on the command line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from cyclopts import Parameter

from plugandtell.command import INPUT
from plugandtell.core.call import AgentChannel, CallOptions
from plugandtell.core.errors import InvalidSetting


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class CallFlags:
    """What is known about the calls."""

    language: Annotated[str | None, Parameter(group=INPUT)] = None
    """The language that is spoken, as two letters such as en; without it, found out for each call."""

    agent_channel: Annotated[AgentChannel, Parameter(group=INPUT)] = AgentChannel.FIRST
    """The channel of a stereo file that the agent is on: first or second."""

    def of_call(self) -> CallOptions:
        """What goes with each call.

        Raises:
            InvalidSetting: The language is none.
        """
        try:
            return CallOptions(self.language, self.agent_channel)
        except ValueError as exc:
            raise InvalidSetting("--language", self.language, "two small letters, such as en") from exc
