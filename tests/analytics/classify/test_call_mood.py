from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugandtell.analytics.classify.call_mood import QUARTERS, sentiment_of
from plugandtell.core.findings import CallerState, Polarity, Sentiment
from plugandtell.core.transcript import Party
from tests.analytics.classify.said import ENGINE, feeling, transcript

AGENT, CALLER, SPEAKER = Party.AGENT, Party.CALLER, Party.SPEAKER
SATISFIED, NEUTRAL, ANGRY = CallerState.SATISFIED, CallerState.NEUTRAL, CallerState.ANGRY


def judged(*turns: tuple[Party, int, int, CallerState], duration_ms: int = 8000) -> Sentiment:
    said = transcript(*((*turn[:3], "x") for turn in turns), duration_ms=duration_ms)
    return sentiment_of(said, [feeling(turn[3]) for turn in turns], ENGINE)


def polarities(result: Sentiment) -> list[str]:
    return ["-" if mood is None else mood.polarity.value[:3] for mood in result.quarters]


def test_a_call_in_which_nobody_speaks_has_no_mood() -> None:
    result = judged()
    assert result == Sentiment((), (None,) * QUARTERS, None, None, ENGINE)


def test_each_turn_has_its_own_mood() -> None:
    result = judged((AGENT, 0, 1000, NEUTRAL), (CALLER, 1000, 2000, ANGRY))
    assert [turn.polarity for turn in result.turns] == [Polarity.NEUTRAL, Polarity.NEGATIVE]
    assert result.turns[1].score == pytest.approx(-0.85)
    assert result.turns[1].confidence == pytest.approx(0.9)


def test_only_the_callers_turns_count_for_the_whole_where_they_can_be_told_apart() -> None:
    result = judged((AGENT, 0, 6000, SATISFIED), (CALLER, 6000, 7000, ANGRY))
    assert result.overall is not None
    assert (result.overall.polarity, result.caller_state) == (Polarity.NEGATIVE, ANGRY)


def test_all_turns_count_in_one_channel() -> None:
    result = judged((SPEAKER, 0, 500, ANGRY), (SPEAKER, 4000, 8000, SATISFIED))
    assert result.caller_state is SATISFIED


def test_a_caller_who_says_nothing_has_no_state() -> None:
    result = judged((AGENT, 0, 6000, SATISFIED))
    assert result.overall is not None
    assert result.caller_state is None


def test_a_long_talk_about_nothing_does_not_drown_the_anger() -> None:
    calm = [(CALLER, begin, begin + 700, NEUTRAL) for begin in range(0, 6000, 1500)]
    assert judged(*calm, (CALLER, 6300, 7000, ANGRY)).caller_state is ANGRY


def test_the_end_counts_for_more_than_the_beginning() -> None:
    assert judged((CALLER, 0, 1000, ANGRY), (CALLER, 7000, 8000, SATISFIED)).caller_state is SATISFIED
    assert judged((CALLER, 0, 1000, SATISFIED), (CALLER, 7000, 8000, ANGRY)).caller_state is ANGRY


def test_a_quarter_is_the_callers_and_the_agents_only_where_the_caller_is_silent() -> None:
    result = judged((CALLER, 0, 1500, ANGRY), (AGENT, 1500, 5000, SATISFIED), (CALLER, 6500, 7500, NEUTRAL))
    assert polarities(result) == ["neg", "pos", "pos", "neu"]


def test_a_quarter_without_a_word_has_no_mood() -> None:
    assert polarities(judged((SPEAKER, 2100, 3000, ANGRY))) == ["-", "neg", "-", "-"]


def test_a_turn_counts_in_every_quarter_that_it_reaches() -> None:
    assert polarities(judged((SPEAKER, 1000, 7000, SATISFIED))) == ["pos"] * 4


def test_turns_without_a_length_or_beyond_the_end_count_where_they_begin() -> None:
    assert polarities(judged((SPEAKER, 2000, 2000, ANGRY), (SPEAKER, 8000, 9000, SATISFIED))) == [
        "-",
        "neg",
        "-",
        "pos",
    ]
    assert polarities(judged((SPEAKER, 0, 0, ANGRY), duration_ms=0)).count("neg") <= 1


@given(
    st.lists(
        st.tuples(
            st.sampled_from([AGENT, CALLER]), st.integers(0, 9000), st.integers(0, 3000), st.sampled_from(CallerState)
        ),
        max_size=8,
    )
)
def test_every_figure_is_in_its_range_and_agrees_with_the_others(
    turns: list[tuple[Party, int, int, CallerState]],
) -> None:
    result = judged(*((party, begin, begin + length, state) for party, begin, length, state in turns))
    moods = [mood for mood in (*result.turns, *result.quarters, result.overall) if mood is not None]
    assert all(-1 <= mood.score <= 1 and 0 <= mood.confidence <= 1 for mood in moods)
    assert len(result.quarters) == QUARTERS
    assert (result.overall is None) == (not turns)
    if result.overall is not None and result.overall.polarity is Polarity.POSITIVE and result.caller_state is not None:
        assert result.caller_state is SATISFIED
