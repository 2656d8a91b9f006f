"""Keeps what happens all the time from filling the log."""

from __future__ import annotations


class Allowance:
    """How many lines all who share it may log in a second, evenly spread: as many as an eye can follow.

    Args:
        per_s: How many.
    """

    def __init__(self, per_s: float) -> None:
        self._every_s = 1 / per_s
        self._free_at = 0.0

    def is_free(self, now_s: float) -> bool:
        """Whether one more may be logged now, on a monotonic clock."""
        return now_s >= self._free_at

    def take(self, now_s: float) -> None:
        """One was logged."""
        self._free_at = now_s + self._every_s


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
        if self._shared is not None:
            if not self._shared.is_free(now_s):
                return False
            self._shared.take(now_s)
        self._logged_at[event] = now_s
        return True
