"""Keeps what happens all the time from filling the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from plugandtell.core.allowance import Allowance


class Throttle:
    """Lets each event through once in so many seconds, the first time at once.

    Args:
        every_s: The least time between two of the same event.
        shared: What all events of all throttles that share it may have; none is let through beyond it.
    """

    def __init__(self, every_s: float = 1.0, shared: Allowance | None = None) -> None:
        self._every_s = every_s
        self._shared = shared
        self._logged_at: dict[str, float] = {}

    def is_due(self, event: str, now_s: float) -> bool:
        """Whether the event is to be logged now, on a monotonic clock; if so, it counts as logged."""
        logged_at = self._logged_at.get(event)
        if logged_at is not None and now_s - logged_at < self._every_s:
            return False
        if self._shared is not None and not self._shared.take(now_s):
            return False
        self._logged_at[event] = now_s
        return True
