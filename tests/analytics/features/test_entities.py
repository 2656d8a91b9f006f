from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugandtell.analytics.features.entities import find_entities
from plugandtell.core.findings import EntityKind
from plugandtell.core.transcript import Span
from tests.analytics.features.conversation import AGENT, CALLER, WORD_MS, call, one, talk, turn

TUESDAY = datetime(2026, 11, 24, 10, tzinfo=UTC)

PIECES = st.sampled_from(
    [
        *("zéro six douze trente-quatre cinquante-six soixante-dix-huit", "five five five", "double five", "oh"),
        *("06 12 34", "05", "1234", "123", "A B", "1" * 40, "(0)", "+33", "plus", "IBAN FR76"),
        *("order number", "commande", "mon compte", "my phone", "is", "le", "a"),
        *("49,90 €", "$1,200.50", "euros", "quarante-neuf euros", "ninety"),
        *("next Tuesday", "at three", "mardi prochain", "à 15 h 30", "le 3 mars", "in two weeks", "31/02/2026", "25 h"),
        *("john dot smith at example dot com", "arobase", "point fr", "bob@x.fr", "[phone]"),
        *(",", ".", "?", "'", "\u00a0", "\u2019", "é"),
    ]
)
SAID = st.lists(PIECES, min_size=1, max_size=9).map(" ".join)
CALLS = st.lists(st.tuples(st.sampled_from([AGENT, CALLER]), SAID), max_size=6)


def found(text: str, language: str = "en") -> list[tuple[str, str, str]]:
    """Kind, value and text of what is in a call that says this."""
    return [(str(entity.kind), entity.value, entity.text) for entity in find_entities(one(text, language), TUESDAY)]


@pytest.mark.parametrize(
    ("text", "language", "kind", "value", "as_said"),
    [
        ("C'est le zéro six douze trente-quatre cinquante-six soixante-dix-huit.", "fr", "phone", "+33612345678",
         "zéro six douze trente-quatre cinquante-six soixante-dix-huit"),
        ("Le 06 12 34 56 78, merci.", "fr", "phone", "+33612345678", "06 12 34 56 78"),
        ("Le 06.12.34.56.78.", "fr", "phone", "+33612345678", "06.12.34.56.78"),
        ("C'est 0-6-1-2-3-4-5-6-7-8", "fr", "phone", "+33612345678", "0-6-1-2-3-4-5-6-7-8"),
        ("zéro six, douze, trente-quatre, cinquante-six, soixante-dix-huit", "fr", "phone", "+33612345678",
         "zéro six, douze, trente-quatre, cinquante-six, soixante-dix-huit"),
        ("Le plus trente-trois six douze trente-quatre cinquante-six soixante-dix-huit", "fr", "phone", "+33612345678",
         "plus trente-trois six douze trente-quatre cinquante-six soixante-dix-huit"),
        ("Call 555-1234 now", "en", "phone", "5551234", "555-1234"),
        ("five, five, five, one, two, three, four", "en", "phone", "5551234",
         "five, five, five, one, two, three, four"),
        ("double five five oh one four two", "en", "phone", "5550142", "double five five oh one four two"),
        ("(212) 555-0147", "en", "phone", "+12125550147", "(212) 555-0147"),
        ("It is 2125550147", "en", "phone", "+12125550147", "2125550147"),
        ("It is 2121550147", "en", "phone", "", ""),
        ("It is 9-17-5501-66", "en", "phone", "", ""),
        ("079 double, 1123456", "en", "phone", "+447911123456", "079 double, 1123456"),
        ("My phone: 2125550147", "en", "phone", "+12125550147", "2125550147"),
        ("I paid forty-nine euros ninety.", "en", "money", "49.90 EUR", "forty-nine euros ninety"),
        ("quatre-vingt-dix-neuf euros", "fr", "money", "99.00 EUR", "quatre-vingt-dix-neuf euros"),
        ("john dot smith at example dot com", "en", "email", "john.smith@example.com",
         "john dot smith at example dot com"),
        ("marie point durand arobase exemple point fr", "fr", "email", "marie.durand@exemple.fr",
         "marie point durand arobase exemple point fr"),
        ("order number A B one two three", "en", "order", "AB123", "A B one two three"),
        ("numéro de compte un deux trois quatre", "fr", "account", "1234", "un deux trois quatre"),
        ("4111 1111 1111 1111", "en", "account", "4111111111111111", "4111 1111 1111 1111"),
        ("FR76 3000 6000 0112 3456 7890 189", "fr", "account", "FR7630006000011234567890189",
         "FR76 3000 6000 0112 3456 7890 189"),
        ("Five five five, uh, one two three four.", "en", "phone", "5551234", "Five five five, uh, one two three four"),
        ("Le +33 (0)6 12 34 56 78", "fr", "phone", "+33612345678", "+33 (0)6 12 34 56 78"),
        ("order number A as in apple, B as in boy, 1, 2, 3", "en", "order", "AB123",
         "A as in apple, B as in boy, 1, 2, 3"),
        ("commande A comme Anatole, B comme Berthe, 12", "fr", "order", "AB12", "A comme Anatole, B comme Berthe, 12"),
        ("forty nine ninety nine dollars", "en", "money", "49.99 USD", "forty nine ninety nine dollars"),
        ("next Tuesday at three", "en", "date", "2026-12-01T15:00", "next Tuesday at three"),
        ("le 3 mars", "fr", "date", "2027-03-03", "3 mars"),
    ],
)  # fmt: skip
def test_what_is_named_is_found(text: str, language: str, kind: str, value: str, as_said: str) -> None:
    assert found(text, language) == ([(kind, value, as_said)] if value else [])


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("I have had three of them for 45 minutes.", "en"),
        ("We may march on, said the sun to the sec.", "en"),
        ("My order is late, I waited 365 days.", "en"),
        ("Press one for sales, two for support.", "en"),
        ("Je ne sais pas, ma mère a quatre-vingt-six ans.", "fr"),
        ("J'ai attendu deux heures.", "fr"),
        ("Mon compte est bloqué depuis trois jours.", "fr"),
        ("Tapez un, deux ou trois.", "fr"),
        ("1234 5678 9012 3456", "en"),
        ("", "en"),
    ],
)
def test_what_is_no_entity_is_none(text: str, language: str) -> None:
    assert found(text, language) == []


