"""How another thread tells the event loop that there is something to do."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Protocol


class Bell(Protocol):
    """May be rung in any thread; waited for on the event loop, by one task."""

    def ring(self) -> None:
        """End the wait. If nobody waits, the next wait ends at once."""

    async def wait(self, at_most_s: float) -> None:
        """Wait until it is rung, or until so much time has passed."""


class LoopBell:
    """The bell of the event loop that runs when it is first waited for; what rings before goes unheard."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """As the port says. A loop that is closed hears nothing."""
        if self._loop is not None:
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._rung.set)

    async def wait(self, at_most_s: float) -> None:
        """As the port says. A timer of its own is a fraction of what `asyncio.wait_for` costs."""
        self._loop = asyncio.get_running_loop()
        timer = self._loop.call_later(at_most_s, self._rung.set)
        try:
            await self._rung.wait()
        finally:
            timer.cancel()
            self._rung.clear()
