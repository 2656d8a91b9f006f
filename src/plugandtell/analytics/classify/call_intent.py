"""What the sentences of a caller make of a whole call.

People say early on why they call, after a greeting or two that say nothing: a sentence counts by how much it wants
anything at all, and for less the more such sentences there were before it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from plugandtell.analytics.classify.chances import Decision, Leaning, blend, likeliest
from plugandtell.core.findings import IntentClass, Label
from plugandtell.core.transcript import Party

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from plugandtell.core.transcript import Transcript

MOST_SENTENCES: Final = 60
"""Sentences that are looked at; why somebody calls is not said later than that."""

MOST_LABELS: Final = 3
LEAST_CONFIDENCE: Final = 0.25
"""Of a finer label that is worth a mention."""

_HALF_LIFE: Final = 2.0  # sentences with a wish in them until one counts half
_VOICES: Final = 3  # sentences that decide


def decide(leanings: Sequence[Leaning], own: Sequence[Mapping[str, float]] = ()) -> Decision:
    """What the caller wants, from what each sentence leans to; there is at least one.

    Args:
        leanings: In the order in which they were said.
        own: For each sentence, how well it fits each label of the user's own.
    """
    early = _earliness(leanings)
    wishes = [
        weight * (1.001 - leaning.intents[IntentClass.OTHER]) for weight, leaning in zip(early, leanings, strict=True)
    ]
    voices = sorted(range(len(leanings)), key=lambda at: -wishes[at])[:_VOICES]
    chances = blend((wishes[at], leanings[at].intents) for at in voices)
    intent = likeliest(chances)
    support = [weight * leaning.intents[intent] for weight, leaning in zip(early, leanings, strict=True)]
    sentence = max(range(len(support)), key=lambda at: support[at])
    return Decision(intent, round(chances[intent], 4), _labels(leanings, support, own), sentence)


def _earliness(leanings: Sequence[Leaning]) -> list[float]:
    weights = []
    wished = 0.0
    for leaning in leanings:
        weights.append(0.5 ** (wished / _HALF_LIFE))
        wished += 1 - leaning.intents[IntentClass.OTHER]
    return weights


def _labels(
    leanings: Sequence[Leaning], support: Sequence[float], own: Sequence[Mapping[str, float]]
) -> tuple[Label, ...]:
    """The built-in labels of the sentences that speak for the intent, and the best fit of each own label."""
    total = sum(support) or 1.0
    chances: dict[str, float] = {}
    for weight, leaning in zip(support, leanings, strict=True):
        for name, chance in leaning.labels.items():
            chances[name] = chances.get(name, 0.0) + weight * chance / total
    for fits in own:
        for name, fit in fits.items():
            chances[name] = max(chances.get(name, 0.0), fit)
    surest = sorted(chances.items(), key=lambda item: -item[1])
    return tuple(Label(name, round(chance, 4)) for name, chance in surest if chance >= LEAST_CONFIDENCE)[:MOST_LABELS]


def callers_turns(transcript: Transcript) -> list[int]:
    """Which turns, counted from 0, are the caller's; all of them where nobody can be told apart."""
    callers = [at for at, turn in enumerate(transcript.turns) if turn.party is not Party.AGENT]
    return callers or list(range(len(transcript.turns)))
