"""The clocks that tell how long a microphone was away, and how much of that the computer slept."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Clocks:
    """Two monotonic clocks, in seconds.

    Attributes:
        elapsed_s: Goes on while the computer sleeps.
        awake_s: Stands still meanwhile, where the system has such a clock.
    """

    elapsed_s: Callable[[], float]
    awake_s: Callable[[], float]

    def asleep_s(self) -> float:
        """How long the computer has slept since some time before: only a rise of it means something.

        A pause of the process between the two readings makes it too small, never too large.
        """
        elapsed_s = self.elapsed_s()
        return elapsed_s - self.awake_s()


def system_clocks() -> Clocks:
    """The clocks of this machine.

    Linux: CLOCK_BOOTTIME and CLOCK_MONOTONIC. macOS: CLOCK_MONOTONIC, which counts sleep there, and Python's monotonic
    clock, which does not. Elsewhere Python's monotonic clock is both: on Windows it counts sleep.
    """
    in_sleep_too = {"linux": "CLOCK_BOOTTIME", "darwin": "CLOCK_MONOTONIC"}.get(sys.platform)
    if in_sleep_too is None:
        return Clocks(time.monotonic, time.monotonic)
    return Clocks(partial(time.clock_gettime, getattr(time, in_sleep_too)), time.monotonic)
