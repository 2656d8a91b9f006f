"""Where in a recording somebody speaks: silero's voice detector, in the copy that faster-whisper brings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from faster_whisper.vad import VadOptions, get_speech_timestamps

from plugandtell.analytics.engines.speech_to_text import RATE
from plugandtell.core.packing import Piece

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

LONGEST_S: Final = 28.0
"""No piece is longer: a little less than the 30 s that Whisper looks at."""

# Far below silero's own threshold of 0.5, which misses words on the telephone: 9 % of them were wrong, and most of
# these were missing; here 3 %. What comes along without being speech is for the engines to tell.
_OPTIONS: Final = VadOptions(
    threshold=0.3,
    min_speech_duration_ms=100,
    max_speech_duration_s=LONGEST_S,
    min_silence_duration_ms=300,
    speech_pad_ms=400,
)
# The detector makes three copies of what it is given: four hours at once would be 3 GB.
_BLOCK_SAMPLES: Final = 600 * RATE
_SEAM_SAMPLES: Final = 20 * RATE
_STEP_SAMPLES: Final = RATE // 10
_EDGE_SAMPLES: Final = RATE // 100


def find_speech(samples: NDArray[np.float32]) -> list[Piece]:
    """The pieces in which somebody speaks, each with 400 ms around it, none longer than `LONGEST_S`.

    Args:
        samples: Mono at 16 kHz, from -1 to 1.
    """
    return [
        Piece(start + int(span["start"]), start + int(span["end"]))
        for start, end in _blocks(samples)
        for span in get_speech_timestamps(samples[start:end], _OPTIONS)
        if span["start"] < span["end"]
    ]


def _blocks(samples: NDArray[np.float32]) -> Iterable[tuple[int, int]]:
    """Stretches of about ten minutes, parted where it is quietest."""
    start = 0
    while len(samples) - start > _BLOCK_SAMPLES + _SEAM_SAMPLES:
        end = quietest(samples, start + _BLOCK_SAMPLES - _SEAM_SAMPLES, start + _BLOCK_SAMPLES)
        yield start, end
        start = end
    if start < len(samples):
        yield start, len(samples)


def without_quiet_edges(samples: NDArray[np.float32], first: int, last: int) -> tuple[int, int]:
    """From `first` up to `last` without what is quiet there at the start and at the end.

    Quiet is what has less than a fortieth (-32 dB) of the loudest amplitude in it, by steps of 10 ms.
    """
    steps = (last - first) // _EDGE_SAMPLES
    if steps < 2:
        return first, last
    part = samples[first : first + steps * _EDGE_SAMPLES].reshape(steps, _EDGE_SAMPLES)
    loudness = np.sqrt(np.square(part).mean(axis=1))
    loud = np.flatnonzero(loudness > loudness.max() / 40)
    if not len(loud):
        return first, last
    end = last if loud[-1] == steps - 1 else first + (int(loud[-1]) + 1) * _EDGE_SAMPLES
    return first + int(loud[0]) * _EDGE_SAMPLES, end


def quietest(samples: NDArray[np.float32], first: int, end: int) -> int:
    """The middle of the quietest tenth of a second from `first` up to `end`, which are at least that far apart."""
    steps = (end - first) // _STEP_SAMPLES
    part = samples[first : first + steps * _STEP_SAMPLES].reshape(steps, _STEP_SAMPLES)
    return first + int(np.argmin(np.square(part).sum(axis=1))) * _STEP_SAMPLES + _STEP_SAMPLES // 2
