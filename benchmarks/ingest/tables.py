"""Figures as Markdown."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table whose first column is text and the others numbers."""
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, rule, *rows))


def spread(values: Sequence[float], form: str = ".1f") -> str:
    """Median and range: `11.4 (11.2 to 11.9)`; a dash for no values."""
    if not values:
        return "-"
    median = format(statistics.median(values), form)
    return median if len(values) == 1 else f"{median} ({min(values):{form}} to {max(values):{form}})"


def per_round(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """Ratios within each round, which what else the machine did spoils less than ratios of medians."""
    return [mine / other for mine, other in zip(ours, theirs, strict=True)]
