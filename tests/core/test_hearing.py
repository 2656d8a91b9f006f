from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugandtell.core.hearing import Heard, TurnRules, Utterance, turns_of
from plugandtell.core.transcript import Party, Span, Word

AGENT, CALLER, SPEAKER = Party.AGENT, Party.CALLER, Party.SPEAKER


def said(*timed: tuple[str, int, int], language: str = "en") -> Heard:
    """One utterance, with a word for each text, start and end."""
    words = tuple(Word(text, Span(start, end), 0.9) for text, start, end in timed)
    text = " ".join(word.text for word in words)
    return Heard(language, (Utterance(Span(timed[0][1], timed[-1][2]), text, words, 0.9),))


def texts(*heard: tuple[Party, Heard]) -> list[tuple[Party, str]]:
    return [(turn.party, turn.text) for turn in turns_of(dict(heard))]


def test_a_pause_ends_a_turn_and_a_breath_does_not() -> None:
    heard = said(("One", 0, 300), ("two", 700, 900), ("three", 1900, 2200))
    assert texts((SPEAKER, heard)) == [(SPEAKER, "One two"), (SPEAKER, "three")]


def test_the_other_party_ends_a_turn_in_a_breath() -> None:
    agent = said(("Your", 0, 300), ("name?", 350, 700), ("Thanks.", 1200, 1500))
    caller = said(("Lee.", 800, 1100))
    assert texts((AGENT, agent), (CALLER, caller)) == [(AGENT, "Your name?"), (CALLER, "Lee."), (AGENT, "Thanks.")]


def test_who_speaks_on_is_not_parted_by_the_other_speaking_too() -> None:
    agent = said(("I", 0, 200), ("am", 210, 400), ("speaking", 410, 900))
    caller = said(("mhm", 380, 600))
    assert texts((AGENT, agent), (CALLER, caller)) == [(AGENT, "I am speaking"), (CALLER, "mhm")]


def test_a_long_turn_ends_after_a_sentence_and_a_very_long_one_anywhere() -> None:
    rules = TurnRules(long_ms=1000)
    sentence = said(("So", 0, 900), ("long.", 900, 1100), ("Next", 1350, 1500))
    endless = said(*((f"w{index}", index * 300, index * 300 + 300) for index in range(20)))
    assert [turn.text for turn in turns_of({SPEAKER: sentence}, rules)] == ["So long.", "Next"]
    assert max(turn.span.length_ms for turn in turns_of({SPEAKER: endless}, rules)) <= 2300


def test_an_utterance_without_words_is_a_turn_or_part_of_one() -> None:
    heard = Heard("en", (Utterance(Span(0, 900), "Hello there."), Utterance(Span(1000, 2000), "How are you?")))
    (turn,) = turns_of({SPEAKER: heard})
    assert (turn.text, turn.words, turn.span, turn.confidence) == ("Hello there. How are you?", (), Span(0, 2000), None)


def test_languages_without_spaces_get_none() -> None:
    assert texts((SPEAKER, said(("你", 0, 200), ("好", 200, 400), language="zh"))) == [(SPEAKER, "你好")]


def test_a_turn_is_as_sure_as_its_words_are() -> None:
    words = (Word("a", Span(0, 100), 0.5), Word("b", Span(100, 200), 1.0), Word("c", Span(200, 300)))
    (turn,) = turns_of({SPEAKER: Heard("en", (Utterance(Span(0, 300), "a b c", words),))})
    assert turn.confidence == 0.75


def test_nothing_heard_gives_no_turns() -> None:
    assert turns_of({AGENT: Heard(None), CALLER: Heard(None)}) == ()


@given(st.lists(st.tuples(st.sampled_from([AGENT, CALLER]), st.integers(0, 60_000), st.integers(0, 900)), max_size=60))
def test_no_word_is_lost_doubled_or_out_of_order(spoken: list[tuple[Party, int, int]]) -> None:
    words = {
        party: [
            Word(f"{party}{index}", Span(start, start + length))
            for index, (who, start, length) in enumerate(spoken)
            if who is party
        ]
        for party in (AGENT, CALLER)
    }
    heard = {
        party: Heard("en", tuple(Utterance(word.span, word.text, (word,)) for word in own))
        for party, own in words.items()
    }
    turns = turns_of(heard)
    for party, own in words.items():
        kept = [word for turn in turns if turn.party is party for word in turn.words]
        assert sorted(kept, key=lambda word: word.text) == sorted(own, key=lambda word: word.text)
    assert [turn.span.start_ms for turn in turns] == sorted(turn.span.start_ms for turn in turns)
    assert all(turn.span.start_ms <= word.span.start_ms for turn in turns for word in turn.words)
    assert all(word.span.end_ms <= turn.span.end_ms for turn in turns for word in turn.words)


@pytest.mark.parametrize("wrong", [{"breath_ms": 0}, {"sentence_pause_ms": 100}, {"pause_ms": 100}, {"long_ms": 0}])
def test_rules_that_contradict_themselves_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="_ms"):
        TurnRules(**wrong)
