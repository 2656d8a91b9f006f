"""How much audio moves at a time: from the microphone to the gate, and from the gate to the server."""

from __future__ import annotations

from dataclasses import dataclass

from plugandtell.core.audio import SPEECH

_LONGEST_BLOCK_SAMPLES = SPEECH.samples_from_ms(100)


@dataclass(frozen=True, slots=True)
class Batch:
    """Lengths in whole frames of a detector, so that no audio waits for the rest of a frame on its way.

    Attributes:
        message_samples: Audio gathered into one message.
        block_samples: Audio that a microphone hands over at a time. Each block wakes the process; what is heard waits
            for the end of its block.
    """

    message_samples: int
    block_samples: int


def batch_of(batch_ms: int, frame_samples: int) -> Batch:
    """The nearest whole number of frames, at least one; blocks as long as a message, but no longer than 100 ms."""
    frames = max(1, round(SPEECH.samples_from_ms(batch_ms) / frame_samples))
    frames_in_block = max(1, min(frames, _LONGEST_BLOCK_SAMPLES // frame_samples))
    return Batch(frames * frame_samples, frames_in_block * frame_samples)
