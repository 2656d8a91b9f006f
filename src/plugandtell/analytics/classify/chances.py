"""What a judge makes of one text: how likely each answer is."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from plugandtell.core.findings import CallerState, IntentClass, Label, Polarity

_Answer = TypeVar("_Answer", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Feeling:
    """How one text is said, and which state it speaks of; either sums to 1."""

    polarities: Mapping[Polarity, float]
    states: Mapping[CallerState, float]

    @property
    def score(self) -> float:
        """From -1, as negative as can be, to 1."""
        return self.polarities[Polarity.POSITIVE] - self.polarities[Polarity.NEGATIVE]


@dataclass(frozen=True, slots=True)
class Leaning:
    """What one sentence wants, which sums to 1, and what it is about: each label for itself from 0 to 1."""

    intents: Mapping[IntentClass, float]
    labels: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Decision:
    """What the caller wants.

    Attributes:
        intent: The class.
        confidence: From 0 to 1.
        labels: Finer ones, the surest first.
        sentence: Which one decided it, counted from 0.
    """

    intent: IntentClass
    confidence: float
    labels: tuple[Label, ...]
    sentence: int


def softmax(logits: Mapping[_Answer, float], temperature: float = 1.0) -> dict[_Answer, float]:
    """Chances from logits; a temperature above 1 makes them more alike."""
    top = max(logits.values())
    weights = {answer: math.exp((logit - top) / temperature) for answer, logit in logits.items()}
    return normalized(weights)


def normalized(weights: Mapping[_Answer, float]) -> dict[_Answer, float]:
    """The same proportions, with a sum of 1. They must not all be 0."""
    total = sum(weights.values())
    return {answer: weight / total for answer, weight in weights.items()}


def blend(parts: Iterable[tuple[float, Mapping[_Answer, float]]]) -> dict[_Answer, float]:
    """The mean of several chances, by weight. There is at least one, and not all weights are 0."""
    sums: dict[_Answer, float] = {}
    for weight, chances in parts:
        for answer, chance in chances.items():
            sums[answer] = sums.get(answer, 0.0) + weight * chance
    return normalized(sums)


def likeliest(chances: Mapping[_Answer, float]) -> _Answer:
    """The answer with the best chance; of equals, the first."""
    return max(chances, key=lambda answer: chances[answer])


def with_casting_vote(
    chances: Mapping[_Answer, float], vote: Mapping[_Answer, float], *, margin: float, weight: float
) -> dict[_Answer, float]:
    """The chances, with a second opinion where the best two are no more than `margin` apart.

    The opinion multiplies them, to the power of `weight`, as independent evidence does.
    """
    first, second = sorted(chances.values(), reverse=True)[:2]
    if first - second > margin:
        return dict(chances)
    return normalized({answer: chance * max(vote[answer], 1e-6) ** weight for answer, chance in chances.items()})
