"""What one party's microphone hears of the other.

A loudspeaker or a poor headset carries the agent's voice into the caller's channel, softer and a little later. An
engine writes it down twice, so that the caller seems to say what the agent says.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from plugandtell.core.plausibility import words_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from plugandtell.core.hearing import Heard, Utterance
    from plugandtell.core.transcript import Party, Span

SOFTER_DB: Final = 10.0
"""An echo is at least so much softer than what it is one of."""

LATEST_MS: Final = 400
"""And no later."""

SAME_SHARE: Final = 0.6
"""And has at least this share of its words in common with it: what is soft is also misheard."""


def without_echoes(heard: Mapping[Party, Heard], loudness_db: Callable[[Party, Span], float]) -> dict[Party, Heard]:
    """What each party said, without what its microphone heard of the other.

    Args:
        heard: Of each party.
        loudness_db: How loud a party's channel is in a span, on any scale in dB.
    """

    def is_echo(party: Party, utterance: Utterance) -> bool:
        return any(
            loudness_db(other, utterance.span) - loudness_db(party, utterance.span) >= SOFTER_DB
            and _says_the_same(utterance, theirs)
            for other, theirs in heard.items()
            if other is not party
        )

    return {
        party: _kept(own, tuple(said for said in own.utterances if not is_echo(party, said)))
        for party, own in heard.items()
    }


def _kept(own: Heard, utterances: tuple[Utterance, ...]) -> Heard:
    return replace(own, language=own.language if utterances else None, utterances=utterances)


def _says_the_same(utterance: Utterance, theirs: Heard) -> bool:
    first, last = utterance.span.start_ms - LATEST_MS, utterance.span.end_ms + LATEST_MS
    said: set[str] = set()
    for other in theirs.utterances:
        if other.span.end_ms <= first or other.span.start_ms >= last:
            continue
        for atom in other.words or (other,):
            if atom.span.end_ms > first and atom.span.start_ms < last:
                said.update(words_of(atom.text))
    own = words_of(utterance.text)
    return bool(own) and sum(word in said for word in own) >= SAME_SHARE * len(own)
