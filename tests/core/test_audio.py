from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugandtell.core.audio import SPEECH, AudioFormat

formats = st.builds(AudioFormat, st.integers(1, 192_000), st.integers(1, 8))


def test_speech_is_16_khz_mono() -> None:
    assert (SPEECH.sample_rate, SPEECH.channels, SPEECH.bytes_per_sample) == (16_000, 1, 2)


def test_a_sample_is_an_instant_of_all_channels() -> None:
    stereo = AudioFormat(48_000, 2)
    assert stereo.bytes_per_sample == 4
    assert stereo.samples_in(8) == 2
    assert stereo.bytes_in(2) == 8
    assert stereo.seconds_from(48_000) == 1.0


@pytest.mark.parametrize(("size_bytes", "samples"), [(0, 0), (3, 0), (4, 1), (7, 1), (8, 2)])
def test_half_a_sample_does_not_count(size_bytes: int, samples: int) -> None:
    assert AudioFormat(16_000, 2).samples_in(size_bytes) == samples


@pytest.mark.parametrize(
    ("milliseconds", "samples"), [(0, 0), (0.01, 0), (0.04, 1), (1, 16), (250, 4000), (62.5, 1000)]
)
def test_milliseconds_become_the_nearest_sample(milliseconds: float, samples: int) -> None:
    assert SPEECH.samples_from_ms(milliseconds) == samples
    assert SPEECH.samples_from_s(milliseconds / 1000) == samples


@pytest.mark.parametrize(("samples", "milliseconds"), [(0, 0), (7, 0), (9, 1), (16, 1), (16_000, 1000), (16_007, 1000)])
def test_samples_become_the_nearest_millisecond(samples: int, milliseconds: int) -> None:
    assert SPEECH.ms_from(samples) == milliseconds


@given(formats, st.integers(0, 2**40))
def test_samples_survive_bytes_and_seconds(audio: AudioFormat, samples: int) -> None:
    assert audio.samples_in(audio.bytes_in(samples)) == samples
    assert audio.samples_from_s(audio.seconds_from(samples)) == samples


@pytest.mark.parametrize(
    ("sample_rate", "channels", "said"),
    [(0, 1, "sample_rate is 0,"), (-1, 1, "sample_rate is -1,"), (1, 0, "channels is 0,")],
)
def test_an_impossible_format_is_named(sample_rate: int, channels: int, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        AudioFormat(sample_rate, channels)
