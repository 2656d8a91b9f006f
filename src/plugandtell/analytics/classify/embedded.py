"""Judges that ask the heads on sentence embeddings, and the rules where the heads cannot decide."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, TypeVar

from plugandtell.analytics.classify import own_labels
from plugandtell.analytics.classify.call_intent import decide
from plugandtell.analytics.classify.call_mood import NOTHING_SAID, blended
from plugandtell.analytics.classify.chances import Decision, Feeling, Leaning, with_casting_vote
from plugandtell.analytics.classify.embedding import PACKAGE, VERSION
from plugandtell.analytics.classify.heads import INTENT, LABEL, POLARITY, STATE, unit
from plugandtell.analytics.classify.intent_rules import RuleIntents
from plugandtell.analytics.classify.lexicon import LANGUAGES
from plugandtell.analytics.classify.mood_rules import RuleMoods
from plugandtell.analytics.classify.sentences import chunks
from plugandtell.core.findings import CallerState, IntentClass, Polarity
from plugandtell.core.transcript import Engine

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Protocol

    import numpy as np
    from numpy.typing import NDArray

    from plugandtell.analytics.classify.heads import Heads
    from plugandtell.analytics.classify.own_labels import OwnLabels

    class _Embeds(Protocol):
        def embed(self, texts: Sequence[str]) -> NDArray[np.float32]: ...


_Answer = TypeVar("_Answer", bound=str)

NO_LABEL: Final = "other"
"""Of the head for finer labels: what nothing else fits. Such answers are not reported."""

MARGIN: Final = 0.15
VOTE: Final = 0.5
"""Between the best two chances, up to which the rules have a vote, and how much it counts: set before anything was
measured, and left so."""

FOREIGN_DOUBT: Final = 0.25
"""How much of a chance is spread over all answers in a language that the heads have not seen."""


class EmbeddedMoods:
    """A judge of moods (see `judges.MoodJudge`).

    Args:
        embedder: Makes vectors of texts.
        heads: Make answers of vectors.
        margin: Between the best two chances, up to which the rules have a vote.
    """

    def __init__(self, embedder: _Embeds, heads: Heads, margin: float = MARGIN) -> None:
        self._embedder = embedder
        self._margin = margin
        self._heads = heads
        self._rules = RuleMoods()
        self.engine = _engine(heads)

    def feelings(self, turns: Sequence[str], language: str | None) -> list[Feeling]:
        """One for each turn: what its parts say, by the root of their length and their expression."""
        parts = [(at, chunk) for at, turn in enumerate(turns) for chunk in chunks(turn)]
        judged = self._judged([chunk for _, chunk in parts], language)
        of_turn: list[list[tuple[float, Feeling]]] = [[] for _ in turns]
        for (at, chunk), feeling in zip(parts, judged, strict=True):
            of_turn[at].append((math.sqrt(len(chunk)), feeling))
        return [blended(said) or NOTHING_SAID for said in of_turn]

    def _judged(self, texts: Sequence[str], language: str | None) -> list[Feeling]:
        centred = self._heads.centred(self._embedder.embed(texts))
        polarities = _answers(self._heads, POLARITY, centred, Polarity)
        states = _answers(self._heads, STATE, centred, CallerState)
        return [
            self._settled(text, Feeling(polarity, state), language)
            for text, polarity, state in zip(texts, polarities, states, strict=True)
        ]

    def _settled(self, text: str, feeling: Feeling, language: str | None) -> Feeling:
        if language not in LANGUAGES:
            return Feeling(_doubted(feeling.polarities), _doubted(feeling.states))
        vote = self._rules.feeling(text, language)
        return Feeling(
            with_casting_vote(feeling.polarities, vote.polarities, margin=self._margin, weight=VOTE),
            with_casting_vote(feeling.states, vote.states, margin=self._margin, weight=VOTE),
        )


class EmbeddedIntents:
    """A judge of intents (see `judges.IntentJudge`).

    Args:
        embedder: Makes vectors of sentences.
        heads: Make answers of vectors.
        own: The user's own labels: a sentence fits one as well as it is like the nearest of its examples.
        margin: Between the best two chances, up to which the rules have a vote.
    """

    def __init__(
        self, embedder: _Embeds, heads: Heads, own: OwnLabels = own_labels.NONE, margin: float = MARGIN
    ) -> None:
        self._embedder = embedder
        self._margin = margin
        self._heads = heads
        self._rules = RuleIntents(own)
        self._own = {name: unit(heads.centred(embedder.embed(examples))) for name, examples in own.examples.items()}
        self.engine = _engine(heads)

    def decide(self, sentences: Sequence[str], language: str | None) -> Decision:
        """What the caller wants."""
        centred = self._heads.centred(self._embedder.embed(sentences))
        own = [self._fits(row) for row in unit(centred)] if self._own else []
        return decide(self._leanings(sentences, centred, language), own)

    def leanings(self, sentences: Sequence[str], language: str | None) -> list[Leaning]:
        """What each sentence leans to for itself."""
        return self._leanings(sentences, self._heads.centred(self._embedder.embed(sentences)), language)

    def _leanings(self, sentences: Sequence[str], centred: NDArray[np.float32], language: str | None) -> list[Leaning]:
        intents = _answers(self._heads, INTENT, centred, IntentClass)
        labels = _answers(self._heads, LABEL, centred, str)
        return [
            Leaning(self._settled(sentence, intent, language), _told(label))
            for sentence, intent, label in zip(sentences, intents, labels, strict=True)
        ]

    def _settled(
        self, sentence: str, intent: dict[IntentClass, float], language: str | None
    ) -> dict[IntentClass, float]:
        if language not in LANGUAGES:
            return _doubted(intent)
        vote = self._rules.leaning(sentence, language).intents
        return with_casting_vote(intent, vote, margin=self._margin, weight=VOTE)

    def _fits(self, row: NDArray[np.float32]) -> dict[str, float]:
        return {name: self._heads.fit(float((examples @ row).max())) for name, examples in self._own.items()}


def _engine(heads: Heads) -> Engine:
    return Engine("embeddings", f"{PACKAGE}-{VERSION}+heads-{heads.version}")


def _answers(heads: Heads, name: str, centred: NDArray[np.float32], kind: type[_Answer]) -> list[dict[_Answer, float]]:
    head = heads.by_name[name]
    return [
        {kind(answer): float(chance) for answer, chance in zip(head.answers, row, strict=True)}
        for row in head.chances(centred)
    ]


def _told(labels: Mapping[str, float]) -> dict[str, float]:
    return {name: chance for name, chance in labels.items() if name != NO_LABEL}


def _doubted(chances: Mapping[_Answer, float]) -> dict[_Answer, float]:
    even = FOREIGN_DOUBT / len(chances)
    return {answer: (1 - FOREIGN_DOUBT) * chance + even for answer, chance in chances.items()}
