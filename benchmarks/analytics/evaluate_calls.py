"""How well whole calls are told that nothing was tuned on: intent, overall sentiment and the caller's state.

    python benchmarks/analytics/evaluate_calls.py       # writes calls/RESULTS.md

It needs `plugandtell[analytics]`. Each call goes through the services, once with two channels and once with one, where
nobody can tell the caller from the agent.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from examples import HERE, LANGUAGES

from plugandtell.analytics.service import CallInput
from plugandtell.analytics.settings import EngineSettings, TextEngine
from plugandtell.analytics.stages.intent import IntentClassification
from plugandtell.analytics.stages.sentiment import SentimentAnalysis
from plugandtell.core.call import Stage
from plugandtell.core.transcript import Engine, Party, Span, Transcript, Turn

if TYPE_CHECKING:
    from collections.abc import Iterator

WORD_MS = 400
PARTIES = {"A": Party.AGENT, "C": Party.CALLER}
ENGINES = (TextEngine.RULES, TextEngine.EMBEDDINGS)
ASKED = ("intent", "sentiment", "state")


def calls(part: str, language: str) -> Iterator[tuple[tuple[str, ...], list[tuple[Party, str]]]]:
    """The right answers of each call, and who says what in it."""
    text = (HERE / "calls" / f"{part}_{language}.txt").read_text(encoding="utf-8")
    for block in text.split("\n\n")[1:]:
        heading, *lines = block.strip().splitlines()
        yield tuple(heading.strip("[]").split()), [(PARTIES[line[0]], line[3:]) for line in lines]


def transcript(said: list[tuple[Party, str]], language: str, *, stereo: bool) -> Transcript:
    """What would have been heard, at a steady pace."""
    turns = []
    at_ms = 0
    for party, text in said:
        end_ms = at_ms + WORD_MS * len(text.split())
        turns.append(Turn(party if stereo else Party.SPEAKER, Span(at_ms, end_ms), text))
        at_ms = end_ms + WORD_MS
    parties = (Party.AGENT, Party.CALLER) if stereo else (Party.SPEAKER,)
    return Transcript(at_ms, parties, language, tuple(turns), Engine("by hand", "1"))


def judged(
    part: str, text: TextEngine, language: str, *, stereo: bool
) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """The right answers and the given ones, for each call."""
    settings = EngineSettings(text=text)
    intents, moods = IntentClassification(settings, Path()), SentimentAnalysis(settings, Path())
    found = []
    for right, said in calls(part, language):
        heard = transcript(said, language, stereo=stereo)
        call = CallInput("call", "file:///none", results={Stage.TRANSCRIPTION: heard})
        mood = moods.process(call)
        given = (intents.process(call).intent, mood.overall.polarity if mood.overall else "", mood.caller_state or "")
        found.append((right, given))
    return found


def main() -> None:
    """Evaluates and writes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=("dev", "heldout"), default="heldout")
    part = parser.parse_args().part
    rows = ["| engine | channels | language | intent | sentiment | state |", "|---|---|---|---|---|---|"]
    misses = []
    for text in ENGINES:
        for stereo in (True, False):
            for language in LANGUAGES:
                found = judged(part, text, language, stereo=stereo)
                right = [sum(pair[0][at] == pair[1][at] for pair in found) for at in range(len(ASKED))]
                shares = " | ".join(f"{count} of {len(found)}" for count in right)
                rows.append(f"| {text} | {2 if stereo else 1} | {language} | {shares} |")
                misses += [
                    f"- {language}, call {number}, {name}: {pair[0][at]}, given as {pair[1][at]}"
                    for number, pair in enumerate(found, 1)
                    for at, name in enumerate(ASKED)
                    if pair[0][at] != pair[1][at] and text is TextEngine.EMBEDDINGS and stereo
                ]
    report = "\n".join(
        [
            "# How well whole calls are told",
            "",
            "Made by `benchmarks/analytics/evaluate_calls.py`; see [README.md](../README.md). How many are right:",
            "",
            *rows,
            "",
            "What embeddings miss with two channels:",
            "",
            *misses,
            "",
        ]
    )
    print(report)
    if part == "heldout":
        (HERE / "calls" / "RESULTS.md").write_text(report, encoding="utf-8")


if __name__ == "__main__":
    main()
