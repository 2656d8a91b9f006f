"""What the later stages find in a call: its features, how the parties feel, and what the caller wants."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from plugandtell.core.transcript import Engine, Party, Span


class EntityKind(StrEnum):
    """What an entity is."""

    PHONE = "phone"
    MONEY = "money"
    DATE = "date"
    EMAIL = "email"
    ORDER = "order"
    ACCOUNT = "account"


@dataclass(frozen=True, slots=True)
class Entity:
    """Something that was named in the call.

    Attributes:
        kind: What it is.
        text: As it stands in the transcript.
        value: In its usual written form: `+33612345678`, `49.90 EUR`, `2026-11-24`, `marie@example.com`.
        party: Who said it.
        turn: Which turn it is in, counted from 0.
        start: The first character of `text` in the text of that turn.
        end: The character after the last.
        span: When it was said: its words, or the whole turn where the words have no times.
    """

    kind: EntityKind
    text: str
    value: str
    party: Party
    turn: int
    start: int
    end: int
    span: Span


@dataclass(frozen=True, slots=True)
class Keyword:
    """A word or phrase that the call is about.

    Attributes:
        text: The phrase.
        score: From 0 to 1, the higher the more important.
        count: How often it was said.
    """

    text: str
    score: float
    count: int


@dataclass(frozen=True, slots=True)
class Metric:
    """A figure of the call, or why there is none.

    Attributes:
        value: The figure, in the unit that its name ends in; None where it cannot be known.
        reason: Why it cannot; None where it can.

    Raises:
        ValueError: Both are given, or neither.
    """

    value: float | None
    reason: str | None = None

    def __post_init__(self) -> None:
        if (self.value is None) == (self.reason is None):
            raise ValueError(f"a metric is a value or a reason, not {self.value!r} and {self.reason!r}")


@dataclass(frozen=True, slots=True)
class PartyMetrics:
    """How one party speaks: seconds, its share of all talk from 0 to 1, words a minute of its own talk, loudness."""

    party: Party
    talk_s: Metric
    talk_share: Metric
    words_per_minute: Metric
    interruptions: Metric
    loudness_lufs: Metric


@dataclass(frozen=True, slots=True)
class CallMetrics:
    """How the call went as a whole: the share of it in which nobody speaks from 0 to 1, seconds, loudness."""

    silence_share: Metric
    longest_silence_s: Metric
    loudness_lufs: Metric
    parties: tuple[PartyMetrics, ...]


@dataclass(frozen=True, slots=True)
class Features:
    """Result of the feature extraction stage.

    Attributes:
        keywords: The most important first.
        entities: In the order in which they were said.
        metrics: Figures of the call.
        engine: What found them.
    """

    keywords: tuple[Keyword, ...]
    entities: tuple[Entity, ...]
    metrics: CallMetrics
    engine: Engine


class Polarity(StrEnum):
    """How something is said."""

    POSITIVE = "positive"
    NEUTRAL = "neutral"
    NEGATIVE = "negative"


class CallerState(StrEnum):
    """How the caller feels, over the whole call."""

    SATISFIED = "satisfied"
    NEUTRAL = "neutral"
    FRUSTRATED = "frustrated"
    ANGRY = "angry"
    ANXIOUS = "anxious"


@dataclass(frozen=True, slots=True)
class Mood:
    """A polarity and where it lies from -1, as negative as can be, to 1; confidence from 0 to 1."""

    polarity: Polarity
    score: float
    confidence: float


@dataclass(frozen=True, slots=True)
class Sentiment:
    """Result of the sentiment analysis stage.

    Attributes:
        turns: One for each turn of the transcript, in the same order.
        quarters: Of the call's time, four of them; None where nobody spoke.
        overall: Of the whole call; None where nobody spoke.
        caller_state: How the caller feels; None where nobody spoke. With one channel everybody counts as the caller.
        engine: What judged it.
    """

    turns: tuple[Mood, ...]
    quarters: tuple[Mood | None, ...]
    overall: Mood | None
    caller_state: CallerState | None
    engine: Engine


class IntentClass(StrEnum):
    """What the caller wants."""

    SUPPORT = "support"
    INFORMATION = "information_request"
    COMPLAINT = "complaint"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Label:
    """A finer label, or one of the user's own, with its confidence from 0 to 1."""

    name: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Intent:
    """Result of the intent classification stage.

    Attributes:
        intent: What the caller wants; `other` where nobody spoke.
        confidence: From 0 to 1.
        labels: Finer ones, the surest first.
        sentence: The sentence that decided it; None where nobody spoke.
        turn: Which turn that sentence is in, counted from 0; None where nobody spoke.
        engine: What judged it.
    """

    intent: IntentClass
    confidence: float
    labels: tuple[Label, ...]
    sentence: str | None
    turn: int | None
    engine: Engine
