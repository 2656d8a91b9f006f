from __future__ import annotations

from typing import Any

import pytest

from plugandtell.core.remote_answer import AnswerInvalid, utterances_in
from plugandtell.core.transcript import Span

ANSWER: dict[str, Any] = {
    "text": "Hello there. Goodbye.",
    "language": "english",
    "segments": [
        {"start": 0.5, "end": 1.5, "text": " Hello there.", "avg_logprob": -0.105, "no_speech_prob": 0.01},
        {"start": 3.0, "end": 3.5, "text": " Goodbye.", "avg_logprob": -0.2, "no_speech_prob": 0.02},
    ],
    "words": [
        {"word": "Hello", "start": 0.5, "end": 0.9},
        {"word": "there", "start": 1.0, "end": 1.5},
        {"word": "Goodbye", "start": 3.0, "end": 3.5},
    ],
}


def test_segments_and_words_get_their_times_in_the_call_and_their_punctuation() -> None:
    first, second = utterances_in(ANSWER, 60_000, 5_000)
    assert (first.text, first.span, first.confidence) == ("Hello there.", Span(60_500, 61_500), 0.9)
    assert [(word.text, word.span) for word in first.words] == [
        ("Hello", Span(60_500, 60_900)),
        ("there.", Span(61_000, 61_500)),
    ]
    assert [word.text for word in second.words] == ["Goodbye."]


def test_text_alone_is_one_utterance_without_words() -> None:
    (only,) = utterances_in({"text": " Hello there. "}, 1000, 5000)
    assert (only.text, only.span, only.words, only.confidence) == ("Hello there.", Span(1000, 6000), (), None)


def test_words_that_cannot_be_matched_stay_as_the_server_has_them() -> None:
    segment = {"start": 0.0, "end": 2.0, "text": "It is 10 o'clock, sir."}
    words = [{"word": word, "start": at, "end": at + 0.1} for at, word in enumerate(["It's", "ten"])]
    (only,) = utterances_in({"text": "", "segments": [segment], "words": words}, 0, 5000)
    assert [word.text for word in only.words] == ["It's", "ten"]


def test_times_beyond_the_sound_are_cut() -> None:
    (only,) = utterances_in({"text": "", "segments": [{"start": -1, "end": 99.0, "text": "Well."}]}, 1000, 500)
    assert only.span == Span(1000, 1500)


@pytest.mark.parametrize("text", ["", " ... ", "Thanks for watching!", "and then " * 20])
def test_what_was_not_said_is_left_out(text: str) -> None:
    assert utterances_in({"text": text}, 0, 5000) == []


def test_a_segment_that_the_server_doubts_itself_is_left_out() -> None:
    doubted = {"start": 0.0, "end": 1.0, "text": "The weather.", "avg_logprob": -1.4, "no_speech_prob": 0.9}
    assert utterances_in({"text": "The weather.", "segments": [doubted]}, 0, 5000) == []


@pytest.mark.parametrize(
    "answer",
    [
        {"text": "a", "segments": [{"text": "a"}]},
        {"text": "a", "segments": ["a"]},
        {"text": "a", "segments": 7},
        {"text": "a", "words": [{"word": "a", "start": "soon", "end": 1}]},
        {"text": "a", "segments": [{"start": float("nan"), "end": 1, "text": "a"}]},
        {"text": "a", "segments": [{"start": 0, "end": float("inf"), "text": "a"}]},
    ],
)
def test_an_answer_of_another_form_is_refused(answer: dict[str, Any]) -> None:
    with pytest.raises(AnswerInvalid):
        utterances_in(answer, 0, 5000)
