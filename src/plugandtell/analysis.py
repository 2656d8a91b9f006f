"""Call analytics as a child process of `plugandtell run`: kept running, and never a reason to stop recording."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from plugandtell.child import Child, Output
from plugandtell.core.exit_status import ExitStatus
from plugandtell.stopping import stop_requests

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

NAME: Final = "analytics"
FINISH: Final = "finish"
"""The line that asks the child to end as soon as every recording is analysed; the end of its input: at once."""
_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 60.0
_ENDS = frozenset({ExitStatus.OK, ExitStatus.USAGE, ExitStatus.NO_ENGINE, ExitStatus.FOLDER_UNUSABLE})
"""Exit codes that another start would end with again."""
_LAST_CRASHES = 2
"""How often it may start again after all is recorded."""


class Analysis:
    """Keeps the child running until it is told to finish.

    Args:
        arguments: Its command line.
        environment: Of the process.
        say: Shows a line of it, or of ours.
    """

    def __init__(
        self, arguments: Sequence[str], environment: Mapping[str, str], say: Callable[[str, str], None]
    ) -> None:
        self._arguments = arguments
        self._environment = environment
        self._say = say
        self._child: Child | None = None
        self._finishing = False
        self._keeping = asyncio.create_task(self._keep())

    async def finish(self) -> int:
        """Let it analyse what was recorded, then end; another request to stop leaves the rest for the next start.

        Returns:
            The exit code that it ended with.
        """
        self._finishing = True
        if self._child is not None:
            await self._child.send(FINISH)
        with stop_requests() as hurry:
            hurrying = asyncio.create_task(hurry.wait())
            await asyncio.wait({self._keeping, hurrying}, return_when=asyncio.FIRST_COMPLETED)
            hurrying.cancel()
        if self._keeping.done():
            return self._keeping.result()
        self._say("run", "leaving the rest of the analysis for the next start")
        self._keeping.cancel()
        return ExitStatus.OK if self._child is None else await self._child.stop()

    def kill(self) -> None:
        """End it now. Idempotent."""
        self._keeping.cancel()
        if self._child is not None:
            self._child.kill()

    async def _keep(self) -> int:
        pause_s, last_crashes = _FIRST_PAUSE_S, 0
        while True:
            code = await self._run_once()
            if self._finishing:
                last_crashes += 1
            if code in _ENDS or last_crashes > _LAST_CRASHES:
                if code != ExitStatus.OK:
                    self._say("run", f"{NAME} ended with exit code {code}: its next start has the rest")
                return code
            self._say("run", f"{NAME} ended with exit code {code} and starts again in {pause_s:g} s")
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    async def _run_once(self) -> int:
        self._child = await Child.start(NAME, self._arguments, self._environment, self._say, output=Output.SHOWN)
        if self._finishing:
            await self._child.send(FINISH)
        code = await self._child.ended()
        self._child = None
        return code