def test_an_answer_is_what_was_asked_for() -> None:
    asked = talk((AGENT, "What is your order number?"), (CALLER, "It's one two three four five."))
    assert [(entity.kind, entity.value, entity.party) for entity in find_entities(asked)] == [
        (EntityKind.ORDER, "12345", CALLER)
    ]
    asked = talk((AGENT, "Votre numéro de client ?"), (CALLER, "C'est le 44 55 66."), language="fr")
    assert [(entity.kind, entity.value) for entity in find_entities(asked)] == [(EntityKind.ACCOUNT, "445566")]


def test_a_number_over_several_turns_is_there_in_each_of_them_with_its_whole_value() -> None:
    dictated = talk(
        (CALLER, "C'est le zéro six douze,"), (AGENT, "Oui."), (CALLER, "trente-quatre cinquante-six,"),
        (CALLER, "soixante-dix-huit. Merci."), language="fr",
    )  # fmt: skip
    assert [(entity.value, entity.turn, entity.text) for entity in find_entities(dictated)] == [
        ("+33612345678", 0, "zéro six douze"),
        ("+33612345678", 2, "trente-quatre cinquante-six"),
        ("+33612345678", 3, "soixante-dix-huit"),
    ]


def test_more_than_a_nod_or_a_long_pause_ends_a_number() -> None:
    parts = ("C'est le 06 12 34", "56 78")
    answered = talk((CALLER, parts[0]), (AGENT, "Un instant s'il vous plaît."), (CALLER, parts[1]), language="fr")
    late = talk((CALLER, parts[0]), (CALLER, parts[1]), language="fr", pause_ms=8_001)
    assert find_entities(answered) == find_entities(late) == ()


def test_it_was_said_when_its_words_were() -> None:
    (entity,) = find_entities(call(turn(CALLER, 1000, "It costs forty-nine euros ninety, sir.")))
    assert entity.span == Span(1000 + 2 * WORD_MS, 1000 + 4 * WORD_MS + 250)


def test_without_words_it_was_said_some_time_in_the_turn() -> None:
    said = turn(CALLER, 1000, "It costs $5.", has_words=False)
    (entity,) = find_entities(call(said))
    assert entity.span == said.span


def test_a_date_is_relative_to_the_day_where_the_call_was() -> None:
    late = datetime(2026, 11, 24, 23, 30, tzinfo=timezone(timedelta(hours=-5)))
    assert find_entities(one("tomorrow"), late)[0].value == "2026-11-25"


@pytest.mark.parametrize("said", ["1 ", "oh ", "euros 1 ", "a@b.fr ", "lundi ", "order number ", " ", "a dot "])
@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_long_turn_of_the_same_takes_no_long_time(said: str, language: str) -> None:
    entities = find_entities(one(said * 1000, language))
    assert len(entities) == {"euros 1 ": 999, "a@b.fr ": 1000, "lundi ": 1000 * (language == "fr")}.get(said, 0)


def test_placeholders_are_entities() -> None:
    assert found("It's [phone] or [email].") == [("phone", "[phone]", "[phone]"), ("email", "[email]", "[email]")]


@given(CALLS, st.sampled_from(["en", "fr", "de", None]), st.sampled_from([TUESDAY, None]))
def test_every_entity_is_where_it_says(
    said: list[tuple[str, str]], language: str | None, started_at: datetime | None
) -> None:
    transcript = call(
        *(turn(AGENT if p == AGENT else CALLER, i * 400, t) for i, (p, t) in enumerate(said)), language=language
    )
    entities = find_entities(transcript, started_at)
    for entity in entities:
        said_there = transcript.turns[entity.turn]
        assert entity.text == said_there.text[entity.start : entity.end] == entity.text.strip() != ""
        assert entity.party is said_there.party
        assert said_there.span.start_ms <= entity.span.start_ms <= entity.span.end_ms <= said_there.span.end_ms
    places = [(entity.turn, entity.start, entity.end) for entity in entities]
    assert places == sorted(places)
    assert all(a[0] < b[0] or a[2] <= b[1] for a, b in pairwise(places))
