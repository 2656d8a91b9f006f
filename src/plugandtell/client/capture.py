"""What one stream of a microphone has heard, on its way from PortAudio's thread to the event loop."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

import numpy as np

from plugandtell.client.converter import FULL_SCALE
from plugandtell.core.audio import SPEECH

if TYPE_CHECKING:
    from plugandtell.client.converter import Block
    from plugandtell.core.audio import AudioFormat

BLOCK_MS = 20
BACKLOG_S = 60
BACKLOG_BLOCKS = BACKLOG_S * 1000 // BLOCK_MS


class Capture:
    """Holds what was heard until it is taken.

    PortAudio's thread writes and the event loop reads, without a lock: each counter has one writer, and a deque is
    safe at both ends. It holds `BACKLOG_S` of audio; once full, the newest is dropped and counted.

    Attributes:
        audio_format: What the stream delivers.
        heard_samples: Samples that the device delivered, dropped ones included.
        overflows: How often PortAudio reported that it lost audio before we got it.
        finished: The stream will call back no more.
    """

    def __init__(self, audio_format: AudioFormat) -> None:
        self.audio_format = audio_format
        self.heard_samples = 0
        self.overflows = 0
        self.finished = False
        self._dropped_samples = 0
        self._blocks: deque[bytes] = deque()

    @property
    def dropped_samples(self) -> int:
        """Samples dropped because the backlog was full, in the `SPEECH` format."""
        return SPEECH.samples_from_s(self.audio_format.seconds_from(self._dropped_samples))

    def hear(self, block: Any, samples: int, _when: object, status: Any) -> None:
        """PortAudio's callback, once every `BLOCK_MS`: copies, hands over, returns."""
        self.overflows += bool(status.input_overflow)
        self.heard_samples += samples
        if len(self._blocks) < BACKLOG_BLOCKS:
            self._blocks.append(bytes(block))
        else:
            self._dropped_samples += samples

    def finish(self) -> None:
        """PortAudio's last callback."""
        self.finished = True

    def take(self) -> Block | None:
        """The oldest block held, if any."""
        if not self._blocks:
            return None
        values = np.frombuffer(self._blocks.popleft(), np.int16).reshape(-1, self.audio_format.channels)
        return np.divide(values, FULL_SCALE, dtype=np.float32)
