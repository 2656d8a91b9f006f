"""The time in which a microphone was away, told of as a hole that grows."""

from __future__ import annotations

from dataclasses import dataclass

from plugandtell.client.source import Hole
from plugandtell.core.audio import SPEECH

_PIECE_S = 0.25  # as often as the gate tells its position in silence
_LAG_S = 0.5  # more than passes from the first sample of a new stream to our hearing of it


@dataclass(slots=True)
class Absence:
    """A microphone is away.

    Attributes:
        name: What it was called.
        cause: Why.
        from_s: When the last sample was heard, on a clock that goes on while the computer sleeps.
        noticed_s: When we noticed, on one that need not.
        told_samples: How much of the hole was told of.
    """

    name: str
    cause: str
    from_s: float
    noticed_s: float
    told_samples: int = 0

    @property
    def hole_s(self) -> float:
        """How much of the hole was told of."""
        return SPEECH.seconds_from(self.told_samples)

    def grow(self, now_s: float) -> list[Hole]:
        """While it lasts: what can be told of the hole, a little behind the time, lest a new stream begin in it."""
        return self._tell(now_s - _LAG_S, SPEECH.samples_from_s(_PIECE_S))

    def end(self, heard_from_s: float) -> list[Hole]:
        """Its rest, up to that time. What was told already stands."""
        return self._tell(heard_from_s, 1)

    def _tell(self, to_s: float, least_samples: int) -> list[Hole]:
        samples = SPEECH.samples_from_s(to_s - self.from_s) - self.told_samples
        if samples < least_samples:
            return []
        self.told_samples += samples
        return [Hole(samples, self.cause)]
