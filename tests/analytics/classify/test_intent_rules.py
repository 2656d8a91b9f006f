from __future__ import annotations

import pytest

from plugandtell.analytics.classify.intent_rules import RuleIntents
from plugandtell.analytics.classify.own_labels import NONE, OwnLabels
from plugandtell.core.findings import IntentClass

RULES = RuleIntents(NONE)


@pytest.mark.parametrize(
    ("sentence", "language", "intent"),
    [
        ("My printer doesn't work, can you help me?", "en", IntentClass.SUPPORT),
        ("I would like to cancel my contract, please.", "en", IntentClass.SUPPORT),
        ("What are your opening hours?", "en", IntentClass.INFORMATION),
        ("how much is it per month", "en", IntentClass.INFORMATION),
        ("This is unacceptable, your staff was rude.", "en", IntentClass.COMPLAINT),
        ("Hello, good morning.", "en", IntentClass.OTHER),
        ("Blue.", "en", IntentClass.OTHER),
        ("Mon imprimante ne marche plus, vous pouvez m'aider ?", "fr", IntentClass.SUPPORT),
        ("Quels sont vos horaires ?", "fr", IntentClass.INFORMATION),
        ("C'est inadmissible, je veux faire une réclamation.", "fr", IntentClass.COMPLAINT),
        ("Bonjour madame.", "fr", IntentClass.OTHER),
        ("Was kostet das?", "de", IntentClass.OTHER),
        ("What are your opening hours?", None, IntentClass.OTHER),
    ],
)
def test_words_tell_the_intent(sentence: str, language: str | None, intent: IntentClass) -> None:
    assert RULES.decide([sentence], language).intent is intent


@pytest.mark.parametrize(
    ("sentence", "language", "label"),
    [
        ("I was charged twice on my bill.", "en", "billing"),
        ("I forgot my password.", "en", "account_access"),
        ("Je voudrais prendre rendez-vous.", "fr", "appointment"),
        ("Mon colis n'est pas arrivé.", "fr", "delivery"),
    ],
)
def test_words_tell_what_it_is_about(sentence: str, language: str, label: str) -> None:
    assert label in [one.name for one in RULES.decide([sentence], language).labels]


def test_an_own_label_is_found_by_the_words_of_its_examples_in_any_language() -> None:
    rules = RuleIntents(OwnLabels({"umzug": ("Wir ziehen nächsten Monat um",), "strom": ("Der Strom ist weg",)}))
    decision = rules.decide(["Guten Tag.", "wir ziehen im nächsten Monat nach Bremen"], "de")
    assert [label.name for label in decision.labels] == ["umzug"]
