from __future__ import annotations

import numpy as np
import pyloudnorm
import pytest

from plugandtell.analytics.features.loudness import Samples, loudness_lufs, step_powers
from plugandtell.core.findings import Metric

RATE = 16_000


def noise(seconds: float, seed: int) -> Samples:
    """Noise that is much softer at its beginning, so that the gates have something to do."""
    samples = np.random.default_rng(seed).standard_normal(round(seconds * RATE)) * 0.05
    samples[: len(samples) // 3] *= 0.01
    return samples.astype(np.float32)


def test_a_full_scale_sine_on_one_channel_is_what_the_recommendation_says() -> None:
    sine = np.sin(2 * np.pi * 997 * np.arange(RATE * 2) / RATE).astype(np.float32)
    assert loudness_lufs([step_powers(sine, RATE)]).value == pytest.approx(-3.0, abs=0.11)


@pytest.mark.parametrize("seconds", [0.4, 3.05, 61.3, 125.0])
def test_pieces_give_what_the_whole_gives(seconds: float) -> None:
    channels = [noise(seconds, 1), noise(seconds, 2)]
    meter = pyloudnorm.Meter(RATE)
    for some in (channels, channels[:1]):
        whole = meter.integrated_loudness(np.stack(some, axis=1).astype(np.float64))
        assert loudness_lufs([step_powers(channel, RATE) for channel in some]).value == pytest.approx(whole, abs=0.11)


@pytest.mark.parametrize(
    ("samples", "reason"), [(0, "less than 0.4 s of audio"), (6_399, "less than 0.4 s of audio"), (RATE, "silence")]
)
def test_too_little_has_no_loudness(samples: int, reason: str) -> None:
    assert loudness_lufs([step_powers(np.zeros(samples, np.float32), RATE)]) == Metric(None, reason)
