"""How much audio moves at a time: from the microphone to the gate, and from the gate to the server."""

from __future__ import annotations

import math
from dataclasses import dataclass

from plugandtell.core.audio import SPEECH

LONGEST_BLOCK_MS = 100


@dataclass(frozen=True, slots=True)
class Batch:
    """Lengths in whole frames of a detector, so that no audio waits for the rest of a frame on its way.

    Attributes:
        message_samples: Audio gathered into one message: a whole number of blocks.
        block_samples: Audio that a microphone hands over at a time. Each block wakes the process; what is heard waits
            for the end of its block.
    """

    message_samples: int
    block_samples: int


def batch_of(batch_ms: int, frame_samples: int) -> Batch:
    """What comes nearest to messages of that length, in blocks of about `LONGEST_BLOCK_MS` at most."""
    wanted = SPEECH.samples_from_ms(batch_ms)
    fewest = math.ceil(batch_ms / LONGEST_BLOCK_MS)
    choices = [_in_blocks(wanted, number, frame_samples) for number in (fewest, fewest + 1)]
    return min(choices, key=lambda choice: abs(choice.message_samples - wanted))


def _in_blocks(wanted_samples: int, blocks: int, frame_samples: int) -> Batch:
    block_samples = max(1, round(wanted_samples / (blocks * frame_samples))) * frame_samples
    return Batch(blocks * block_samples, block_samples)
