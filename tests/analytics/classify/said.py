"""Short ways to say what was said and how, for the tests of this folder."""

from __future__ import annotations

from plugandtell.analytics.classify.chances import Feeling, Leaning
from plugandtell.core.findings import CallerState, IntentClass, Polarity
from plugandtell.core.transcript import Engine, Party, Span, Transcript, Turn

ENGINE = Engine("test", "1")
_POLARITY_OF = {CallerState.SATISFIED: Polarity.POSITIVE, CallerState.NEUTRAL: Polarity.NEUTRAL}


def transcript(*turns: tuple[Party, int, int, str], language: str | None = "en", duration_ms: int = 8000) -> Transcript:
    """A call of 8 s; turns as (who, from, to, text)."""
    parties = (Party.SPEAKER,) if all(turn[0] is Party.SPEAKER for turn in turns) else (Party.AGENT, Party.CALLER)
    said = tuple(Turn(party, Span(begin_ms, end_ms), text) for party, begin_ms, end_ms, text in turns)
    return Transcript(duration_ms, parties, language if turns else None, said, ENGINE)


def feeling(state: CallerState, chance: float = 0.9) -> Feeling:
    """That state, and the polarity that goes with it, with that chance."""
    polarity = _POLARITY_OF.get(state, Polarity.NEGATIVE)
    return Feeling(
        {one: chance if one is polarity else (1 - chance) / 2 for one in Polarity},
        {one: chance if one is state else (1 - chance) / 4 for one in CallerState},
    )


def leaning(intent: IntentClass, chance: float = 0.9, **labels: float) -> Leaning:
    """That intent with that chance, and labels."""
    return Leaning({one: chance if one is intent else (1 - chance) / 3 for one in IntentClass}, labels)
