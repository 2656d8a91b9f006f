"""How loud audio is: a level for each tenth of a second of what is heard, or for each part of what was recorded."""

from __future__ import annotations

import math
from collections import deque

import numpy as np

from plugandtell.core.audio import SPEECH
from plugandtell.core.status import FLOOR_DB, Heard

MUTED_MARK = "m"
_FULL_SCALE = 32_768
_MARK_SAMPLES = SPEECH.samples_from_ms(100)
_MARKS = 120


def level_db(amplitude: float) -> float:
    """Decibels below full scale, `FLOOR_DB` at least, of an amplitude in sample values."""
    if amplitude <= 0:
        return FLOOR_DB
    return max(FLOOR_DB, min(0.0, 20 * math.log10(amplitude / _FULL_SCALE)))


def peak(pcm: bytes | memoryview) -> int:
    """The largest amplitude in 16-bit PCM; 0 if there is none."""
    samples = np.frombuffer(pcm, "<i2")
    return max(int(samples.max()), -int(samples.min())) if samples.size else 0


class Meter:
    """Audio and holes in, what was heard lately out. A block counts where it ends: its length is the precision."""

    def __init__(self) -> None:
        self._levels_db: deque[int] = deque(maxlen=_MARKS)
        self._marks: deque[str] = deque(maxlen=_MARKS)
        self._rms_db = FLOOR_DB
        self._samples = 0
        self._peak = 0
        self._squares = 0.0

    @property
    def heard(self) -> Heard:
        """The last twelve seconds."""
        return Heard(tuple(self._levels_db), "".join(self._marks), self._rms_db)

    def feed(self, pcm: bytes, mark: str) -> None:
        """Take what was heard, and what became of it."""
        samples = np.frombuffer(pcm, "<i2").astype(np.float32)
        self._peak = max(self._peak, peak(pcm))
        self._squares += float(np.dot(samples, samples))
        self.skip(samples.size, mark)

    def skip(self, samples: int, mark: str) -> None:
        """Let so much time pass in which nothing was heard, or nothing more than `feed` has noted."""
        self._samples += samples
        due = min(self._samples // _MARK_SAMPLES, _MARKS)
        if not due:
            return
        self._rms_db = level_db(math.sqrt(self._squares / self._samples))
        self._levels_db.extend([round(level_db(self._peak))] * due)
        self._marks.extend([mark] * due)
        self._samples %= _MARK_SAMPLES
        self._peak, self._squares = 0, 0.0
