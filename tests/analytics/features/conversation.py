"""Calls for tests, made of what is said."""

from __future__ import annotations

from plugandtell.core.transcript import Engine, Party, Span, Transcript, Turn, Word

WORD_MS = 300
"""From the beginning of a word to that of the next."""

AGENT, CALLER, SPEAKER = Party.AGENT, Party.CALLER, Party.SPEAKER


def turn(party: Party, start_ms: int, text: str, *, has_words: bool = True) -> Turn:
    """A turn whose words are said evenly, each 250 ms long."""
    spoken = text.split()
    words = tuple(
        Word(word, Span(start_ms + i * WORD_MS, start_ms + i * WORD_MS + 250), 0.9) for i, word in enumerate(spoken)
    )
    return Turn(party, Span(start_ms, start_ms + len(spoken) * WORD_MS), text, words if has_words else ())


def one(text: str, language: str = "en") -> Transcript:
    """A call of one channel in which one thing is said."""
    said = turn(SPEAKER, 0, text)
    return Transcript(said.span.end_ms, (SPEAKER,), language, (said,), Engine("x", "1"))


def talk(*said: tuple[Party, str], language: str = "en", pause_ms: int = 500) -> Transcript:
    """A call of two channels in which one thing is said after another."""
    turns: list[Turn] = []
    for party, text in said:
        start_ms = turns[-1].span.end_ms + pause_ms if turns else 0
        turns.append(turn(party, start_ms, text))
    return call(*turns, language=language)


def call(*turns: Turn, language: str | None = "en", duration_ms: int = 0) -> Transcript:
    """A call of two channels with these turns, which ends with the last of them unless it is longer."""
    end_ms = max((turn.span.end_ms for turn in turns), default=0)
    return Transcript(max(end_ms, duration_ms), (AGENT, CALLER), language, turns, Engine("x", "1"))
