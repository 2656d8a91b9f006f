"""How something is said, judged by its words.

It stands in where embeddings do not run, and has the casting vote beside them. It knows English and French; anything
else it calls neutral.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from plugandtell.analytics.classify.chances import Feeling, softmax
from plugandtell.analytics.classify.lexicon import MoodWords, mood_words, plain
from plugandtell.core.findings import CallerState, Polarity
from plugandtell.core.transcript import Engine

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ENGINE: Final = Engine("rules", "1")

_REACH: Final = 3  # words between a denial and what it denies
_CLAUSE: Final = re.compile(r"[.,;:!?]|\bbut\b|\bmais\b")
_SURE: Final = 1.6  # weight of one word in the logits
_NEUTRAL: Final = 0.8
_STATES: Final = (CallerState.FRUSTRATED, CallerState.ANGRY, CallerState.ANXIOUS)


class RuleMoods:
    """A judge of moods (see `judges.MoodJudge`)."""

    engine = ENGINE

    def __init__(self) -> None:
        self._words = mood_words()

    def feelings(self, turns: Sequence[str], language: str | None) -> list[Feeling]:
        """One for each turn."""
        return [self.feeling(turn, language) for turn in turns]

    def feeling(self, text: str, language: str | None) -> Feeling:
        """What the words of a text tell."""
        known = self._words.get(language or "")
        return _feeling(0, 0, {}) if known is None else _told(text, known)


def _told(text: str, known: MoodWords) -> Feeling:
    said = known.harmless.sub(" ok ", plain(text))
    glad, not_glad = _affirmed(known.positive, said, known)
    bad, not_bad = _affirmed(known.negative, said, known)
    angry, _ = _affirmed(known.angry, said, known)
    anxious, _ = _affirmed(known.anxious, said, known)
    frustrated = len(known.frustrated.findall(said))
    negative = bad + not_glad + frustrated + angry + anxious
    if known.irony.search(said) or (glad and negative > glad):
        glad, frustrated, negative = 0, frustrated + 1, negative + 1
    signs = {
        CallerState.FRUSTRATED: frustrated + 0.5 * bad + not_glad,
        CallerState.ANGRY: 1.5 * angry + (0.5 if bad and "!" in text else 0),
        CallerState.ANXIOUS: 1.5 * anxious,
    }
    return _feeling(glad + 0.5 * not_bad, negative, signs)


def _feeling(glad: float, negative: float, signs: Mapping[CallerState, float]) -> Feeling:
    polarities = {
        Polarity.POSITIVE: _SURE * min(glad, 2),
        Polarity.NEUTRAL: _NEUTRAL,
        Polarity.NEGATIVE: _SURE * min(negative, 2),
    }
    states = {
        CallerState.SATISFIED: _SURE * min(glad, 2),
        CallerState.NEUTRAL: _NEUTRAL,
        **{state: _SURE * min(signs.get(state, 0), 3) for state in _STATES},
    }
    return Feeling(softmax(polarities), softmax(states))


def _affirmed(pattern: re.Pattern[str], said: str, known: MoodWords) -> tuple[int, int]:
    """How often something of the pattern is said, and how often it is denied."""
    yes = no = 0
    for found in pattern.finditer(said):
        before = _CLAUSE.split(said[: found.start()])[-1].split()[-_REACH:]
        after = said[found.end() :].split()[:1]
        denied = known.denied_before.search(" ".join(before)) or known.denied_after.match(" ".join(after))
        yes, no = (yes, no + 1) if denied else (yes + 1, no)
    return yes, no
