from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

from plugandtell.analytics.features.redaction import redact_transcript
from plugandtell.analytics.service import CallInput, TellsFetching
from plugandtell.analytics.settings import EngineSettings
from plugandtell.analytics.stages.features import FeatureExtraction
from plugandtell.analytics.wire import from_json, to_json
from plugandtell.core.call import CallOptions, Stage
from plugandtell.core.errors import InputNotFound
from plugandtell.core.findings import Features
from tests.analytics.features.conversation import AGENT, CALLER, call, talk

if TYPE_CHECKING:
    from pathlib import Path

    from plugandtell.core.transcript import Transcript

SAID = talk(
    (AGENT, "Hello, how can I help you?"),
    (CALLER, "The refund of order A B one two three is late. Call five five five one two three four tomorrow."),
)


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """A call of two channels, of which the first is much louder."""
    tones = np.sin(np.arange(16_000 * 8) / 3)[:, None] * (0.1, 0.01)
    soundfile.write(tmp_path / "call.wav", tones, 16_000)
    return tmp_path / "call.wav"


def extracted(recording: Path, transcript: Transcript, **settings: bool) -> Features:
    """What is found in a call."""
    service = FeatureExtraction(EngineSettings(**settings), recording.parent)  # type: ignore[arg-type]
    options = CallOptions(started_at=datetime(2026, 11, 24, 10, tzinfo=UTC))
    features = service.process(CallInput("7f", recording.as_uri(), options, {Stage.TRANSCRIPTION: transcript}))
    assert from_json(to_json(features), Features) == features
    return features


def test_whoever_sets_the_time_limit_knows_when_the_audio_is_fetched(recording: Path) -> None:
    told: list[str] = []
    service = FeatureExtraction(EngineSettings(), recording.parent)
    assert isinstance(service, TellsFetching)
    service.tell_fetching = lambda: told.append("fetching")
    service.tell_fetched = lambda: told.append("fetched")
    service.process(CallInput("7f", recording.as_uri(), CallOptions(), {Stage.TRANSCRIPTION: SAID}))
    assert told == ["fetching", "fetched"]


def test_a_call_has_its_features(recording: Path) -> None:
    features = extracted(recording, SAID)
    assert any("refund" in keyword.text for keyword in features.keywords)
    assert [(str(entity.kind), entity.value) for entity in features.entities] == [
        ("order", "AB123"), ("phone", "5551234"), ("date", "2026-11-25")
    ]  # fmt: skip
    agent, caller = features.metrics.parties
    assert agent.loudness_lufs.value is not None
    assert caller.loudness_lufs.value is not None
    assert agent.loudness_lufs.value > caller.loudness_lufs.value
    assert features.engine.name == "plugandtell-features"


@pytest.mark.parametrize("is_kept_redacted", [True, False])
def test_of_a_redacted_call_nothing_is_found_that_is_to_be_hidden(recording: Path, is_kept_redacted: bool) -> None:
    features = extracted(recording, redact_transcript(SAID) if is_kept_redacted else SAID, redact=True)
    assert [(str(entity.kind), entity.value) for entity in features.entities] == [
        ("order", "[order]"), ("phone", "[phone]"), ("date", "2026-11-25")
    ]  # fmt: skip
    kept = to_json(features).lower()
    assert "refund" in kept
    assert not any(hidden in kept for hidden in ("ab123", "a b one", "five", "5551234"))


def test_a_call_in_which_nobody_speaks_has_figures_only(recording: Path) -> None:
    features = extracted(recording, replace(call(language=None), duration_ms=8000))
    assert (features.keywords, features.entities) == ((), ())
    assert features.metrics.silence_share.value == 1


def test_a_language_without_number_words_has_what_is_written(recording: Path) -> None:
    features = extracted(recording, talk((AGENT, "Die Rechnung an bob@example.com"), (CALLER, "fünf"), language="de"))
    assert [entity.value for entity in features.entities] == ["bob@example.com"]


def test_a_recording_that_is_gone_is_said_to_be(tmp_path: Path) -> None:
    with pytest.raises(InputNotFound):
        extracted(tmp_path / "gone.wav", SAID)
