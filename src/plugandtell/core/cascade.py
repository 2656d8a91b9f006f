"""Two detectors in a row: a cheap one that listens always, and a good one that is woken by it.

The guard misses nothing and believes too much; the judge costs a hundred times as much. While the guard hears nothing,
the judge sleeps. When it wakes, it first hears what came just before. It keeps the memory of what it heard earlier: a
judge that begins anew takes the middle of a tune for voice.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from plugandtell.core.audio import AudioFormat
    from plugandtell.core.gate import VoiceDetector


@dataclass(frozen=True, slots=True)
class CascadeSettings:
    """When the judge is woken, and how.

    Attributes:
        primed_frames: Frames before the first one that the guard heard something in, which the judge hears on waking.
        awake_frames: Frames in which the guard hears nothing, after which the judge sleeps again.
        settling_frames: Frames at the start of the stream in which the guard is not believed: it does not know the
            room yet. The judge hears them on waking if they are no more than `primed_frames`.
    """

    primed_frames: int = 16
    awake_frames: int = 16
    settling_frames: int = 10


class Cascade:
    """A `VoiceDetector` made of a guard and a judge, with the judge's frames.

    Args:
        guard: Listens always; a probability from 0.5 on wakes the judge.
        judge: Has the say while it is awake.
        settings: When it is.
        audio: The format of the frames.
    """

    def __init__(
        self, guard: VoiceDetector, judge: VoiceDetector, settings: CascadeSettings, audio: AudioFormat
    ) -> None:
        self._guard = guard
        self._judge = judge
        self._awake_frames = settings.awake_frames
        self._guard_bytes = audio.bytes_in(guard.frame_samples)
        self._unheard = bytearray()
        self._before: deque[bytes] = deque(maxlen=settings.primed_frames)
        self._left_awake = 0
        self._left_settling = settings.settling_frames

    @property
    def frame_samples(self) -> int:
        """The length of the judge's frames."""
        return self._judge.frame_samples

    def probability(self, frame: bytes) -> float:
        """What the judge says, or 0 while it sleeps."""
        heard = self._guard_hears(frame)
        if self._left_settling:
            self._left_settling -= 1
        elif heard:
            if not self._left_awake:
                self._wake()
            self._left_awake = self._awake_frames
        if not self._left_awake:
            self._before.append(frame)
            return 0.0
        self._left_awake -= 1
        return self._judge.probability(frame)

    def _guard_hears(self, frame: bytes) -> bool:
        """Whether the guard hears something in any of its own frames that ends in this one."""
        self._unheard += frame
        hears = False
        while len(self._unheard) >= self._guard_bytes:
            hears |= self._guard.probability(bytes(self._unheard[: self._guard_bytes])) >= 0.5
            del self._unheard[: self._guard_bytes]
        return hears

    def _wake(self) -> None:
        for frame in self._before:
            self._judge.probability(frame)
        self._before.clear()
