from __future__ import annotations

import io
import wave

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from plugandtell.core.audio import AudioFormat
from plugandtell.core.wav import HEADER_BYTES, MAX_DATA_BYTES, NotRepairable, header, repair

PCM = bytes(range(24))
formats = st.builds(AudioFormat, st.sampled_from([8_000, 16_000, 44_100, 48_000]), st.integers(1, 3))


@given(formats, st.integers(0, 50))
def test_the_standard_library_reads_the_header_back(audio: AudioFormat, samples: int) -> None:
    pcm = bytes(audio.bytes_in(samples))
    with wave.open(io.BytesIO(header(audio, len(pcm)) + pcm)) as file:
        assert file.getframerate() == audio.sample_rate
        assert file.getnchannels() == audio.channels
        assert file.getsampwidth() == 2
        assert file.getnframes() == samples
        assert file.readframes(samples) == pcm


def test_libsndfile_reads_the_same_values() -> None:
    audio = AudioFormat(16_000, 2)
    values, rate = soundfile.read(io.BytesIO(header(audio, len(PCM)) + PCM), dtype="int16")
    assert rate == 16_000
    np.testing.assert_array_equal(values, np.frombuffer(PCM, "<i2").reshape(-1, 2))


@pytest.mark.parametrize("data_bytes", [0, MAX_DATA_BYTES])
def test_lengths_up_to_the_limit_fit(data_bytes: int) -> None:
    assert len(header(AudioFormat(), data_bytes)) == HEADER_BYTES


@pytest.mark.parametrize("data_bytes", [-1, MAX_DATA_BYTES + 1])
def test_a_length_that_does_not_fit_is_named(data_bytes: int) -> None:
    with pytest.raises(ValueError, match=f"data_bytes is {data_bytes},"):
        header(AudioFormat(), data_bytes)


@pytest.mark.parametrize("audio", [AudioFormat(16_000, 32_768), AudioFormat(2**31, 2), AudioFormat(2**32, 1)])
def test_a_format_that_does_not_fit_is_named(audio: AudioFormat) -> None:
    with pytest.raises(ValueError, match=f"{audio.channels} channels at {audio.sample_rate} Hz"):
        header(audio, 0)


@given(formats, st.integers(0, MAX_DATA_BYTES), st.integers(0, 100))
def test_what_a_crash_left_is_cut_to_whole_samples(audio: AudioFormat, claimed_bytes: int, data_bytes: int) -> None:
    mended = repair(header(audio, claimed_bytes), HEADER_BYTES + data_bytes)
    assert mended.audio == audio
    assert mended.samples == data_bytes // audio.bytes_per_sample
    assert mended.size_bytes == HEADER_BYTES + audio.bytes_in(mended.samples)
    assert mended.header == header(audio, audio.bytes_in(mended.samples))


@pytest.mark.parametrize("length", range(HEADER_BYTES + len(PCM) + 1))
def test_every_truncation_is_mended_or_refused(length: int) -> None:
    whole = header(AudioFormat(), 1_000_000) + PCM
    rest = whole[:length]
    if length < HEADER_BYTES:
        with pytest.raises(NotRepairable, match=f"{length} bytes are no WAV header"):
            repair(rest, length)
        return
    mended = repair(rest, length)
    file = io.BytesIO(mended.header + rest[HEADER_BYTES : mended.size_bytes])
    with wave.open(file) as reader:
        assert reader.readframes(1000) == PCM[: (length - HEADER_BYTES) // 2 * 2]


def test_a_file_beyond_the_limit_is_cut_to_it() -> None:
    mended = repair(header(AudioFormat(), 0), 2**33)
    assert mended.size_bytes == HEADER_BYTES + MAX_DATA_BYTES


def test_the_size_of_the_file_counts_not_what_was_read_of_it() -> None:
    with pytest.raises(NotRepairable, match="10 bytes"):
        repair(header(AudioFormat(), 0), 10)


@given(st.integers(0, HEADER_BYTES - 1), st.integers(0, 255))
def test_a_header_with_a_byte_of_another_is_refused_or_means_what_it_says(offset: int, value: int) -> None:
    """Only the two lengths may be off. A recording never starts with a header that `header` would not write."""
    good = header(AudioFormat(16_000, 1), 24)
    beginning = good[:offset] + bytes([value]) + good[offset + 1 :]
    if beginning == good or 4 <= offset < 8 or offset >= 40:
        assert repair(beginning, 68).header == good
    else:
        with pytest.raises(NotRepairable):
            repair(beginning, 68)


@given(st.binary(min_size=HEADER_BYTES, max_size=HEADER_BYTES), st.integers(0, 2**34))
def test_arbitrary_bytes_are_refused_and_nothing_else(beginning: bytes, size_bytes: int) -> None:
    with pytest.raises(NotRepairable):
        repair(beginning, size_bytes)


@given(st.integers(0, 2**16 - 1), st.integers(0, 2**32 - 1))
def test_any_format_in_a_header_is_mended_or_refused(channels: int, rate: int) -> None:
    good = header(AudioFormat(), 0)
    beginning = good[:22] + channels.to_bytes(2, "little") + rate.to_bytes(4, "little") + good[28:]
    if (rate, channels) == (16_000, 1):
        return
    with pytest.raises(NotRepairable):
        repair(beginning, 100)
