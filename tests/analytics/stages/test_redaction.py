from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import soundfile

from plugandtell.analytics.service import CallInput
from plugandtell.analytics.settings import EngineSettings, SpeechEngine
from plugandtell.analytics.stages.transcription import Transcription
from tests.support.http_server import Answer, web_server
from tests.support.speech import RATE, sentence

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(("redact", "text"), [(False, "Call 555-1234."), (True, "Call [phone].")])
def test_a_transcript_is_redacted_before_anybody_keeps_it(tmp_path: Path, redact: bool, text: str) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, sentence(4), RATE)
    said = {"start": 0.2, "end": 1.0, "text": "Call 555-1234."}
    with web_server() as server:
        server.answers["/v1/audio/transcriptions"] = Answer(json.dumps({"text": "", "segments": [said]}).encode())
        settings = EngineSettings(
            speech=SpeechEngine.REMOTE, speech_url=f"{server.url}/v1", redact=redact, languages=("en",)
        )
        assert Transcription(settings, tmp_path).process(CallInput("7f", path.as_uri())).text == text
