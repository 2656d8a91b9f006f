"""What a call is about: the words and phrases that YAKE finds telling, without those that every call is full of.

YAKE (Campos et al., Information Sciences 509, 2020) scores by where and how a word stands in this text alone, so that
it needs no model. What stands in an entity is no keyword.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Final

from yake import KeywordExtractor

from plugandtell.analytics.features.call_words import CALL_WORDS
from plugandtell.core.findings import Entity, Keyword
from plugandtell.core.transcript import Party

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from plugandtell.core.transcript import Transcript

MAX_KEYWORDS: Final = 15
"""How many keywords a call has at most."""

_WORDS_IN_PHRASE: Final = 3
_CONSIDERED: Final = 120
_MIN_SHARE: Final = 0.5
_FRENCH_ATTACHED = re.compile(
    r"\b(?:[cdjlmnst]|qu|jusqu|lorsqu|puisqu|quoiqu)['\u2019](?=\w)|"
    r"(?<=\w)-(?:t-)?(?:je|tu|il|elle|on|nous|vous|ils|elles|moi|toi|le|la|les|ce|ci|là)\b",
    re.IGNORECASE,
)
_ENGLISH_ATTACHED = re.compile(r"\b\w+n['\u2019]t\b|(?<=\w)['\u2019](?:s|re|ve|ll|d|m)\b", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+(?:-[^\W_]+)*")
_LINKS: Final = frozenset(
    (
        *("a", "an", "for", "in", "my", "of", "on", "the", "to"),
        *("au", "aux", "de", "des", "du", "en", "la", "le", "les", "ma", "mes", "mon", "par", "un", "une", "à"),
    )
)
"""The stop words that a phrase may have inside, as in "cancel my subscription"."""

_PUNCTUATION = (".", "!", "?", ",", ":", ";")


class KeywordFinder:
    """YAKE for one language; made once for many calls."""

    def __init__(self, language: str) -> None:
        """Read YAKE's stop words of the language, or its small general list where it knows none, and ours."""
        known = KeywordExtractor(lan=language).stopword_set
        self._stop_words = frozenset(known) | CALL_WORDS.get(language, frozenset())
        self._yake = KeywordExtractor(
            lan=language, n=_WORDS_IN_PHRASE, top=_CONSIDERED, stopwords=set(self._stop_words)
        )
        self._attached = _FRENCH_ATTACHED if language == "fr" else _ENGLISH_ATTACHED

    def find(self, transcript: Transcript, entities: Iterable[Entity]) -> tuple[Keyword, ...]:
        """The keywords of a call, the most important first: at most `MAX_KEYWORDS`, none where nothing is said.

        A score is 1 / (1 + s) of what YAKE gives, since with s less is more. The agent's first turn is left out: it
        says who they are, and hardly what the call is about.
        """
        text = self._attached.sub("", _without(transcript, entities))
        scored = [(phrase, float(score)) for phrase, score in self._yake.extract_keywords(text)]
        forms = _forms(text, [phrase for phrase, _ in scored])
        telling = [(phrase, score) for phrase, score in scored if self._is_telling(phrase) and forms[phrase.lower()]]
        merged = _merged(telling, {phrase: forms[phrase].total() for phrase in forms})[:MAX_KEYWORDS]
        return tuple(
            Keyword(_usual(forms[phrase.lower()]), round(1 / (1 + max(score, 0.0)), 3), forms[phrase.lower()].total())
            for phrase, score in merged
        )

    def _is_telling(self, phrase: str) -> bool:
        """Whether a phrase has a word of three letters or more, and no stop words but links between others."""
        words = phrase.lower().split()
        has_word = any(sum(map(str.isalpha, word)) > 2 for word in words)
        has_ends = not self._stop_words.intersection((words[0], words[-1]))
        return has_word and has_ends and self._stop_words.intersection(words) <= _LINKS


def _without(transcript: Transcript, entities: Iterable[Entity]) -> str:
    """All that was said, a sentence a turn at least, without entities and placeholders."""
    texts = [turn.text for turn in transcript.turns]
    for entity in sorted(entities, key=lambda entity: -entity.start):
        text = texts[entity.turn]
        texts[entity.turn] = f"{text[: entity.start]}. {text[entity.end :]}"
    if transcript.turns and transcript.turns[0].party is Party.AGENT:
        texts[0] = ""
    cleared = (re.sub(r"\[\w+\]", ". ", text).strip() for text in texts)
    return "\n".join(text if text.endswith(_PUNCTUATION) else f"{text}." for text in cleared if text)


def _forms(text: str, phrases: Sequence[str]) -> dict[str, Counter[str]]:
    """How often each phrase stands in a text and in which spellings, by its small letters."""
    forms = {phrase.lower(): Counter[str]() for phrase in phrases}
    words = list(_WORD.finditer(text))
    for i, word in enumerate(words):
        for other in words[i : i + _WORDS_IN_PHRASE]:
            spelled = text[word.start() : other.end()]
            if (counted := forms.get(spelled.lower())) is not None:
                counted[_within_sentence(text, word.start(), spelled)] += 1
    return forms


def _within_sentence(text: str, start: int, spelled: str) -> str:
    """A phrase as it would stand within a sentence: its first letter small, if it is a capital that opens one."""
    before = text[max(0, start - 3) : start].rstrip(" ")
    opens = not before or before[-1] in ".!?\n"
    return spelled[0].lower() + spelled[1:] if opens and spelled[1:].islower() else spelled


def _merged(scored: Sequence[tuple[str, float]], counts: dict[str, int]) -> list[tuple[str, float]]:
    """The phrases, the best first, each word of them in one phrase only.

    Of a phrase and a longer one around it, the longer stays, with the better score, if it is said as often, or more
    than once and at least half as often.
    """
    kept: list[tuple[str, float]] = []
    for phrase, score in sorted(scored, key=lambda pair: pair[1]):
        rivals = [i for i, (other, _) in enumerate(kept) if _overlap(phrase, other)]
        if not rivals:
            kept.append((phrase, score))
        elif len(rivals) == 1 and _is_better(phrase, kept[rivals[0]][0], counts):
            kept[rivals[0]] = (phrase, kept[rivals[0]][1])
    return kept


def _is_better(phrase: str, other: str, counts: dict[str, int]) -> bool:
    """Whether of two phrases, one within the other, the first says more."""
    words, others = set(_stems(phrase)), set(_stems(other))
    count, other_count = counts[phrase.lower()], counts[other.lower()]
    if words > others:
        return _holds(count, other_count)
    return words < others and not _holds(other_count, count)


def _holds(count: int, inner_count: int) -> bool:
    """Whether a phrase is said often enough beside one within it."""
    return count == inner_count or 1 < count >= _MIN_SHARE * inner_count


def _overlap(phrase: str, other: str) -> bool:
    """Whether two phrases share a word, whatever its number."""
    return not set(_stems(phrase)).isdisjoint(_stems(other))


def _stems(phrase: str) -> list[str]:
    """The words of a phrase in small letters and without the ending of a plural."""
    return [re.sub(r"(?<=\w{3})(?:s|x|es)\Z", "", word) for word in phrase.lower().split() if len(word) > 2]


def _usual(forms: Counter[str]) -> str:
    """The spelling that is most usual, small letters rather than capitals where both are."""
    return max(forms, key=lambda form: (forms[form], form.islower()))
