from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from plugandtell.analytics.classify.call_intent import MOST_SENTENCES
from plugandtell.analytics.service import CallInput
from plugandtell.analytics.services import make_service
from plugandtell.analytics.settings import EngineSettings, TextEngine
from plugandtell.core.call import Stage
from plugandtell.core.findings import Intent, IntentClass
from plugandtell.core.transcript import Party
from tests.analytics.classify.chat_stub import chat_stub, says
from tests.analytics.classify.said import transcript

if TYPE_CHECKING:
    from pathlib import Path

    from plugandtell.core.transcript import Transcript

AGENT, CALLER, SPEAKER = Party.AGENT, Party.CALLER, Party.SPEAKER
ENGLISH = transcript(
    (AGENT, 0, 1500, "Good morning, what can I do for you? Would you like to make a complaint?"),
    (CALLER, 1500, 4000, "Hello, my name is Mary Brown. I forgot my password, please can you help me? Thank you."),
    (AGENT, 4000, 5000, "What is your date of birth?"),
    (CALLER, 5000, 7900, "The first of May. Yes. Okay."),
)
FRENCH = transcript(
    (SPEAKER, 0, 1500, "Bonjour, service clients."),
    (SPEAKER, 1500, 4000, "Bonjour madame. Quels sont vos horaires d'ouverture ? Vous êtes ouverts le dimanche ?"),
    language="fr",
)


def judged(said: Transcript, settings: EngineSettings, folder: Path) -> Intent:
    result = make_service(Stage.INTENT, settings, folder).process(
        CallInput("7f", "file:///a.wav", results={Stage.TRANSCRIPTION: said})
    )
    assert isinstance(result, Intent)
    return result


@pytest.mark.parametrize("text", [TextEngine.EMBEDDINGS, TextEngine.RULES])
def test_the_sentence_that_decides_is_named_with_its_turn(text: TextEngine, tmp_path: Path) -> None:
    result = judged(ENGLISH, EngineSettings(text=text), tmp_path)
    assert (result.intent, result.turn) == (IntentClass.SUPPORT, 1)
    assert result.sentence == "I forgot my password, please can you help me?"
    assert "account_access" in [label.name for label in result.labels]
    assert 0 < result.confidence <= 1
    assert result.engine.name == text.value


@pytest.mark.parametrize("text", [TextEngine.EMBEDDINGS, TextEngine.RULES])
def test_with_one_channel_everybody_counts_as_the_caller(text: TextEngine, tmp_path: Path) -> None:
    result = judged(FRENCH, EngineSettings(text=text), tmp_path)
    assert (result.intent, result.turn) == (IntentClass.INFORMATION, 1)


@pytest.mark.parametrize("text", [TextEngine.EMBEDDINGS, TextEngine.RULES, TextEngine.CHAT])
@pytest.mark.parametrize("said", [transcript(), transcript((CALLER, 0, 1000, " "), (AGENT, 0, 1000, ""))])
def test_a_call_without_a_word_is_other(said: Transcript, text: TextEngine, tmp_path: Path) -> None:
    result = judged(said, EngineSettings(text=text, chat_url="http://127.0.0.1:9/v1"), tmp_path)
    assert (result.intent, result.labels, result.sentence, result.turn) == (IntentClass.OTHER, (), None, None)


def test_own_labels_are_found(tmp_path: Path) -> None:
    file = tmp_path / "intents.toml"
    file.write_text('[labels]\nforgotten_password = ["I do not remember my password", "Mot de passe perdu"]\n')
    result = judged(ENGLISH, EngineSettings(intents_file=file), tmp_path)
    assert result.labels[0].name in ("forgotten_password", "account_access")
    assert "forgotten_password" in [label.name for label in result.labels]


def test_a_chat_model_is_asked_about_the_callers_first_sentences(tmp_path: Path) -> None:
    long = transcript((AGENT, 0, 1, "Hello."), *[(CALLER, at, at + 1, f"One. Two {at}.") for at in range(50)])
    answer = {"intent": "complaint", "confidence": 0.7, "labels": [], "sentence": 3}
    with chat_stub(says(answer)) as stub:
        result = judged(long, EngineSettings(text=TextEngine.CHAT, chat_url=stub.url), tmp_path)
    assert (result.intent, result.sentence, result.turn) == (IntentClass.COMPLAINT, "Two 1.", 2)
    assert stub.asked[0][2]["messages"][1]["content"].count("sentence") == MOST_SENTENCES + 1


def test_the_same_call_gives_the_same_result(tmp_path: Path) -> None:
    assert judged(ENGLISH, EngineSettings(), tmp_path) == judged(ENGLISH, EngineSettings(), tmp_path)
