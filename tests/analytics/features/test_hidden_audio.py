from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from plugandtell.analytics.features.hidden_audio import write_hidden
from plugandtell.analytics.settings import Cover
from plugandtell.core.errors import WriteFailed
from plugandtell.core.transcript import Span

if TYPE_CHECKING:
    from pathlib import Path

RATE = 16_000
NOISE = (np.random.default_rng(1).uniform(-1.2, 1.2, (2, RATE * 3))).astype(np.float32)


def written(path: Path) -> npt.NDArray[np.float32]:
    """What the file holds, a row a channel."""
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    assert rate == RATE
    return np.asarray(samples, np.float32).T


def test_what_is_hidden_is_silent_on_all_channels_and_the_rest_is_as_it_was(tmp_path: Path) -> None:
    spans = (Span(2900, 5000), Span(1000, 1200), Span(1100, 1150))
    write_hidden(tuple(NOISE), spans, tmp_path / "a.wav", Cover.MUTE)
    samples = written(tmp_path / "a.wav")
    hidden = np.zeros(samples.shape[1], np.bool_)
    hidden[RATE * 850 // 1000 : RATE * 1350 // 1000] = True
    hidden[RATE * 2750 // 1000 :] = True
    assert not samples[:, hidden].any()
    assert np.abs(samples[:, ~hidden] - np.clip(NOISE, -1, 1)[:, ~hidden]).max() < 1e-4
    assert [path.name for path in tmp_path.iterdir()] == ["a.wav"]


def test_a_beep_is_one_tone_even_where_the_file_is_written_in_pieces(tmp_path: Path) -> None:
    write_hidden((np.zeros(62 * RATE, np.float32),), [Span(59_000, 61_500)], tmp_path / "a.wav", Cover.BEEP)
    beep = written(tmp_path / "a.wav")[0, 59 * RATE : 61 * RATE]
    spectrum = np.abs(np.fft.rfft(beep))
    assert spectrum.argmax() * RATE / len(beep) == 1000
    assert spectrum.max() > 0.999 * np.sqrt((spectrum**2).sum())


def test_nothing_to_hide_is_a_copy_and_a_file_that_is_there_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_text("old")
    write_hidden((np.zeros(10, np.float32),), (), path, Cover.BEEP)
    assert written(path).tolist() == [[0.0] * 10]


def test_what_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.wav").mkdir()
    with pytest.raises(WriteFailed, match=r"a\.wav"):
        write_hidden((NOISE[0],), (), tmp_path / "a.wav", Cover.MUTE)
    with pytest.raises(WriteFailed):
        write_hidden((NOISE[0],), (), tmp_path / "nowhere" / "a.wav", Cover.MUTE)
    assert [path.name for path in tmp_path.iterdir()] == ["a.wav"]
