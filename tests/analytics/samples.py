"""Results of a call as the services would leave them, for tests of what is made of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from plugandtell.core.call import Stage
from plugandtell.core.failure import Failure, FailureKind
from plugandtell.core.findings import (
    CallerState,
    CallMetrics,
    Entity,
    EntityKind,
    Features,
    Intent,
    IntentClass,
    Keyword,
    Label,
    Metric,
    Mood,
    PartyMetrics,
    Polarity,
    Sentiment,
)
from plugandtell.core.transcript import Engine, Party, Span, Transcript, Turn

if TYPE_CHECKING:
    from plugandtell.analytics.database import StoredCalls
    from plugandtell.analytics.service import StageResult

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
ENGINE = Engine("test", "1")
TURNS = (
    Turn(Party.AGENT, Span(0, 2000), "Good morning, how can I help you?"),
    Turn(Party.CALLER, Span(2500, 9000), "I was charged twice for order 12345, and nobody calls me back."),
)
TRANSCRIPT = Transcript(65_000, (Party.AGENT, Party.CALLER), "en", TURNS, ENGINE)
FEATURES = Features(
    keywords=(Keyword("order", 0.9, 1), Keyword("charged twice", 0.7, 1)),
    entities=(Entity(EntityKind.ORDER, "order 12345", "12345", Party.CALLER, 1, 24, 35, Span(4000, 5000)),),
    metrics=CallMetrics(
        Metric(0.25),
        Metric(3.5),
        Metric(-23.0),
        (
            PartyMetrics(Party.AGENT, Metric(2.0), Metric(0.2), Metric(150.0), Metric(0.0), Metric(-24.0)),
            PartyMetrics(
                Party.CALLER, Metric(8.0), Metric(0.8), Metric(120.0), Metric(None, "one channel"), Metric(-22.0)
            ),
        ),
    ),
    engine=ENGINE,
)
BAD, CALM = Mood(Polarity.NEGATIVE, -0.6, 0.9), Mood(Polarity.NEUTRAL, 0.0, 0.9)
SENTIMENT = Sentiment((CALM, BAD), (BAD, None, CALM, BAD), BAD, CallerState.FRUSTRATED, ENGINE)
INTENT = Intent(IntentClass.COMPLAINT, 0.87, (Label("double_charge", 0.8),), "I was charged twice.", 1, ENGINE)
RESULTS: dict[Stage, StageResult] = {
    Stage.TRANSCRIPTION: TRANSCRIPT,
    Stage.FEATURES: FEATURES,
    Stage.SENTIMENT: SENTIMENT,
    Stage.INTENT: INTENT,
}


def failure(call_id: str) -> Failure:
    """One that no other try could mend."""
    return Failure(
        call_id, Stage.TRANSCRIPTION, 1, FailureKind.PERMANENT, "InputNotAudio", "not audio", "", "", "host-1", NOON
    )


async def complete(calls: StoredCalls, call_id: str) -> None:
    """All stages are done."""
    for stage, result in RESULTS.items():
        await calls.keep_result(call_id, stage, result, NOON)
    await calls.settle(call_id, NOON)
