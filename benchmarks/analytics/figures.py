"""Figures of a classifier: how often it is right, macro-F1, and what it takes for what."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

Pairs = "Sequence[tuple[str, str]]"
"""The right answer and the given one, for each text."""


def accuracy(pairs: Sequence[tuple[str, str]]) -> float:
    """The share of right answers."""
    return sum(right == given for right, given in pairs) / len(pairs)


def macro_f1(pairs: Sequence[tuple[str, str]], answers: Sequence[str]) -> float:
    """The mean over the answers of the harmonic mean of precision and recall; an answer that nobody has counts 0."""
    right = Counter(given for truth, given in pairs if truth == given)
    truths = Counter(truth for truth, _ in pairs)
    given = Counter(given for _, given in pairs)
    scores = [2 * right[one] / (truths[one] + given[one]) if truths[one] + given[one] else 0.0 for one in answers]
    return sum(scores) / len(scores)


def confusion(pairs: Sequence[tuple[str, str]], answers: Sequence[str]) -> str:
    """A table in Markdown: a row for each right answer, a column for each given one."""
    counts = Counter(pairs)
    head = f"| is \\ given as | {' | '.join(answers)} |\n|---|{'---|' * len(answers)}\n"
    return head + "".join(
        f"| {truth} | {' | '.join(str(counts[truth, given]) for given in answers)} |\n" for truth in answers
    )
