"""How well sentiment and intent are told on sentences that nothing was tuned on, and what that costs.

    python benchmarks/analytics/evaluate_text.py intent       # or sentiment; writes RESULTS.md in that folder

It needs `plugandtell[analytics]`. Each sentence is a call of one turn, and goes the whole way that a call goes.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from examples import HERE, LANGUAGES, Example, read
from figures import accuracy, confusion, macro_f1

from plugandtell.analytics.classify.chances import likeliest
from plugandtell.analytics.classify.embedded import EmbeddedIntents, EmbeddedMoods
from plugandtell.analytics.classify.embedding import Embedder
from plugandtell.analytics.classify.heads import shipped
from plugandtell.analytics.classify.intent_rules import RuleIntents
from plugandtell.analytics.classify.mood_rules import RuleMoods
from plugandtell.analytics.classify.own_labels import NONE
from plugandtell.analytics.classify.sentences import sentences
from plugandtell.core.findings import CallerState, IntentClass, Polarity

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from plugandtell.analytics.classify.judges import IntentJudge, MoodJudge

TALK_WORDS_PER_MINUTE = 150
"""Of one who speaks, to say what a minute of audio costs."""

NO_VOTE = -1.0
ENGINES = ("rules", "embeddings alone", "embeddings, rules where it is close")
BINS = 5


@dataclass(frozen=True, slots=True)
class Answered:
    """What an engine made of one example: its answer, how sure it was, and the finer answer, empty for none."""

    example: Example
    answer: str
    confidence: float
    finer: str


def intent_judges() -> dict[str, Callable[[], IntentJudge]]:
    """By the name of the engine."""
    return {
        ENGINES[0]: lambda: RuleIntents(NONE),
        ENGINES[1]: lambda: EmbeddedIntents(Embedder(), shipped(), margin=NO_VOTE),
        ENGINES[2]: lambda: EmbeddedIntents(Embedder(), shipped()),
    }


def mood_judges() -> dict[str, Callable[[], MoodJudge]]:
    """By the name of the engine."""
    return {
        ENGINES[0]: RuleMoods,
        ENGINES[1]: lambda: EmbeddedMoods(Embedder(), shipped(), NO_VOTE),
        ENGINES[2]: lambda: EmbeddedMoods(Embedder(), shipped()),
    }


def intents(judge: IntentJudge, examples: Sequence[Example]) -> list[Answered]:
    """What it makes of each."""
    found = []
    for example in examples:
        decision = judge.decide(sentences(example.text), example.language)
        label = decision.labels[0].name if decision.labels else ""
        found.append(Answered(example, decision.intent, decision.confidence, label))
    return found


def moods(judge: MoodJudge, examples: Sequence[Example]) -> list[Answered]:
    """What it makes of each."""
    found = []
    for example in examples:
        [feeling] = judge.feelings([example.text], example.language)
        answer = likeliest(feeling.polarities)
        found.append(Answered(example, answer, feeling.polarities[answer], likeliest(feeling.states)))
    return found


def calibration_error(answered: Sequence[Answered]) -> float:
    """How far, on average, the confidence is from the share of right answers, in bins of the confidence (ECE)."""
    bins: dict[int, list[Answered]] = {}
    for one in answered:
        bins.setdefault(min(int(one.confidence * BINS), BINS - 1), []).append(one)
    gaps = [abs(sum((one.answer == one.example.names[0]) - one.confidence for one in group)) for group in bins.values()]
    return sum(gaps) / len(answered)


def finer_pairs(task: str, answered: Sequence[Answered]) -> list[tuple[str, str]]:
    """The finer answers of those that have one: the states, or the labels that are reported."""
    return [
        (one.example.names[1], one.finer or "(none)")
        for one in answered
        if task == "sentiment" or not one.example.names[1].startswith("other")
    ]


def quality(task: str, answered: dict[str, list[Answered]], answers: Sequence[str]) -> str:
    """The table of figures, and one of what is taken for what for each language."""
    states = [state.value for state in CallerState]
    name = "states: macro-F1" if task == "sentiment" else "first label right"
    lines = [
        f"| engine | language | accuracy | macro-F1 | calibration error | {name} |",
        "|---|---|---|---|---|---|",
    ]
    for engine, all_of_it in answered.items():
        for language in LANGUAGES:
            mine = [one for one in all_of_it if one.example.language == language]
            pairs = [(one.example.names[0], one.answer) for one in mine]
            finer = finer_pairs(task, mine)
            second = macro_f1(finer, states) if task == "sentiment" else accuracy(finer)
            lines.append(
                f"| {engine} | {language} | {accuracy(pairs):.3f} | {macro_f1(pairs, answers):.3f} "
                f"| {calibration_error(mine):.3f} | {second:.3f} |"
            )
    tables = [""]
    for language in LANGUAGES:
        mine = [one for one in answered[ENGINES[2]] if one.example.language == language]
        tables.append(f"`{language}`, {ENGINES[2]}:\n")
        tables.append(confusion([(one.example.names[0], one.answer) for one in mine], answers))
        if task == "sentiment":
            tables.append(confusion(finer_pairs(task, mine), states))
    return "\n".join(lines + tables)


def resident_mb() -> float:
    """The most memory that this process has had so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if sys.platform == "darwin" else 1e3)


def timed(task: str, engine: str, examples: Sequence[Example]) -> tuple[list[Answered], str]:
    """What an engine makes of the examples, and a row of the table of costs."""
    begin = time.process_time()
    if task == "intent":
        intent_judge = intent_judges()[engine]()
        ready = time.process_time()
        answered = intents(intent_judge, examples)
    else:
        mood_judge = mood_judges()[engine]()
        ready = time.process_time()
        answered = moods(mood_judge, examples)
    took = time.process_time() - ready
    minutes = sum(len(one.text.split()) for one in examples) / TALK_WORDS_PER_MINUTE
    each_ms = 1000 * took / len(examples)
    row = f"| {engine} | {ready - begin:.2f} | {each_ms:.1f} | {took / minutes:.2f} | {resident_mb():.0f} |"
    return answered, row


def main() -> None:
    """Evaluates one of the two."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=("intent", "sentiment"))
    parser.add_argument("--part", choices=("heldout", "train"), default="heldout")
    given = parser.parse_args()
    examples = {language: read(given.task, given.part, language) for language in LANGUAGES}
    all_of_them = [one for mine in examples.values() for one in mine]
    timings = {engine: timed(given.task, engine, all_of_them) for engine in ENGINES}
    answers = [one.value for one in (IntentClass if given.task == "intent" else Polarity)]
    counted = ", ".join(f"{len(mine)} in {language}" for language, mine in examples.items())
    report = f"""# How well {given.task} is told

Made by `benchmarks/analytics/evaluate_text.py {given.task}` on the part `{given.part}`: {counted}.
What these sentences are, and what the figures mean, is in [README.md](../README.md).

{quality(given.task, {engine: answered for engine, (answered, _) in timings.items()}, answers)}
Cost in processor time, which does not depend on what else the machine does. A minute of talk is {TALK_WORDS_PER_MINUTE}
words; the memory is the most that the whole process has had so far.

| engine | ready after, s | a turn, ms | a minute of talk, s | memory, MB |
|---|---|---|---|---|
{chr(10).join(row for _, row in timings.values())}
"""
    print(report)
    if given.part == "heldout":
        (HERE / given.task / "RESULTS.md").write_text(report, encoding="utf-8")


if __name__ == "__main__":
    main()
