from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from plugandtell.analytics.service import CallInput
from plugandtell.analytics.services import make_service
from plugandtell.analytics.settings import EngineSettings, TextEngine
from plugandtell.core.call import Stage
from plugandtell.core.errors import EngineFailed
from plugandtell.core.findings import CallerState, Polarity, Sentiment
from plugandtell.core.transcript import Party
from tests.analytics.classify.chat_stub import Reply, chat_stub, says
from tests.analytics.classify.said import transcript

if TYPE_CHECKING:
    from pathlib import Path

    from plugandtell.core.transcript import Transcript

AGENT, CALLER = Party.AGENT, Party.CALLER
ENGLISH = transcript(
    (AGENT, 0, 1500, "Good morning, thank you for calling, how can I help you?"),
    (CALLER, 1500, 4000, "I've been overcharged again, this is a scandal, and nobody ever calls me back!"),
    (AGENT, 4000, 5000, "Let me check that for you."),
    (CALLER, 5000, 7900, "You are liars, I am furious and I want my money back!"),
)
FRENCH = transcript(
    (AGENT, 0, 1500, "Bonjour, que puis-je faire pour vous ?"),
    (CALLER, 1500, 4000, "Bonjour, je voudrais changer mon adresse."),
    (CALLER, 5000, 7900, "C'est parfait, merci beaucoup, vous êtes vraiment très gentil !"),
    language="fr",
)


def judged(said: Transcript, settings: EngineSettings, folder: Path) -> Sentiment:
    result = make_service(Stage.SENTIMENT, settings, folder).process(
        CallInput("7f", "file:///a.wav", results={Stage.TRANSCRIPTION: said})
    )
    assert isinstance(result, Sentiment)
    return result


@pytest.mark.parametrize("text", [TextEngine.EMBEDDINGS, TextEngine.RULES])
@pytest.mark.parametrize(
    ("said", "polarity", "state"),
    [(ENGLISH, Polarity.NEGATIVE, CallerState.ANGRY), (FRENCH, Polarity.POSITIVE, CallerState.SATISFIED)],
)
def test_a_call_is_judged_by_turn_by_quarter_and_as_a_whole(
    said: Transcript, polarity: Polarity, state: CallerState, text: TextEngine, tmp_path: Path
) -> None:
    result = judged(said, EngineSettings(text=text), tmp_path)
    assert result.overall is not None
    assert (result.overall.polarity, result.caller_state) == (polarity, state)
    assert len(result.turns) == len(said.turns)
    assert result.turns[-1].polarity is polarity
    assert result.quarters[3] is not None
    assert result.quarters[3].polarity is polarity
    assert result.engine.name == text.value


@pytest.mark.parametrize("text", [TextEngine.EMBEDDINGS, TextEngine.RULES, TextEngine.CHAT])
def test_a_call_without_a_word_has_no_mood(text: TextEngine, tmp_path: Path) -> None:
    result = judged(transcript(), EngineSettings(text=text, chat_url="http://127.0.0.1:9/v1"), tmp_path)
    assert (result.turns, result.quarters, result.overall, result.caller_state) == ((), (None,) * 4, None, None)


def test_a_chat_model_can_judge(tmp_path: Path) -> None:
    calm = {"polarity": "neutral", "score": 0.0, "state": "neutral"}
    afraid = {"polarity": "negative", "score": -0.7, "state": "anxious"}
    answer = {"turns": [{"turn": at} | (afraid if at == 3 else calm) for at in range(4)]}
    with chat_stub(says(answer)) as stub:
        result = judged(ENGLISH, EngineSettings(text=TextEngine.CHAT, chat_url=stub.url), tmp_path)
    assert result.caller_state is CallerState.ANXIOUS
    assert result.engine.name == "chat"


def test_the_same_call_gives_the_same_result(tmp_path: Path) -> None:
    assert judged(ENGLISH, EngineSettings(), tmp_path) == judged(ENGLISH, EngineSettings(), tmp_path)


def test_a_chat_model_that_is_busy_fails_the_stage_for_now(tmp_path: Path) -> None:
    with chat_stub(Reply(status=429)) as stub, pytest.raises(EngineFailed):
        judged(ENGLISH, EngineSettings(text=TextEngine.CHAT, chat_url=stub.url), tmp_path)
