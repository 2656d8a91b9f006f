from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

from plugandtell.core import wav
from plugandtell.core.audio import SPEECH, AudioFormat
from plugandtell.server.waveform import COLUMNS, waveform_of

if TYPE_CHECKING:
    from pathlib import Path

HOUR = 3600 * SPEECH.sample_rate


def written(path: Path, samples: np.ndarray, audio: AudioFormat = SPEECH) -> Path:
    data = samples.astype("<i2").tobytes()
    path.write_bytes(wav.header(audio, len(data)) + data)
    return path


def test_each_column_has_the_peak_of_its_part(tmp_path: Path) -> None:
    samples = np.zeros(60 * 100)
    samples[150], samples[5999] = -32_768, 16_384
    shape = waveform_of(written(tmp_path / "a.wav", samples), SPEECH, len(samples))
    assert len(shape) == COLUMNS
    assert [(at, level) for at, level in enumerate(shape) if level > -60] == [(1, 0), (59, -6)]


def test_an_hour_is_sampled_and_every_part_of_it_is_seen(tmp_path: Path) -> None:
    """A file of an hour of which only one minute is loud: the look into it reads 2 MB of 115."""
    path = tmp_path / "hour.wav"
    with path.open("wb") as file:
        file.write(wav.header(SPEECH, 2 * HOUR))
        file.seek(wav.HEADER_BYTES + 2 * HOUR // 2)
        file.write(np.full(60 * SPEECH.sample_rate, 32_767, "<i2").tobytes())
        file.truncate(wav.HEADER_BYTES + 2 * HOUR)
    shape = waveform_of(path, SPEECH, HOUR)
    assert [at for at, level in enumerate(shape) if level == 0] == [30]


@pytest.mark.parametrize("samples", [0, 1, 7, 61])
def test_short_ones_have_as_many_columns_as_samples_at_most(tmp_path: Path, samples: int) -> None:
    assert len(waveform_of(written(tmp_path / "a.wav", np.ones(samples)), SPEECH, samples)) == min(samples, COLUMNS)


def test_channels_are_together(tmp_path: Path) -> None:
    stereo = AudioFormat(8000, 2)
    samples = np.zeros(2 * 600)
    samples[1::2] = 32_767
    assert set(waveform_of(written(tmp_path / "a.wav", samples, stereo), stereo, 600)) == {0}


@pytest.mark.parametrize("seconds", [1, 90])
def test_a_flac_has_the_shape_of_its_wav(tmp_path: Path, seconds: int) -> None:
    samples = (np.sin(np.arange(seconds * SPEECH.sample_rate) / 9) * np.linspace(0, 30_000, seconds * 16_000)).astype(
        "<i2"
    )
    soundfile.write(tmp_path / "a.flac", samples, SPEECH.sample_rate, subtype="PCM_16")
    shape = waveform_of(tmp_path / "a.flac", SPEECH, len(samples))
    assert shape == waveform_of(written(tmp_path / "a.wav", samples), SPEECH, len(samples))
    assert shape[-1] == -1


@pytest.mark.parametrize("name", ["a.wav", "a.flac"])
def test_a_file_that_is_gone_cut_or_broken_has_no_shape(tmp_path: Path, name: str) -> None:
    assert waveform_of(tmp_path / name, SPEECH, 1000) == ()
    (tmp_path / name).write_bytes(b"no audio")
    assert set(waveform_of(tmp_path / name, SPEECH, 1000)) <= {-60}
