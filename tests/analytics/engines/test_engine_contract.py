"""What every speech engine promises: see `SpeechToText`."""

from __future__ import annotations

import importlib.util
import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from plugandtell.analytics.engines.moonshine import Moonshine
from plugandtell.analytics.engines.remote_speech import RemoteSpeech, SpeechServer
from plugandtell.analytics.engines.speech_to_text import RATE, SpeechToText
from plugandtell.core.errors import EngineUnavailable
from tests.support.http_server import Answer, web_server
from tests.support.speech import sentence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

HAS_MOONSHINE = importlib.util.find_spec("moonshine_voice") is not None
needs_moonshine = pytest.mark.skipif(not HAS_MOONSHINE, reason="moonshine-voice has no wheel for this machine")


def sound(*parts: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.concatenate(parts)


def spoken(number: int) -> NDArray[np.float32]:
    """A sentence of the sample."""
    return sentence(number).astype(np.float32) / np.float32(32768)


def quiet(seconds: float) -> NDArray[np.float32]:
    return np.zeros(round(seconds * RATE), np.float32)


@pytest.fixture(params=["whisper", pytest.param("moonshine", marks=needs_moonshine), "remote"])
def engine(request: pytest.FixtureRequest) -> Iterator[SpeechToText]:
    if request.param == "whisper":
        yield request.getfixturevalue("whisper")
    elif request.param == "moonshine":
        yield Moonshine()
    else:
        with web_server() as server:
            heard = {"text": "This is the third recording.", "language": "english"}
            server.answers["/v1/audio/transcriptions"] = Answer(json.dumps(heard).encode())
            yield RemoteSpeech(SpeechServer(f"{server.url}/v1", "whisper-1"))


def test_speech_gives_its_text_within_the_sound(engine: SpeechToText) -> None:
    heard = engine.transcribe(sound(quiet(1), spoken(4), quiet(1)), None, ("en", "fr"))
    assert heard.language == "en"
    assert "recording" in " ".join(utterance.text for utterance in heard.utterances)
    times = [(utterance.span.start_ms, utterance.span.end_ms) for utterance in heard.utterances]
    assert times == sorted(times)
    assert all(0 <= start <= end <= 3500 for start, end in times)


def test_the_same_sound_gives_the_same_text(engine: SpeechToText) -> None:
    said = spoken(4)
    assert engine.transcribe(said, "en", ("en",)) == engine.transcribe(said, "en", ("en",))


@pytest.mark.parametrize("length", [0, 100, RATE // 2, 3 * RATE])
def test_silence_gives_no_text(engine: SpeechToText, length: int) -> None:
    heard = engine.transcribe(np.zeros(length, np.float32), None, ("en", "fr"))
    assert (heard.language, heard.utterances) == (None, ())


def test_noise_gives_no_text(engine: SpeechToText) -> None:
    noise = np.random.default_rng(1).standard_normal(5 * RATE).astype(np.float32) * np.float32(0.02)
    assert engine.transcribe(noise, None, ("en", "fr")).utterances == ()


def test_a_tone_gives_no_text(engine: SpeechToText) -> None:
    tone = (0.3 * np.sin(2 * np.pi * 440 * np.arange(4 * RATE) / RATE)).astype(np.float32)
    assert engine.transcribe(tone, None, ("en", "fr")).utterances == ()


def test_words_have_times_where_the_engine_says_so(engine: SpeechToText) -> None:
    heard = engine.transcribe(spoken(4), "en", ("en",))
    for utterance in heard.utterances:
        assert bool(utterance.words) <= engine.capabilities.has_word_times
        assert all(utterance.span.start_ms <= word.span.start_ms <= word.span.end_ms for word in utterance.words)


def test_an_engine_says_what_it_is(engine: SpeechToText) -> None:
    assert engine.engine.name
    assert engine.engine.version
    assert engine.capabilities.can_hear("en")


@pytest.mark.parametrize("engine", ["whisper", pytest.param("moonshine", marks=needs_moonshine)], indirect=True)
def test_a_language_that_an_engine_does_not_know_is_refused(engine: SpeechToText) -> None:
    assert not engine.capabilities.can_hear("xx")
    with pytest.raises(EngineUnavailable, match="xx"):
        engine.transcribe(spoken(4), "xx", ("en",))
