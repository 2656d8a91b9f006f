"""What may be the beginning of voice, before it is known to be one."""

from __future__ import annotations

from collections import deque


class Suspicion:
    """Collects evidence of voice, and remembers where the stretch began that it belongs to.

    The stretch goes on over pauses of at most `gap_samples`, so that a weak first syllable is part of what a later one
    proves. It reaches back at most `reach_samples`: what lies further back is let go.

    Args:
        frame_samples: Length of a frame.
        window: The latest frames whose evidence counts.
        gap_samples: The longest pause within a stretch.
        reach_samples: How far back a stretch can begin.
    """

    def __init__(self, frame_samples: int, window: int, gap_samples: int, reach_samples: int) -> None:
        self._frame_samples = frame_samples
        self._gap_samples = gap_samples
        self._reach_samples = reach_samples
        self._evidence: deque[float] = deque(maxlen=window)
        self._voiced_to = 0
        self.onset: int | None = None
        """The first sample of the stretch; None if there is none."""

    @property
    def voiced_to(self) -> int:
        """The end of the last voiced frame of the stretch."""
        return self._voiced_to

    @property
    def evidence(self) -> float:
        """The sum over the window."""
        return sum(self._evidence)

    @property
    def density(self) -> float:
        """The mean evidence of a frame since the first that gave any, within the window."""
        frames = list(self._evidence)
        while frames and not frames[0]:
            del frames[0]
        return sum(frames) / len(frames) if frames else 0.0

    def feed(self, start: int, evidence: float | None) -> None:
        """Take the frame that begins at `start`: its evidence from 0 to 1, or None where it is not voiced."""
        end = start + self._frame_samples
        if evidence is not None:
            if self.onset is None:
                self.onset = start
            self._voiced_to = end
        elif self.onset is None or end - self._voiced_to > self._gap_samples:
            self.forget()
            return
        self._evidence.append(evidence or 0.0)
        self.onset = max(self.onset, end - self._reach_samples)

    def forget(self) -> None:
        """Begin anew: what was suspected is known, or was nothing."""
        self.onset = None
        self._evidence.clear()
