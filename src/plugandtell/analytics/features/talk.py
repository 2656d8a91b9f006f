"""When parties talk and when nobody does, from the times of their words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from plugandtell.core.transcript import Party, Span, Transcript, Turn

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_BREATH_MS: Final = 500
"""A gap between two words up to which one keeps talking."""

_HELD_MS: Final = 300
"""How long another has been talking before one can break in."""

_TOGETHER_MS: Final = 500
"""How long both talk before it is more than two who meet by chance."""

_NOD_WORDS: Final = 2
"""Up to how many words, as "mm-hm", "yes, yes", are no attempt to take over."""


def talk_of(transcript: Transcript, parties: Iterable[Party]) -> list[Span]:
    """When any of the parties talks, in order and apart from each other: within the call, from word to word."""
    kept = set(parties)
    spans = [span for turn in transcript.turns if turn.party in kept for span in _talk_in(turn)]
    return _joined(_within(spans, transcript.duration_ms), _BREATH_MS)


def length_ms(spans: Iterable[Span]) -> int:
    """How long they are together."""
    return sum(span.length_ms for span in spans)


def silences(talk: Sequence[Span], duration_ms: int) -> Iterator[Span]:
    """What lies between, before and behind."""
    at = 0
    for span in talk:
        if span.start_ms > at:
            yield Span(at, span.start_ms)
        at = span.end_ms
    if at < duration_ms:
        yield Span(at, duration_ms)


def interruptions(transcript: Transcript, party: Party) -> int:
    """How often a party begins to talk while another talks and goes on, for more than a nod."""
    others = talk_of(transcript, (other for other in transcript.parties if other is not party))
    turns = (turn for turn in transcript.turns if turn.party is party and word_count(turn) > _NOD_WORDS)
    return sum(any(_breaks_into(turn, other) for other in others) for turn in turns)


def word_count(turn: Turn) -> int:
    """How many words a turn has."""
    return len(turn.words) or len(turn.text.split())


def _talk_in(turn: Turn) -> list[Span]:
    """When the words of a turn are said, or all of the turn where they have no times."""
    return [word.span for word in turn.words] or [turn.span]


def _within(spans: Iterable[Span], duration_ms: int) -> list[Span]:
    """The spans cut off where the call ends."""
    return [Span(span.start_ms, min(span.end_ms, duration_ms)) for span in spans if span.start_ms < duration_ms]


def _joined(spans: Sequence[Span], gap_ms: int) -> list[Span]:
    """The spans in order, those with no more than a gap between them as one."""
    joined: list[Span] = []
    for span in sorted(spans, key=lambda span: span.start_ms):
        if joined and span.start_ms - joined[-1].end_ms <= gap_ms:
            joined[-1] = Span(joined[-1].start_ms, max(joined[-1].end_ms, span.end_ms))
        else:
            joined.append(span)
    return joined


def _breaks_into(turn: Turn, other: Span) -> bool:
    """Whether a turn begins in the middle of what another says, and both go on."""
    start_ms = min(span.start_ms for span in _talk_in(turn))
    together_ms = min(turn.span.end_ms, other.end_ms) - start_ms
    return other.start_ms + _HELD_MS <= start_ms and together_ms >= _TOGETHER_MS
