from __future__ import annotations

import json
from typing import Any

import pytest

from plugandtell.analytics.classify.call_mood import mood_of
from plugandtell.analytics.classify.chances import likeliest
from plugandtell.analytics.classify.chat import ChatClient
from plugandtell.analytics.classify.chat_judges import TURNS_AT_ONCE, ChatIntents, ChatMoods
from plugandtell.analytics.classify.own_labels import NONE, OwnLabels
from plugandtell.core.errors import EngineFailed
from plugandtell.core.findings import CallerState, IntentClass, Label, Polarity
from plugandtell.core.transcript import Engine
from tests.analytics.classify.chat_stub import chat_stub, says


def turn(number: int, polarity: str = "neutral", score: float = 0.0, state: str = "neutral") -> dict[str, Any]:
    return {"turn": number, "polarity": polarity, "score": score, "state": state}


def moods(url: str) -> ChatMoods:
    return ChatMoods(ChatClient(url, "model-1"))


def test_each_turn_gets_what_the_model_says_of_it() -> None:
    answer = {"turns": [turn(1, "negative", -0.8, "angry"), turn(0, "positive", 0.6, "satisfied"), turn(2)]}
    with chat_stub(says(answer)) as stub:
        feelings = moods(stub.url).feelings(["Thanks", "You liars", "It is blue"], "en")
    found = [(likeliest(one.polarities), likeliest(one.states)) for one in feelings]
    assert found == [
        (Polarity.POSITIVE, CallerState.SATISFIED),
        (Polarity.NEGATIVE, CallerState.ANGRY),
        (Polarity.NEUTRAL, CallerState.NEUTRAL),
    ]
    sent = json.loads(stub.asked[0][2]["messages"][1]["content"])
    assert sent == [{"turn": 0, "text": "Thanks"}, {"turn": 1, "text": "You liars"}, {"turn": 2, "text": "It is blue"}]


@pytest.mark.parametrize("score", [-1.0, -0.4, 0.0, 0.4, 1.0])
@pytest.mark.parametrize("polarity", Polarity)
def test_the_polarity_that_the_model_names_stands_whatever_its_score(polarity: Polarity, score: float) -> None:
    with chat_stub(says({"turns": [turn(0, polarity.value, score)]})) as stub:
        [feeling] = moods(stub.url).feelings(["x"], None)
    assert mood_of(feeling).polarity is polarity
    assert sum(feeling.polarities.values()) == pytest.approx(1)
    assert sum(feeling.states.values()) == pytest.approx(1)


def test_a_long_call_is_asked_for_in_portions() -> None:
    first, rest = [turn(at) for at in range(TURNS_AT_ONCE)], [turn(0)]
    with chat_stub(says({"turns": first}), says({"turns": rest})) as stub:
        assert len(moods(stub.url).feelings(["x"] * (TURNS_AT_ONCE + 1), "en")) == TURNS_AT_ONCE + 1
    assert len(stub.asked) == 2


@pytest.mark.parametrize(
    "answer",
    [
        {"turns": []},
        {"turns": [turn(0), turn(0)]},
        {"turns": [turn(0), turn(2)]},
        {"turns": [turn(0), turn(1), turn(2)]},
        {"turns": [turn(0), turn(1, score=1.5)]},
        {"turns": [turn(0), turn(1, polarity="mixed")]},
        {"turns": [turn(0), turn(1, state="bored")]},
        {"turns": [turn(0), {"turn": 1}]},
        [],
    ],
)
def test_moods_that_do_not_fit_the_turns_are_a_failure(answer: object) -> None:
    with chat_stub(says(answer)) as stub, pytest.raises(EngineFailed):
        moods(stub.url).feelings(["a", "b"], "en")


def test_the_intent_is_what_the_model_says() -> None:
    answer = {
        "intent": "complaint",
        "confidence": 0.8,
        "sentence": 1,
        "labels": [{"name": "billing", "confidence": 0.4}, {"name": "moving", "confidence": 0.9}],
    }
    own = OwnLabels({"moving": tuple(f"example {at}" for at in range(9))})
    with chat_stub(says(answer)) as stub:
        intents = ChatIntents(ChatClient(stub.url, "model-1"), own)
        decision = intents.decide(["Hello", "I am cross"], "en")
    assert (decision.intent, decision.confidence, decision.sentence) == (IntentClass.COMPLAINT, 0.8, 1)
    assert decision.labels == (Label("moving", 0.9), Label("billing", 0.4))
    assert intents.engine == Engine("chat", "model-1")
    task, data = (message["content"] for message in stub.asked[0][2]["messages"])
    assert "billing" in task
    assert "moving" in task
    assert json.loads(data)["labels"] == {"moving": [f"example {at}" for at in range(5)]}


@pytest.mark.parametrize(
    "wrong",
    [
        {"intent": "anger"},
        {"sentence": 2},
        {"sentence": -1},
        {"confidence": 1.2},
        {"labels": [{"name": "unheard_of", "confidence": 0.5}]},
        {"labels": [{"name": "billing", "confidence": 5}]},
        {"labels": "billing"},
    ],
)
def test_an_intent_that_does_not_fit_the_sentences_is_a_failure(wrong: dict[str, Any]) -> None:
    answer = {"intent": "support", "confidence": 0.8, "sentence": 0, "labels": []} | wrong
    with chat_stub(says(answer)) as stub, pytest.raises(EngineFailed):
        ChatIntents(ChatClient(stub.url, "m"), NONE).decide(["a", "b"], "en")
