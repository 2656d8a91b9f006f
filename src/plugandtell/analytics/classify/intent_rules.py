"""What a sentence wants, judged by its words.

It stands in where embeddings do not run, and has the casting vote beside them. It knows English and French; anything
else it calls other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from plugandtell.analytics.classify.call_intent import decide
from plugandtell.analytics.classify.chances import Decision, Leaning, softmax
from plugandtell.analytics.classify.lexicon import intent_words, plain
from plugandtell.analytics.classify.mood_rules import ENGINE
from plugandtell.core.findings import IntentClass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from plugandtell.analytics.classify.own_labels import OwnLabels

_LABEL_CHANCE: Final = 0.5  # of a label with one of its words; another word halves the doubt


class RuleIntents:
    """A judge of intents (see `judges.IntentJudge`).

    Args:
        own: The user's own labels, which are found by the words that a sentence shares with their examples.
    """

    engine = ENGINE

    def __init__(self, own: OwnLabels) -> None:
        self._own = own
        self._words = intent_words()

    def decide(self, sentences: Sequence[str], language: str | None) -> Decision:
        """What the caller wants."""
        leanings = [self.leaning(sentence, language) for sentence in sentences]
        return decide(leanings, [self._own.fits_by_words(sentence) for sentence in sentences])

    def leaning(self, sentence: str, language: str | None) -> Leaning:
        """What the words of a sentence tell."""
        known = self._words.get(language or "")
        if known is None:
            return _leaning(0, 0, 0, 1, {})
        said = plain(sentence)
        labels = {name: _chance(len(pattern.findall(said))) for name, pattern in known.labels.items()}
        complaint, wish, trouble, question, nothing = (
            len(pattern.findall(said))
            for pattern in (known.complaint, known.wish, known.trouble, known.question, known.nothing)
        )
        asked = question + (1 if sentence.rstrip().endswith("?") else 0)
        return _leaning(complaint, 0.8 * wish + trouble, asked, 0.6 * nothing, labels)


def _leaning(complaint: float, support: float, question: float, nothing: float, labels: Mapping[str, float]) -> Leaning:
    logits = {
        IntentClass.SUPPORT: 1.2 * min(support, 3),
        IntentClass.INFORMATION: 1.2 * min(question, 3),
        IntentClass.COMPLAINT: 2.2 * min(complaint, 3),
        IntentClass.OTHER: 0.9 + 0.8 * min(nothing, 3),
    }
    return Leaning(softmax(logits), {name: chance for name, chance in labels.items() if chance})


def _chance(found: int) -> float:
    return 1 - (1 - _LABEL_CHANCE) ** found
