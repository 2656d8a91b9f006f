"""Speech to stream: the sentences of the sample, laid out anew with pauses of known length."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import soundfile

from plugandtell.sample import sample_path

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

RATE = 16_000
_SENTENCES_S = ((0.60, 2.68), (4.18, 6.20), (10.20, 13.91), (16.41, 18.18), (22.18, 23.60))
"""Where the sentences of the sample start and end: see assets/README.md."""


def sentence(number: int) -> npt.NDArray[np.int16]:
    """One sentence of the sample, from its first sound to its last."""
    samples, rate = soundfile.read(sample_path(), dtype="int16")
    assert rate == RATE
    start_s, end_s = _SENTENCES_S[number]
    return np.asarray(samples[round(start_s * RATE) : round(end_s * RATE)])


def silence(seconds: float) -> npt.NDArray[np.int16]:
    """Digital silence."""
    return np.zeros(round(seconds * RATE), np.int16)


def write_wav(path: Path, *parts: npt.NDArray[np.int16]) -> bytes:
    """Write a 16 kHz mono 16-bit WAV; returns its samples."""
    samples = np.concatenate(parts)
    soundfile.write(path, samples, RATE, subtype="PCM_16")
    return samples.astype("<i2").tobytes()
