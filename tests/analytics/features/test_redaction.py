from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugandtell.analytics.features.entities import find_entities
from plugandtell.analytics.features.reading import read
from plugandtell.analytics.features.redaction import PERSONAL, redact, redact_transcript, spans_to_hide
from plugandtell.analytics.features.runs import find_runs
from plugandtell.analytics.features.words import word_places
from plugandtell.core.transcript import Span, Transcript, Turn, Word
from tests.analytics.features.conversation import AGENT, CALLER, SPEAKER, WORD_MS, call, one, talk, turn
from tests.analytics.features.test_entities import CALLS


def redacted(text: str, language: str = "en") -> str:
    """What is left of it."""
    return redact_transcript(one(text, language)).text


@pytest.mark.parametrize(
    ("text", "language", "left"),
    [
        ("It's 555-1234.", "en", "It's [phone]."),
        ("(212) 555-0147, call me", "en", "[phone], call me"),
        ("Le zéro six douze trente-quatre cinquante-six soixante-dix-huit, oui.", "fr", "Le [phone], oui."),
        ("Write to bob@example.com.", "en", "Write to [email]."),
        ("Order number A B one two three.", "en", "Order number [order]."),
        ("account number 4471 or phone 555-1234", "en", "account number [account] or phone [phone]"),
        ("I paid $1,200.50 in three days.", "en", "I paid $1,200.50 in three days."),
        ("My date of birth is May 21st, 1984.", "en", "My date of birth is [date]."),
        ("Je suis née le 12 juin 1975.", "fr", "Je suis née le [date]."),
        ("It says 1 2 3 4 5 6 on the box.", "en", "It says [number] on the box."),
        ("It says twelve thirty-four fifty-six.", "en", "It says [number]."),
        ("A million to one, or two hundred thousand.", "en", "A million to one, or two hundred thousand."),
        ("J'ai versé 120 000 euros.", "fr", "J'ai versé 120 000 euros."),
        ("Hello, thank you.", "en", "Hello, thank you."),
        ("Das ist 030 123456 oder 0301234567.", "de", "Das ist [number] oder [number]."),
    ],
)
def test_what_says_who_somebody_is_is_taken_out(text: str, language: str, left: str) -> None:
    assert redacted(text, language) == left


def test_a_date_of_birth_is_one_by_the_question_too() -> None:
    asked = talk((AGENT, "What is your date of birth?"), (CALLER, "May 21st, 1984. I called on May 2nd, 2024."))
    assert redact_transcript(asked).turns[1].text == "[date]. I called on May 2nd, 2024."


def test_what_stands_beside_a_piece_of_a_longer_number_is_taken_out_with_it() -> None:
    said = call(turn(CALLER, 1000, "Mon numéro de sécu est 1 85 05 78 006 084 36, merci."), language="fr")
    left = redact_transcript(said).turns[0].text
    assert not any(map(str.isdigit, left))
    assert left.endswith(", merci.")


def test_half_of_a_number_that_is_repeated_is_taken_out_too() -> None:
    repeated = talk((CALLER, "It's 555-0142."), (AGENT, "Was it 0142 or 1234 at the end?"))
    assert redact_transcript(repeated).turns[1].text == "Was it [number] or 1234 at the end?"


def test_the_words_say_the_same_as_the_text_and_keep_their_times() -> None:
    (said,) = redact_transcript(one("Call 555 1234, or write.")).turns
    assert said.text == "Call [phone], or write."
    assert [word.text for word in said.words] == ["Call", "[phone],", "or", "write."]
    assert said.words[1].span == Span(WORD_MS, 2 * WORD_MS + 250)
    assert (said.words[0].confidence, said.words[1].confidence) == (0.9, None)


def test_what_was_said_over_several_turns_is_taken_out_of_each() -> None:
    dictated = talk((CALLER, "Le 06 12 34"), (AGENT, "Oui."), (CALLER, "56 78, merci."), language="fr")
    assert [said.text for said in redact_transcript(dictated).turns] == ["Le [phone]", "Oui.", "[phone], merci."]


def test_words_that_are_not_those_of_the_text_are_left_out() -> None:
    words = (Word("555-1234", Span(0, 400)),)
    said = Turn(SPEAKER, Span(0, 400), "Call five five five one two three four", words)
    (left,) = redact_transcript(Transcript(400, (SPEAKER,), "en", (said,), one("x").engine)).turns
    assert (left.text, left.words) == ("Call [phone]", ())
    harmless = Turn(SPEAKER, Span(0, 400), "Call me", words)
    (left,) = redact_transcript(Transcript(400, (SPEAKER,), "en", (harmless,), one("x").engine)).turns
    assert (left.text, left.words) == ("Call me", ())


def test_only_the_given_entities_are_taken_out() -> None:
    transcript = one("Pay $5 to 555-1234.")
    money, phone = find_entities(transcript)
    assert redact(transcript, [money]).text == "Pay [money] to 555-1234."
    assert redact(transcript, [phone, money]).text == "Pay [money] to [phone]."
    assert redact(transcript, []) == transcript


def test_the_sound_to_hide_is_that_of_what_is_taken_out() -> None:
    transcript = one("Pay $5 to 555-1234 or [phone] 12 34 56.")
    expected = (
        Span(3 * WORD_MS, 3 * WORD_MS + 250),
        Span(5 * WORD_MS, 5 * WORD_MS + 250),
        Span(6 * WORD_MS, 8 * WORD_MS + 250),
    )
    assert spans_to_hide(transcript) == expected
    assert spans_to_hide(redact_transcript(transcript)) == expected


def test_without_words_the_sound_of_the_turn_is_hidden() -> None:
    said = turn(CALLER, 100, "It's 555-1234.", has_words=False)
    assert spans_to_hide(call(said)) == (said.span,)


@given(CALLS, st.sampled_from(["en", "fr", "de", None]), st.booleans())
def test_nothing_of_an_entity_is_left_and_nothing_else_is_lost(
    said: list[tuple[str, str]], language: str | None, has_words: bool
) -> None:
    parties = {"agent": AGENT, "caller": CALLER}
    transcript = call(
        *(turn(parties[p], i * 400, text, has_words=has_words) for i, (p, text) in enumerate(said)), language=language
    )
    left = redact_transcript(transcript)
    assert redact_transcript(left) == left
    assert [(t.party, t.span) for t in left.turns] == [(t.party, t.span) for t in transcript.turns]
    for before, after in zip(transcript.turns, left.turns, strict=True):
        assert word_places(after) is not None or not after.words
        assert bool(after.words) == (has_words and bool(before.text.split()))
        pattern = "(.+)".join(re.escape(piece) for piece in re.split(r"\[\w+\]", after.text))
        assert re.fullmatch(pattern, before.text, re.DOTALL) is not None
    for entity in find_entities(left):
        assert entity.kind not in PERSONAL or entity.value == f"[{entity.kind}]"
    for entity in find_entities(transcript):
        if entity.kind in PERSONAL:
            assert _tail(entity.value) not in _figures(left.turns[entity.turn], language)


def _tail(value: str) -> str:
    """The last six figures of a value; something that is in no text where it has fewer."""
    figures = "".join(filter(str.isdigit, value))
    return figures[-6:] if len(figures) >= 6 else "-"


def _figures(turn: Turn, language: str | None) -> str:
    """The runs of figures in a turn, as they are read, apart from each other."""
    return " ".join("".join(filter(str.isdigit, run.text)) for run in find_runs(read(turn.text, language).text, ()))
