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
_HOPELESS = frozenset({ExitStatus.USAGE, ExitStatus.NO_ENGINE, ExitStatus.FOLDER_UNUSABLE})


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
            Its exit code; 0 if it had ended before, which was said then.
        """
        self._finishing = True
        if self._child is None:
            self._say("run", f"{NAME} does not run: its next start has the rest")
            self._keeping.cancel()
            await asyncio.wait({self._keeping})
            return ExitStatus.OK
        await self._child.send(FINISH)
        with stop_requests() as hurry:
            hurrying = asyncio.create_task(hurry.wait())
            await asyncio.wait({self._keeping, hurrying}, return_when=asyncio.FIRST_COMPLETED)
            hurrying.cancel()
        if not self._keeping.done():
            self._say("run", "leaving the rest of the analysis for the next start")
            await self._child.stop()
        return await self._keeping

    def kill(self) -> None:
        """End it now. Idempotent."""
        self._keeping.cancel()
        if self._child is not None:
            self._child.kill()

    async def _keep(self) -> int:
        pause_s = _FIRST_PAUSE_S
        while True:
            self._child = await Child.start(NAME, self._arguments, self._environment, self._say, output=Output.SHOWN)
            code = await self._child.ended()
            if self._finishing:
                return code
            self._child = None
            what = f"{NAME} ended with exit code {code}; recording goes on"
            if code in _HOPELESS:
                self._say("run", f"{what} without it")
                return ExitStatus.OK
            self._say("run", f"{what}, and {NAME} starts again in {pause_s:g} s")
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
