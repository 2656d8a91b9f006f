"""Loudness in LUFS, as ITU-R BS.1770-4 defines it, in pieces, so that a call of any length takes little memory.

pyloudnorm gives the filters; its own meter wants the whole signal at once, which four hours of stereo are too much for.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
import numpy.typing as npt
from pyloudnorm import IIRfilter
from scipy.signal import sosfilt

from plugandtell.core.findings import Metric

if TYPE_CHECKING:
    from collections.abc import Sequence

Samples: TypeAlias = npt.NDArray[np.float32]
Powers: TypeAlias = npt.NDArray[np.float64]

_STEP_S: Final = 0.1
_STEPS_PER_BLOCK: Final = 4
"""A block is 400 ms, and one begins every 100 ms."""

_PIECE_STEPS: Final = 600
_ABSOLUTE_GATE_LUFS: Final = -70.0
_RELATIVE_GATE_LU: Final = -10.0
_OFFSET_DB: Final = -0.691


def loudness_lufs(powers: Sequence[Powers]) -> Metric:
    """Integrated loudness of channels that sound together, to a tenth, from the `step_powers` of each.

    The reason where there is none: less than a block of audio, or nothing above the absolute gate of -70 LUFS.
    """
    together = np.sum(powers, axis=0)
    if len(together) < _STEPS_PER_BLOCK:
        return Metric(None, "less than 0.4 s of audio")
    blocks = np.convolve(together, np.full(_STEPS_PER_BLOCK, 1 / _STEPS_PER_BLOCK), "valid")
    audible = blocks[blocks > _power(_ABSOLUTE_GATE_LUFS)]
    if not audible.size:
        return Metric(None, "silence")
    gated = audible[audible > audible.mean() * 10 ** (_RELATIVE_GATE_LU / 10)]
    return Metric(round(_OFFSET_DB + 10 * math.log10(gated.mean()), 1))


def step_powers(samples: Samples, sample_rate: int) -> Powers:
    """The mean square of each whole step of 100 ms behind the K-weighting filters; samples are at full scale 1.0."""
    step = round(sample_rate * _STEP_S)
    sections = _k_weighting(sample_rate)
    state = np.zeros((len(sections), 2))
    powers = [np.zeros(0)]
    whole = samples[: len(samples) // step * step]
    for start in range(0, len(whole), step * _PIECE_STEPS):
        piece = whole[start : start + step * _PIECE_STEPS].astype(np.float64)
        weighted, state = sosfilt(sections, piece, zi=state)
        powers.append(np.square(weighted).reshape(-1, step).mean(axis=1))
    return np.concatenate(powers)


def _power(lufs: float) -> float:
    """The mean square that has this loudness."""
    return float(10 ** ((lufs - _OFFSET_DB) / 10))


def _k_weighting(sample_rate: int) -> Powers:
    """The two filters of the recommendation's annex 1: what a head does to sound, and the bass that nobody hears."""
    shelf = IIRfilter(4.0, 1 / math.sqrt(2), 1500.0, sample_rate, "high_shelf")
    high_pass = IIRfilter(0.0, 0.5, 38.0, sample_rate, "high_pass")
    return np.array([[*one.b, *one.a] for one in (shelf, high_pass)])
