"""What one stream of a microphone has heard, on its way from PortAudio's thread to the event loop."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from plugandtell.core.audio import SPEECH

if TYPE_CHECKING:
    from collections.abc import Callable

    from plugandtell.core.audio import AudioFormat

BACKLOG_S = 60


@dataclass(frozen=True, slots=True)
class Dropped:
    """Samples that were heard but not kept, in the `SPEECH` format."""

    samples: int


class Capture:
    """Holds what was heard until it is taken.

    PortAudio's thread writes and the event loop reads, without a lock: each counter has one writer, and a deque is
    safe at both ends. It holds `BACKLOG_S` of audio; once full, the newest is dropped and counted, and its place is
    marked.

    Args:
        audio_format: What the stream delivers.
        clock: Seconds that pass, in the sleep of the computer too.
        ring: Called, in PortAudio's thread, when there is something to take, and at the end.

    Attributes:
        audio_format: What the stream delivers.
        heard_samples: Samples that the device delivered, dropped ones included.
        overflows: How often PortAudio reported that it lost audio before we got it. How much, it does not say.
        finished: The stream will call back no more.
        heard_from_s: When the first sample was heard, on the clock; before that, when we began to listen.
        heard_to_s: When the last one was.
    """

    def __init__(self, audio_format: AudioFormat, clock: Callable[[], float], ring: Callable[[], None]) -> None:
        self.audio_format = audio_format
        self.heard_samples = 0
        self.overflows = 0
        self.finished = False
        self.heard_from_s = self.heard_to_s = clock()
        self._clock = clock
        self._ring = ring
        self._most_samples = audio_format.samples_from_s(BACKLOG_S)
        self._taken_samples = 0
        self._dropped_samples = 0
        self._unmarked_samples = 0
        self._blocks: deque[bytes | Dropped] = deque()

    @property
    def dropped_samples(self) -> int:
        """Samples dropped because the backlog was full, in the `SPEECH` format."""
        return self._in_speech(self._dropped_samples)

    @property
    def dropped_since(self) -> Dropped:
        """What was dropped after the last block held: to be asked for once the stream is over and all is taken."""
        return Dropped(self._in_speech(self._unmarked_samples))

    def hear(self, block: Any, samples: int, _when: object, status: Any) -> None:
        """PortAudio's callback, once for every block: copies, hands over, returns."""
        now_s = self._clock()
        if not self.heard_samples:
            self.heard_from_s = now_s - self.audio_format.seconds_from(samples)
        self.heard_to_s = now_s
        self.overflows += bool(status.input_overflow)
        self.heard_samples += samples
        if self.heard_samples - self._dropped_samples - self._taken_samples > self._most_samples:
            self._dropped_samples += samples
            self._unmarked_samples += samples
            return
        if self._unmarked_samples:
            self._blocks.append(self.dropped_since)
            self._unmarked_samples = 0
        self._blocks.append(bytes(block))
        self._ring()

    def finish(self) -> None:
        """PortAudio's last callback."""
        self.finished = True
        self._ring()

    def take(self) -> bytes | Dropped | None:
        """The oldest block held, if any; or what was dropped before it."""
        if not self._blocks:
            return None
        block = self._blocks.popleft()
        if not isinstance(block, Dropped):
            self._taken_samples += self.audio_format.samples_in(len(block))
        return block

    def _in_speech(self, samples: int) -> int:
        return SPEECH.samples_from_s(self.audio_format.seconds_from(samples))
