from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugandtell.analytics.features.entities import find_entities
from plugandtell.analytics.features.keywords import MAX_KEYWORDS, KeywordFinder
from tests.analytics.features.conversation import AGENT, CALLER, one, talk

if TYPE_CHECKING:
    from plugandtell.core.findings import Keyword
    from plugandtell.core.transcript import Transcript

ENGLISH, FRENCH = KeywordFinder("en"), KeywordFinder("fr")
SOME_WORDS = (
    *("the", "box,", "The", "refund", "is", "late.", "l'offre", "don't", "don\u2019t", "-", "[phone]", "A", "12", "é"),
)
BOX = talk(
    (AGENT, "Bonjour, merci de votre appel, que puis-je faire pour vous ?"),
    (CALLER, "Bonjour, ma box internet ne fonctionne plus. La box internet clignote en rouge depuis hier."),
    (AGENT, "D'accord, un instant s'il vous plaît. Avez-vous redémarré la box ?"),
    (CALLER, "Oui, trois fois. Et je paie quarante euros par mois pour l'abonnement ! Rappelez-moi au 06 12 34 56 78."),
    (AGENT, "Merci, au revoir."),
    language="fr",
)


def keywords(transcript: Transcript) -> tuple[Keyword, ...]:
    """The keywords of a call, its entities left out."""
    return (FRENCH if transcript.language == "fr" else ENGLISH).find(transcript, find_entities(transcript))


def test_what_a_call_is_about_comes_first_as_one_phrase() -> None:
    found = keywords(BOX)
    assert (found[0].text, found[0].count) == ("box internet", 2)
    assert {"abonnement", "redémarré"} <= {keyword.text for keyword in found}


def test_who_the_agent_is_is_no_keyword() -> None:
    said = talk((AGENT, "Northwind Home Delivery, this is Sarah."), (CALLER, "My parcel is lost."), (AGENT, "Lost?"))
    assert {keyword.text for keyword in keywords(said)} == {"parcel", "lost"}


def test_no_word_is_in_two_keywords_and_none_is_of_every_call() -> None:
    words = [word.lower() for keyword in keywords(BOX) for word in keyword.text.split()]
    assert len(words) == len(set(words))
    assert not {"bonjour", "merci", "revoir", "oui", "euros", "avez-vous", "puis-je"} & set(words)
    assert not any(character.isdigit() for word in words for character in word)


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("Hello, thank you, goodbye.", "en", ()),
        ("Bonjour, merci, au revoir.", "fr", ()),
        ("", "en", ()),
        ("...", "en", ()),
        ("Je veux un remboursement", "fr", ("remboursement",)),
        ("I want to cancel my subscription.", "en", ("cancel my subscription",)),
        ("The iPhone is broken. My iPhone fell.", "en", ("iPhone",)),
        ("It's [phone], or [email], for the refund.", "en", ("refund",)),
        ("Die Rechnung ist falsch.", "de", ("Rechnung",)),
        ("Perdu ? Le colis, Sarah.", "fr", ("perdu", "colis", "Sarah")),
    ],
)
def test_short_calls(text: str, language: str, expected: tuple[str, ...]) -> None:
    finder = KeywordFinder(language)
    found = {keyword.text for keyword in finder.find(one(text, language), ())}
    assert found >= set(expected)
    assert bool(found) == bool(expected)


@given(st.lists(st.sampled_from(SOME_WORDS), max_size=40))
def test_scores_fall_and_phrases_are_there(words: list[str]) -> None:
    transcript = one(" ".join(words))
    found = keywords(transcript)
    scores = [keyword.score for keyword in found]
    assert len(found) <= MAX_KEYWORDS
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)
    assert all(keyword.count >= 1 and keyword.text.lower() in transcript.text.lower() for keyword in found)
