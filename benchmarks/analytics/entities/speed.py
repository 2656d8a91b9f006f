"""How long the features of a long call take, apart from decoding: entities, keywords, redaction and figures.

    python benchmarks/analytics/entities/speed.py [HOURS]

The call is made of the labelled sentences, over and over, at the pace at which people talk, and of noise.
"""

from __future__ import annotations

import sys
import time
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from labels import CALL_TIME, load

from plugandtell.analytics.features.entities import find_entities
from plugandtell.analytics.features.keywords import KeywordFinder
from plugandtell.analytics.features.metrics import call_metrics
from plugandtell.analytics.features.redaction import redact_transcript
from plugandtell.core.call import AgentChannel
from plugandtell.core.transcript import Engine, Party, Span, Transcript, Turn, Word

if TYPE_CHECKING:
    from collections.abc import Callable

    from plugandtell.analytics.features.loudness import Samples

WORD_MS = 400
RATE = 16_000

_Result = TypeVar("_Result")


def main() -> None:
    """Print a table."""
    hours = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0
    noise = np.random.default_rng(1).normal(0, 0.05, round(hours * 3600 * RATE)).astype(np.float32)
    print("| call | entities | redaction | keywords | figures |\n|---|---|---|---|---|")
    for language in ("en", "fr"):
        for parties in ((Party.SPEAKER,), (Party.AGENT, Party.CALLER)):
            _report(_long_call(language, parties, round(hours * 3_600_000)), language, [noise] * len(parties))


def _report(transcript: Transcript, language: str, channels: list[Samples]) -> None:
    """A line of the table."""
    entities, entities_s = _timed(lambda: find_entities(transcript, CALL_TIME))
    _, redaction_s = _timed(lambda: redact_transcript(transcript))
    finder = KeywordFinder(language)
    _, keywords_s = _timed(lambda: finder.find(transcript, entities))
    _, figures_s = _timed(lambda: call_metrics(transcript, channels, AgentChannel.FIRST))
    words = sum(len(turn.words) for turn in transcript.turns)
    name = f"{language}, {len(channels)} channels, {words} words, {len(entities)} entities"
    print(f"| {name} | {entities_s:.2f} s | {redaction_s:.2f} s | {keywords_s:.2f} s | {figures_s:.2f} s |")


def _timed(work: Callable[[], _Result]) -> tuple[_Result, float]:
    """What some work gives, and how long it took in seconds."""
    start = time.perf_counter()
    return work(), time.perf_counter() - start


def _long_call(language: str, parties: tuple[Party, ...], duration_ms: int) -> Transcript:
    """A call in which the parties say one labelled sentence after another."""
    examples = load(Path(__file__).parent / f"dev_{language}.txt", language)
    texts = cycle(turn.text for example in examples for turn in example.transcript.turns)
    turns: list[Turn] = []
    at = 0
    for text, party in zip(texts, cycle(parties), strict=False):
        words = tuple(Word(w, Span(at + i * WORD_MS, at + (i + 1) * WORD_MS)) for i, w in enumerate(text.split()))
        end = at + len(words) * WORD_MS
        if end > duration_ms:
            break
        turns.append(Turn(party, Span(at, end), text, words))
        at = end + WORD_MS
    return Transcript(duration_ms, parties, language, tuple(turns), Engine("labels", "1"))


if __name__ == "__main__":
    main()
