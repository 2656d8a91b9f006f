"""A small result of each stage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from plugandtell.core.call import Stage
from plugandtell.core.findings import (
    CallerState,
    CallMetrics,
    Features,
    Intent,
    IntentClass,
    Keyword,
    Label,
    Metric,
    Mood,
    Polarity,
    Sentiment,
)
from plugandtell.core.transcript import Engine, Party, Span, Transcript, Turn, Word

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plugandtell.analytics.service import StageResult

ENGINE: Final = Engine("test", "1")
_MOOD: Final = Mood(Polarity.NEGATIVE, -0.5, 0.75)
_UNKNOWN: Final = Metric(None, "one channel")
_WORD: Final = Word("Où", Span(0, 400), 0.5)

RESULTS: Final[Mapping[Stage, StageResult]] = {
    Stage.TRANSCRIPTION: Transcript(
        9000,
        (Party.SPEAKER,),
        "fr",
        (Turn(Party.SPEAKER, Span(0, 900), "Où est mon colis ? 📦", (_WORD,), 0.9),),
        ENGINE,
    ),
    Stage.FEATURES: Features(
        (Keyword("colis", 0.9, 1),), (), CallMetrics(Metric(0.9), Metric(8.1), _UNKNOWN, ()), ENGINE
    ),
    Stage.SENTIMENT: Sentiment((_MOOD,), (_MOOD, None, None, None), _MOOD, CallerState.FRUSTRATED, ENGINE),
    Stage.INTENT: Intent(IntentClass.SUPPORT, 0.8, (Label("delivery", 0.7),), "Où est mon colis ?", 0, ENGINE),
}
