from __future__ import annotations

import pytest

from plugandtell.analytics.classify.chances import likeliest
from plugandtell.analytics.classify.mood_rules import RuleMoods
from plugandtell.core.findings import CallerState, Polarity

RULES = RuleMoods()
POSITIVE, NEUTRAL, NEGATIVE = Polarity.POSITIVE, Polarity.NEUTRAL, Polarity.NEGATIVE


@pytest.mark.parametrize(
    ("text", "language", "polarity"),
    [
        ("I'm very happy with it.", "en", POSITIVE),
        ("i am not happy with it", "en", NEGATIVE),
        ("I don\u2019t think that\u2019s great", "en", NEGATIVE),
        ("Not bad at all!", "en", POSITIVE),
        ("No problem.", "en", NEUTRAL),
        ("Great, another form to fill in.", "en", NEGATIVE),
        ("You have been helpful, but it is still broken and nobody calls.", "en", NEGATIVE),
        ("It is on the left.", "en", NEUTRAL),
        ("Je suis très content.", "fr", POSITIVE),
        ("je ne suis pas content du tout", "fr", NEGATIVE),
        ("Pas mal du tout !", "fr", POSITIVE),
        ("Pas de souci.", "fr", NEUTRAL),
        ("Super, encore un formulaire.", "fr", NEGATIVE),
        ("C\u2019est la troisième fois que j\u2019appelle.", "fr", NEGATIVE),
        ("C'est à gauche.", "fr", NEUTRAL),
        ("", "en", NEUTRAL),
    ],
)
def test_words_and_what_denies_them_tell_the_polarity(text: str, language: str, polarity: Polarity) -> None:
    assert likeliest(RULES.feeling(text, language).polarities) is polarity


@pytest.mark.parametrize(
    ("text", "language", "state"),
    [
        ("Thank you so much, that's perfect.", "en", CallerState.SATISFIED),
        ("This is an outrageous lie!", "en", CallerState.ANGRY),
        ("I'm worried, what if it is dangerous?", "en", CallerState.ANXIOUS),
        ("I already explained that, for the third time.", "en", CallerState.FRUSTRATED),
        ("C'est une honte, bande d'escrocs !", "fr", CallerState.ANGRY),
        ("J'ai peur, je suis très inquiète.", "fr", CallerState.ANXIOUS),
        ("Ça ne marche toujours pas, j'en ai marre.", "fr", CallerState.FRUSTRATED),
        ("Merci beaucoup, c'est parfait.", "fr", CallerState.SATISFIED),
        ("C'est le douze.", "fr", CallerState.NEUTRAL),
    ],
)
def test_words_tell_the_state(text: str, language: str, state: CallerState) -> None:
    assert likeliest(RULES.feeling(text, language).states) is state


@pytest.mark.parametrize("language", ["de", None])
def test_what_is_said_in_another_language_is_neutral(language: str | None) -> None:
    feeling = RULES.feeling("Das ist great, aber terrible!", language)
    assert likeliest(feeling.polarities) is NEUTRAL
    assert likeliest(feeling.states) is CallerState.NEUTRAL


def test_there_is_one_feeling_for_each_turn() -> None:
    assert [likeliest(one.polarities) for one in RULES.feelings(["great", "", "terrible"], "en")] == [
        POSITIVE,
        NEUTRAL,
        NEGATIVE,
    ]
