"""How often something may happen, shared by all who do it, so that what many would do at once is spread."""

from __future__ import annotations


class Allowance:
    """So many times a second, and a few more at once after a rest.

    It is the generic cell rate algorithm (ITU-T I.371, annex A): one number does what a bucket of tokens does with two.

    Args:
        per_s: How often in the long run.
        at_once: How often in a row after a rest.
    """

    def __init__(self, per_s: float, at_once: int = 1) -> None:
        self._every_s = 1 / per_s
        self._slack_s = (at_once - 1) / per_s
        self._due_at: float | None = None

    def take(self, now_s: float) -> bool:
        """Whether it may happen now, on a monotonic clock; if so, it counts."""
        due_at = now_s if self._due_at is None else max(self._due_at, now_s)
        if due_at - now_s > self._slack_s:
            return False
        self._due_at = due_at + self._every_s
        return True
