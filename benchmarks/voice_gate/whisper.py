"""A whisper made of speech: the same vocal tract, excited by noise instead of the vocal folds (linear prediction)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from signals import Signal, add_at, samples

if TYPE_CHECKING:
    from numpy.typing import NDArray

ORDER = 18
SIZE = 1024
WINDOW = samples(0.04)
HOP = samples(0.01)


def whispered(rng: np.random.Generator, signal: Signal) -> Signal:
    """Window by window: the envelope of the speech, the voice of the noise."""
    shape = np.hanning(WINDOW)
    breath = rng.standard_normal(len(signal))
    out = np.zeros(len(signal))
    for at in range(0, len(signal) - WINDOW, HOP):
        part = signal[at : at + WINDOW] * shape
        if float(np.sum(part**2)) > 1e-7:
            noise = np.fft.rfft(breath[at : at + WINDOW] * shape, SIZE)
            add_at(out, at, _formed(part, noise)[:WINDOW] * shape)
    return out


def _formed(part: Signal, noise: NDArray[np.complex128]) -> Signal:
    """Noise with the part's envelope and power, its low frequencies weakened as whispering weakens them."""
    auto = np.fft.irfft(np.abs(np.fft.rfft(part, 2 * len(part))) ** 2)[: ORDER + 1]
    auto[0] *= 1.0001
    lags = np.abs(np.subtract.outer(np.arange(ORDER), np.arange(ORDER)))
    predictor = np.concatenate(([1.0], -np.linalg.solve(auto[lags], auto[1:])))
    tilt = np.abs(1 - 0.5 * np.exp(-2j * np.pi * np.arange(SIZE // 2 + 1) / SIZE))
    made = np.fft.irfft(noise * tilt / np.abs(np.fft.rfft(predictor, SIZE)))
    return np.asarray(made * np.sqrt(np.sum(part**2) / max(float(np.sum(made**2)), 1e-12)))
