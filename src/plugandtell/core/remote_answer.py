"""What a server with OpenAI's speech interface answers (`verbose_json`), as utterances."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from plugandtell.core.hearing import Utterance
from plugandtell.core.plausibility import Claim, is_imagined, repeats_itself, words_of
from plugandtell.core.transcript import Span, Word

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


class AnswerInvalid(ValueError):
    """An answer that is none of that interface."""


def utterances_in(answer: Mapping[str, Any], start_ms: int, length_ms: int) -> list[Utterance]:
    """The utterances of an answer.

    Segments without words, without a name for their times, or that were imagined are dealt with as in Whisper itself:
    many such servers are Whisper, and do not look.

    Args:
        answer: The decoded JSON, with `text`, and where the server has them `segments` and `words`.
        start_ms: Where the sound that it is about begins in the call.
        length_ms: How long that sound is. Times beyond it are cut there.

    Raises:
        AnswerInvalid: A field is missing, or of another type.
    """
    clock = _Clock(start_ms, length_ms)
    try:
        words = [(clock.span(word), str(word["word"]).strip()) for word in answer.get("words") or ()]
        segments = answer.get("segments") or [{"start": 0.0, "end": length_ms / 1000, "text": answer["text"]}]
        return [found for segment in segments if (found := _utterance(segment, words, clock)) is not None]
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as exc:
        raise AnswerInvalid(f"{type(exc).__name__}: {exc}") from exc


class _Clock:
    """Takes times in seconds to times in the call."""

    def __init__(self, start_ms: int, length_ms: int) -> None:
        self._start_ms = start_ms
        self._length_ms = length_ms

    def span(self, timed: Mapping[str, Any]) -> Span:
        """Where it is, within the sound."""
        start = min(max(round(float(timed["start"]) * 1000), 0), self._length_ms)
        end = min(max(round(float(timed["end"]) * 1000), start), self._length_ms)
        return Span(self._start_ms + start, self._start_ms + end)


def _utterance(segment: Mapping[str, Any], words: Sequence[tuple[Span, str]], clock: _Clock) -> Utterance | None:
    text = str(segment["text"]).strip()
    span = clock.span(segment)
    log_probability = segment.get("avg_logprob")
    confidence = None if log_probability is None else round(min(math.exp(float(log_probability)), 1.0), 3)
    claim = Claim(
        text,
        span.length_ms / 1000,
        1.0 if confidence is None else confidence,
        float(segment.get("no_speech_prob") or 0.0),
        0.0 if log_probability is None else float(log_probability),
    )
    if not words_of(text) or is_imagined(claim) or repeats_itself(text):
        return None
    own = [(place, word) for place, word in words if span.start_ms <= (place.start_ms + place.end_ms) / 2 < span.end_ms]
    return Utterance(span, text, tuple(_written(text, own)), confidence)


def _written(text: str, own: Sequence[tuple[Span, str]]) -> Iterable[Word]:
    """The words as the text has them: the server's own list leaves punctuation out."""
    written = text.split()
    matched = len(written) == len(own)
    for index, (place, word) in enumerate(own):
        if word:
            yield Word(written[index] if matched else word, place)
