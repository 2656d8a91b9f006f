from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugandtell.client.converter import Converter
from tests.client.audio import Floats, tone

INNER = slice(500, -500)  # the ends ring: the tone is cut there


def converted(audio: Floats, rate: int) -> npt.NDArray[np.int16]:
    converter = Converter(rate)
    block = audio.astype(np.float32).reshape(len(audio), -1)
    return np.frombuffer(converter.feed(block) + converter.flush(), "<i2")


def test_each_16_bit_value_comes_out_as_it_went_in() -> None:
    values = np.arange(-(2**15), 2**15)
    assert np.array_equal(converted(values / 2**15, 16_000), values)


@pytest.mark.parametrize("rate", [8_000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000])
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_any_rate_and_channels_are_converted(rate: int, channels: int) -> None:
    samples = rate + 137
    offsets = np.linspace(-0.2, 0.2, channels) if channels > 1 else np.zeros(1)  # they cancel out in the mean
    values = converted(tone(samples, rate)[:, None] + offsets, rate)
    assert abs(len(values) - samples * 16_000 / rate) <= 1
    expected = tone(len(values), 16_000) * 32_768
    assert np.abs(values[INNER] - expected[INNER]).max() <= 4


def test_what_is_too_loud_is_clipped_without_wrapping() -> None:
    given_values = np.array([0.0, 0.5, 1.0, 1.5, 9e9, -1.0, -1.5, -9e9, 0.4 / 32_768, 0.6 / 32_768, -0.6 / 32_768])
    expected = [0, 16_384, 32_767, 32_767, 32_767, -32_768, -32_768, -32_768, 0, 1, -1]
    assert converted(given_values, 16_000).tolist() == expected


def test_a_loud_tone_is_clipped_after_resampling_too() -> None:
    values = converted(tone(44_100, 44_100, amplitude=4.0), 44_100)[INNER]
    wanted = 4 * tone(len(values) + 500, 16_000, amplitude=1.0)[500:]
    loud = np.abs(wanted) > 1.1
    assert np.array_equal(np.sign(values[loud]), np.sign(wanted[loud]))
    assert set(np.unique(values[loud]).tolist()) == {-32_768, 32_767}


def test_one_broken_float_does_not_spoil_the_rest() -> None:
    broken = tone(48_000, 48_000)
    broken[[10, 20, 30]] = np.nan, np.inf, -np.inf
    values = converted(broken, 48_000)
    assert np.abs(values[INNER] - 32_768 * tone(len(values), 16_000)[INNER]).max() <= 4


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from([8_000, 16_000, 22_050, 48_000]),
    st.sampled_from([1, 2]),
    st.lists(st.integers(1, 3_000), min_size=1, max_size=12),
)
def test_any_block_size_gives_the_same_bytes(rate: int, channels: int, sizes: list[int]) -> None:
    audio = np.random.default_rng(5).uniform(-1, 1, (sum(sizes), channels)).astype(np.float32)
    whole, cut = Converter(rate), Converter(rate)
    pieces = [cut.feed(block) for block in np.split(audio, np.cumsum(sizes)[:-1])]
    assert b"".join([*pieces, cut.flush()]) == whole.feed(audio) + whole.flush()
