"""What was tried, in figures."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(slots=True)
class Tally:
    """Counts what campaigns did; adds up.

    Attributes:
        runs: Schedules, or sessions of a fuzzer, by campaign.
        faults: What was injected, by kind.
        samples: Samples of recordings that were compared with the input.
    """

    runs: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    samples: int = 0

    @classmethod
    def from_json(cls, text: str) -> Tally:
        """What `as_json` wrote."""
        values = json.loads(text)
        return cls(Counter(values["runs"]), Counter(values["faults"]), values["samples"])

    def as_json(self) -> str:
        """As text, from one process to another."""
        return json.dumps({"runs": self.runs, "faults": self.faults, "samples": self.samples})

    def add(self, other: Tally) -> None:
        """Add another count to this one."""
        self.runs += other.runs
        self.faults += other.faults
        self.samples += other.samples

    def __str__(self) -> str:
        runs = ", ".join(f"{count:,} {name}" for name, count in sorted(self.runs.items()))
        return f"{runs}; {self.faults.total():,} faults injected, {self.samples / 1e6:,.1f} M samples compared"

    @property
    def by_kind(self) -> str:
        """The faults, kind by kind."""
        return ", ".join(f"{kind} {count:,}" for kind, count in sorted(self.faults.items()))


Record: TypeAlias = Callable[[Tally], None]
