"""Lets messages gather for a moment when they come thick and fast, so that the server wakes up once for many of them.

To wake up costs the kernel and the loop as much as all the rest of a message. Network cards have the same trouble with
interrupts, and the same remedy: they wait a little for more of them.
"""

from __future__ import annotations

import asyncio
import time

_WORTH_IT_PER_S = 2000
"""Below it, waiting would wake up more often than the messages do."""


class Gathering:
    """Makes the event loop sleep between its rounds as long as that pays.

    Args:
        pause_s: How long; 0 for never. Every message is late by as much at most.
    """

    def __init__(self, pause_s: float) -> None:
        self._pause_s = pause_s
        self._looked_at: float | None = None
        self._next: asyncio.Handle | None = None

    def look(self, now: float, arrivals: int) -> None:
        """Begin or end it, by how many messages have come since the last look."""
        since_s = 0.0 if self._looked_at is None else now - self._looked_at
        is_worth_it = arrivals > _WORTH_IT_PER_S * since_s > 0
        self._looked_at = now
        if not (is_worth_it and self._pause_s):
            self.stop()
        elif self._next is None:
            self._pause()

    def stop(self) -> None:
        """Make no more pauses."""
        if self._next is not None:
            self._next.cancel()
            self._next = None

    def _pause(self) -> None:
        """Sleep in the loop on purpose: it is what must not wake up. Its next round takes what came meanwhile."""
        self._next = asyncio.get_running_loop().call_soon(self._pause)
        time.sleep(self._pause_s)
