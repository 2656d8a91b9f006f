"""Where speech begins and ends in a clean clip, by energy, in steps of 10 ms.

A frame counts as speech when it is within `RANGE_DB` of the clip's loud frames (95th percentile) and well above the
clip's own floor. Speech begins with the first run of `RUN` such frames and ends with the last one, so that a single
tick of the mouth or the editor's cut does not count. What is weaker than that, the first breath of an "h" for
instance, is inaudible at the noise levels tested; the tolerance of `TOLERANCE_MS` covers the rest of the error.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from signals import Signal, band_pass, frame_levels_db, samples

STEP = samples(0.010)
RUN = 4
RANGE_DB = 34.0
ABOVE_FLOOR_DB = 9.0
LOUD_DB = 12.0
TOLERANCE_MS = 20


@dataclass(frozen=True, slots=True)
class Label:
    """Speech from sample `start` to before `end`.

    Attributes:
        longest_pause: Between two frames of speech, in samples.
        tail: From the last loud frame to `end`: long where the room rings on, and then no end is right.
        range_db: How far the loud frames rise above the floor.
    """

    start: int
    end: int
    longest_pause: int
    tail: int
    range_db: float


def label(clip: Signal) -> Label | None:
    """Find the speech; None if there is none to speak of."""
    if len(clip) < 20 * STEP:
        return None
    levels = frame_levels_db(band_pass(clip, 70, 7600), STEP)
    loud = float(np.percentile(levels, 95))
    floor = float(np.percentile(levels, 3))
    threshold = max(loud - RANGE_DB, min(floor + ABOVE_FLOOR_DB, loud - 20))
    voiced = levels >= threshold
    runs = np.flatnonzero(np.convolve(voiced, np.ones(RUN), "valid") == RUN)
    if loud < -60 or not len(runs):
        return None
    pauses = np.diff(runs)
    longest = max(0, int(pauses.max()) - RUN) if len(pauses) else 0
    end = int(runs[-1]) + RUN
    tail = end - 1 - int(np.flatnonzero(levels >= loud - LOUD_DB)[-1])
    return Label(int(runs[0]) * STEP, end * STEP, longest * STEP, tail * STEP, loud - floor)
