from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugandtell.analytics.features.talk import interruptions, length_ms, silences, talk_of
from plugandtell.core.transcript import Span, Turn
from tests.analytics.features.conversation import AGENT, CALLER, call, turn

BOTH = (AGENT, CALLER)
TURNS = st.lists(
    st.builds(turn, st.sampled_from(BOTH), st.integers(0, 9000), st.sampled_from(["Yes.", "I do not", "a b c d e f"]))
)


def test_talk_goes_from_word_to_word_over_a_breath_and_not_over_a_pause() -> None:
    said = call(turn(CALLER, 0, "a b"), turn(CALLER, 1050, "c"), turn(CALLER, 1801, "d"))
    assert talk_of(said, BOTH) == [Span(0, 1300), Span(1801, 2051)]


def test_without_words_all_of_a_turn_is_talk() -> None:
    assert talk_of(call(turn(CALLER, 100, "a b", has_words=False)), BOTH) == [Span(100, 700)]


def test_talk_ends_with_the_call() -> None:
    said = call(turn(CALLER, 0, "a b c"))
    assert talk_of(call(*said.turns, duration_ms=0), BOTH)[-1].end_ms <= said.duration_ms


def test_silence_lies_before_between_and_behind() -> None:
    assert list(silences([Span(100, 200), Span(900, 950)], 1000)) == [Span(0, 100), Span(200, 900), Span(950, 1000)]
    assert list(silences([], 1000)) == [Span(0, 1000)]
    assert list(silences([Span(0, 1000)], 1000)) == []


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (turn(AGENT, 900, "wait a moment please"), 1),
        (turn(AGENT, 900, "wait a moment please", has_words=False), 1),
        (turn(AGENT, 900, "yes yes"), 0),
        (turn(AGENT, 100, "we begin together here"), 0),
        (turn(AGENT, 2700, "I only answer now"), 0),
        (turn(AGENT, 4000, "I answer much later"), 0),
    ],
)
def test_who_breaks_in_interrupts(other: Turn, expected: int) -> None:
    said = call(turn(CALLER, 0, "I say ten words and I want to end"), other)
    assert interruptions(said, AGENT) == expected
    assert interruptions(said, CALLER) == 0


@given(TURNS)
def test_talk_and_silence_make_the_call(turns: list[Turn]) -> None:
    said = call(*sorted(turns, key=lambda one: one.span.start_ms), duration_ms=10_000)
    talk = talk_of(said, BOTH)
    assert length_ms(talk) + length_ms(silences(talk, said.duration_ms)) == said.duration_ms
    assert max(length_ms(talk_of(said, (party,))) for party in BOTH) <= length_ms(talk)
