"""When to try again, and when to give up."""

from __future__ import annotations

_MOST_DOUBLINGS = 64  # far beyond any longest pause, and far below what a float can hold


class Retry:
    """Pauses of random length, the longest of which doubles, until it has gone on for too long without progress.

    Drawn from the whole of each span ("full jitter"), the pauses of many clients that lost the same server spread
    evenly: see M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.

    Args:
        first_pause_s: The longest first pause.
        longest_pause_s: No pause is longer.
        give_up_after_s: From the first failure after the last progress; infinite never to give up.
    """

    def __init__(self, first_pause_s: float, longest_pause_s: float, give_up_after_s: float) -> None:
        self._first_pause_s = first_pause_s
        self._longest_pause_s = longest_pause_s
        self._give_up_after_s = give_up_after_s
        self._failing_since: float | None = None
        self.tries = 0

    def progress(self) -> None:
        """It works again: begin anew at the next failure. That a connection was made alone is no progress."""
        self._failing_since = None
        self.tries = 0

    def next_pause_s(self, now_s: float, roll: float) -> float | None:
        """How long to wait before the next try; None to give up.

        Args:
            now_s: The time on a monotonic clock.
            roll: Where in its span the pause lies: a random number from 0 to below 1.
        """
        if self._failing_since is None:
            self._failing_since = now_s
        span_s = min(self._longest_pause_s, self._first_pause_s * 2.0 ** min(self.tries, _MOST_DOUBLINGS))
        pause_s = roll * span_s
        if now_s + pause_s - self._failing_since >= self._give_up_after_s:
            return None
        self.tries += 1
        return pause_s
