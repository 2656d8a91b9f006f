"""What the feelings of its turns make of a whole call.

In a call with two channels the caller's turns count for the whole and for the caller's state; with one channel, all do.
A quarter of the call's time is the caller's too; where only the agent speaks in it, the agent's turns stand in.
A text that says how it is meant counts for more than one that says nothing, and what is said late for more than what
is said early: people go by the peak and the end (D. Kahneman et al., "When More Pain Is Preferred to Less", 1993).
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from plugandtell.analytics.classify.chances import Feeling, blend, likeliest
from plugandtell.core.findings import CallerState, Mood, Polarity, Sentiment
from plugandtell.core.transcript import Party, Span

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plugandtell.core.transcript import Engine, Transcript, Turn

QUARTERS: Final = 4
_QUIET_SHARE: Final = 0.2  # of the weight that a text without any expression keeps
_LATE_BONUS: Final = 1.0  # what is said last counts twice as much as what is said first

NOTHING_SAID: Final = Feeling(
    {polarity: float(polarity is Polarity.NEUTRAL) for polarity in Polarity},
    {state: float(state is CallerState.NEUTRAL) for state in CallerState},
)

_Weighted = tuple[float, Feeling]


def sentiment_of(transcript: Transcript, feelings: Sequence[Feeling], engine: Engine) -> Sentiment:
    """The whole result from one feeling for each turn, in their order."""
    said = list(zip(transcript.turns, feelings, strict=True))
    callers = [(turn, feeling) for turn, feeling in said if turn.party is not Party.AGENT]
    whole = blended(
        [(_size(turn.span) * _lateness(turn, transcript.duration_ms), feeling) for turn, feeling in callers or said]
    )
    return Sentiment(
        turns=tuple(mood_of(feeling) for feeling in feelings),
        quarters=tuple(_quarter(quarter, transcript.duration_ms, said) for quarter in _spans(transcript.duration_ms)),
        overall=None if whole is None else mood_of(whole),
        caller_state=None if whole is None or not callers else state_of(whole),
        engine=engine,
    )


def mood_of(feeling: Feeling) -> Mood:
    """A feeling as it is reported."""
    polarity = likeliest(feeling.polarities)
    return Mood(polarity, round(feeling.score, 4), round(feeling.polarities[polarity], 4))


def blended(parts: Sequence[_Weighted]) -> Feeling | None:
    """One feeling of several with their sizes; None of none."""
    if not parts:
        return None
    polarities = [
        (size * _expression(feeling.polarities[Polarity.NEUTRAL]), feeling.polarities) for size, feeling in parts
    ]
    states = [(size * _expression(feeling.states[CallerState.NEUTRAL]), feeling.states) for size, feeling in parts]
    return Feeling(blend(polarities), blend(states))


def state_of(whole: Feeling) -> CallerState:
    """The caller's state: the likeliest that goes with how the call was as a whole."""
    polarity = likeliest(whole.polarities)
    return likeliest({state: chance for state, chance in whole.states.items() if state in _GOES_WITH[polarity]})


_UNHAPPY: Final = frozenset({CallerState.FRUSTRATED, CallerState.ANGRY, CallerState.ANXIOUS})
_GOES_WITH: Final = {
    Polarity.POSITIVE: frozenset({CallerState.SATISFIED}),
    Polarity.NEUTRAL: frozenset(CallerState),
    Polarity.NEGATIVE: _UNHAPPY,
}


def _expression(neutral: float) -> float:
    """How much a text counts: in full where it is anything but neutral, and by little where it is."""
    return _QUIET_SHARE + (1 - _QUIET_SHARE) * math.pow(max(0.0, 1 - neutral), 1.5)


def _size(span: Span) -> float:
    """A turn of four times the length counts twice as much; one without a length still counts."""
    return math.sqrt(max(span.length_ms, 100))


def _lateness(turn: Turn, duration_ms: int) -> float:
    return 1 + _LATE_BONUS * min(1.0, turn.span.end_ms / max(duration_ms, 1))


def _spans(duration_ms: int) -> list[Span]:
    bounds = [duration_ms * quarter // QUARTERS for quarter in range(QUARTERS + 1)]
    return [Span(begin, end) for begin, end in pairwise(bounds)]


def _quarter(quarter: Span, duration_ms: int, said: Sequence[tuple[Turn, Feeling]]) -> Mood | None:
    inside = [(turn, part, feeling) for turn, feeling in said if (part := _part(turn.span, quarter, duration_ms))]
    callers = [item for item in inside if item[0].party is not Party.AGENT]
    feeling = blended([(_size(part), feeling) for _, part, feeling in callers or inside])
    return None if feeling is None else mood_of(feeling)


def _part(turn: Span, quarter: Span, duration_ms: int) -> Span | None:
    """What of a turn lies in a quarter; a turn without a length, or beyond the end, lies where it begins."""
    begin_ms = min(turn.start_ms, max(duration_ms - 1, 0))
    end_ms = max(begin_ms + 1, min(turn.end_ms, duration_ms))
    if end_ms <= quarter.start_ms or begin_ms >= quarter.end_ms:
        return None
    return Span(max(begin_ms, quarter.start_ms), min(end_ms, quarter.end_ms))
