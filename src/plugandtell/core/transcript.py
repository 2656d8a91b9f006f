"""What was said in a call: turns of words, each with its time and who spoke."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Party(StrEnum):
    """Who speaks. In a recording with one channel nobody can say, so that there it is always `speaker`."""

    SPEAKER = "speaker"
    AGENT = "agent"
    CALLER = "caller"


@dataclass(frozen=True, slots=True)
class Engine:
    """What made a result, and which version of it, so that results of different makers are never mixed up."""

    name: str
    version: str


@dataclass(frozen=True, slots=True)
class Span:
    """Time in a call, from its first sample on.

    Raises:
        ValueError: It begins before the call, or ends before it begins.
    """

    start_ms: int
    end_ms: int

    def __post_init__(self) -> None:
        if not 0 <= self.start_ms <= self.end_ms:
            raise ValueError(f"a span goes forward from 0 on, not from {self.start_ms} to {self.end_ms} ms")

    @property
    def length_ms(self) -> int:
        """How long it is."""
        return self.end_ms - self.start_ms


@dataclass(frozen=True, slots=True)
class Word:
    """One word as it is written, without spaces around it.

    Attributes:
        text: The word, with the punctuation that belongs to it.
        span: When it was said.
        confidence: From 0 to 1; None where the engine does not say.
    """

    text: str
    span: Span
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """What one party says until it pauses or another begins.

    Attributes:
        party: Who speaks.
        span: When.
        text: All of it.
        words: The words with their times; empty where the engine gives none.
        confidence: From 0 to 1; None where the engine does not say.
    """

    party: Party
    span: Span
    text: str
    words: tuple[Word, ...] = ()
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was said in a whole call.

    Attributes:
        duration_ms: Of the call.
        parties: Who can be told apart: `(speaker,)` for one channel, `(agent, caller)` for two.
        language: As an ISO 639-1 code; None where nobody spoke.
        turns: In the order in which they begin.
        engine: What transcribed it.
    """

    duration_ms: int
    parties: tuple[Party, ...]
    language: str | None
    turns: tuple[Turn, ...]
    engine: Engine

    @property
    def text(self) -> str:
        """All that was said, a line a turn."""
        return "\n".join(turn.text for turn in self.turns)
