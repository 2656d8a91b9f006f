from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile
import soxr

from plugandtell.analytics.engines.speech_to_text import RATE
from plugandtell.analytics.engines.whisper import Tuning, Whisper
from plugandtell.core.errors import EngineUnavailable
from tests.support.speech import sentence

if TYPE_CHECKING:
    from numpy.typing import NDArray

FRENCH = Path(__file__).parents[3] / "assets" / "call-fr.flac"
ENGLISH = sentence(2).astype(np.float32) / np.float32(32768)


def french(start_s: float, end_s: float) -> NDArray[np.float32]:
    """Some of what the French caller says."""
    frames, rate = soundfile.read(FRENCH, dtype="float32")
    part = frames[round(start_s * rate) : round(end_s * rate), 1]
    return np.asarray(soxr.resample(part, rate, RATE), dtype=np.float32)


def test_who_changes_the_language_is_followed(whisper: Whisper) -> None:
    pause = np.zeros(RATE, np.float32)
    heard = whisper.transcribe(np.concatenate([ENGLISH, pause, french(4.6, 12.3)]), None, ("en", "fr"))
    text = " ".join(utterance.text for utterance in heard.utterances)
    assert "silence" in text
    assert "commande" in text
    assert heard.language == "fr"


def test_only_the_languages_there_are_to_choose_from_are_heard(whisper: Whisper) -> None:
    assert whisper.transcribe(french(4.6, 8.0), None, ("de", "fr")).language == "fr"
    assert whisper.transcribe(french(4.6, 8.0), None, ("en",)).language == "en"


def test_words_are_whole_and_in_order(whisper: Whisper) -> None:
    heard = whisper.transcribe(french(4.6, 12.3), "fr", ("fr",))
    words = [word for utterance in heard.utterances for word in utterance.words]
    assert all(word.text == word.text.strip() != "" for word in words)
    assert all(before.span.start_ms <= after.span.start_ms for before, after in pairwise(words))
    assert all(word.confidence is not None and 0 <= word.confidence <= 1 for word in words)


def test_a_folder_that_holds_no_such_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"no model")
    with pytest.raises(EngineUnavailable, match="Whisper model"):
        Whisper(tmp_path, name="mine", threads=1)


@pytest.mark.parametrize("wrong", [{"beam_size": 0}, {"batch_chunks": 0}, {"chunk_s": 31.0}, {"chunk_s": 0.0}])
def test_tuning_stays_within_what_whisper_can_do(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must be"):
        Tuning(**wrong)  # type: ignore[arg-type]
