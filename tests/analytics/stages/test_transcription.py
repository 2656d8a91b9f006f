from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

from plugandtell.analytics.service import CallInput, TellsFetching, TellsLength
from plugandtell.analytics.settings import EngineSettings
from plugandtell.analytics.stages.transcription import Transcription
from plugandtell.core.call import AgentChannel, CallOptions
from plugandtell.core.errors import InputEmpty, InputNotFound, InputTooLong
from plugandtell.core.transcript import Party
from tests.support.speech import RATE, sentence, silence

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


@pytest.fixture(scope="module")
def service(data_dir: Path) -> Transcription:
    return Transcription(EngineSettings(max_audio_hours=0.01), data_dir)


def call(path: Path, *channels: NDArray[np.int16], options: CallOptions | None = None) -> CallInput:
    """A call with that audio."""
    soundfile.write(path, np.stack(channels, axis=1), RATE, subtype="PCM_16")
    return CallInput("call", path.as_uri(), options or CallOptions())


def test_one_channel_is_one_speaker(service: Transcription, tmp_path: Path) -> None:
    transcript = service.process(call(tmp_path / "a.wav", np.concatenate([silence(0.5), sentence(4), silence(0.5)])))
    assert (transcript.parties, transcript.language) == ((Party.SPEAKER,), "en")
    assert transcript.duration_ms == 1000 + len(sentence(4)) * 1000 // RATE
    (turn,) = transcript.turns
    assert "third recording" in turn.text
    assert turn.text == " ".join(word.text for word in turn.words)
    assert turn.span.start_ms == pytest.approx(500, abs=100)
    assert turn.span.end_ms == pytest.approx(transcript.duration_ms - 500, abs=150)


@pytest.mark.parametrize(
    ("agent", "first", "second"),
    [(AgentChannel.FIRST, Party.AGENT, Party.CALLER), (AgentChannel.SECOND, Party.CALLER, Party.AGENT)],
)
def test_two_channels_are_agent_and_caller_in_the_order_in_which_they_speak(
    service: Transcription, tmp_path: Path, agent: AgentChannel, first: Party, second: Party
) -> None:
    one, other = sentence(4), sentence(3)
    left = np.concatenate([one, silence(0.5), np.zeros_like(other)])
    right = np.concatenate([np.zeros_like(one), silence(0.5), other])
    transcript = service.process(call(tmp_path / "a.wav", left, right, options=CallOptions("en", agent)))
    assert transcript.parties == (Party.AGENT, Party.CALLER)
    assert [turn.party for turn in transcript.turns] == [first, second]
    assert "third recording" in transcript.turns[0].text
    assert "two and a half" in transcript.turns[1].text.lower()


def test_what_the_caller_s_microphone_hears_of_the_agent_is_not_said_by_the_caller(
    service: Transcription, tmp_path: Path
) -> None:
    agent = np.concatenate([sentence(4), silence(0.5)])
    echo = (np.roll(agent, RATE // 20) * 0.1).astype(np.int16)
    transcript = service.process(call(tmp_path / "a.wav", agent, echo))
    assert [turn.party for turn in transcript.turns] == [Party.AGENT]


def test_a_silent_call_has_no_turns_and_no_language(service: Transcription, tmp_path: Path) -> None:
    transcript = service.process(call(tmp_path / "a.wav", silence(2)))
    assert (transcript.turns, transcript.language, transcript.duration_ms) == ((), None, 2000)


def test_the_length_is_told_to_whoever_sets_the_time_limit(
    service: Transcription, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[int] = []
    assert isinstance(service, TellsLength)
    monkeypatch.setattr(service, "tell_length", told.append)
    service.process(call(tmp_path / "a.wav", silence(2)))
    assert told == [2000]


def test_whoever_sets_the_time_limit_knows_when_the_audio_is_fetched(
    service: Transcription, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    assert isinstance(service, TellsFetching)
    monkeypatch.setattr(service, "tell_fetching", lambda: told.append("fetching"))
    monkeypatch.setattr(service, "tell_fetched", lambda: told.append("fetched"))
    monkeypatch.setattr(service, "tell_length", lambda _: told.append("length"))
    service.process(call(tmp_path / "a.wav", silence(2)))
    assert told == ["fetching", "fetched", "length"]
    told.clear()
    with pytest.raises(InputNotFound):
        service.process(CallInput("call", "ftp://host/a.wav"))
    assert told == ["fetching"]


def test_what_cannot_be_decoded_is_refused_for_good(service: Transcription, tmp_path: Path) -> None:
    (tmp_path / "empty.wav").touch()
    with pytest.raises(InputEmpty):
        service.process(CallInput("call", (tmp_path / "empty.wav").as_uri()))
    with pytest.raises(InputTooLong):
        service.process(call(tmp_path / "long.wav", silence(40)))
