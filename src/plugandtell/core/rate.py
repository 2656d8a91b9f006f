"""How fast a count grows."""

from __future__ import annotations

from collections import deque


class Rate:
    """The mean over the last seconds.

    Args:
        window_s: Over how many.
    """

    def __init__(self, window_s: float = 2.0) -> None:
        self._window_s = window_s
        self._counts: deque[tuple[float, int]] = deque()

    def feed(self, now_s: float, total: int) -> float:
        """Take the count at this time, on a monotonic clock; returns by how much it grows in a second."""
        while len(self._counts) > 1 and self._counts[1][0] <= now_s - self._window_s:
            self._counts.popleft()
        self._counts.append((now_s, total))
        first_s, first = self._counts[0]
        return max(0.0, (total - first) / (now_s - first_s)) if now_s > first_s else 0.0
