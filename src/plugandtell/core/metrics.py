"""What a server counts, and how it is at one moment: numbers that add up over the processes of a server."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

LATE_S = (0.005, 0.025, 0.1, 0.5, 2.5)
"""Bounds of the classes that lateness is counted in."""

_CLASSES = (*map(str, LATE_S), "+Inf")


@dataclass(slots=True)
class Counts:
    """What has happened since a process started. No number ever falls.

    Attributes:
        messages: Whole messages that came, of any kind.
        recorded_samples: Audio that was written into recordings; silence that fills gaps is none.
        duplicate_samples: Audio that came again while it was in the open segment.
        dropped_samples: Audio that came although all was saved there already.
        accepted: Connections.
        refused: Those that were turned away or ended for what they did, by the code of the error.
        slow_readers: Connections that were dropped because the client did not read.
        dead_connections: Those that were dropped because nobody answered.
        resumes: Streams that went on where they had been.
        acks: Acknowledgements that were made.
        saved: Segments that are in place, by the reason for which they ended.
        discarded: Segments without voice, in the same way.
        not_saved: Tries to put a segment into place that failed, in the same way.
        write_errors: Audio that could not be written, or not be put on the disk.
        late: How often the event loop was late, by class: each counts what lies above the one before it.
        late_s: By how much in all.
        cpu_s: Processor time.
        worker_deaths: Workers that died.
    """

    messages: int = 0
    recorded_samples: int = 0
    duplicate_samples: int = 0
    dropped_samples: int = 0
    accepted: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    slow_readers: int = 0
    dead_connections: int = 0
    resumes: int = 0
    acks: int = 0
    saved: Counter[str] = field(default_factory=Counter)
    discarded: Counter[str] = field(default_factory=Counter)
    not_saved: Counter[str] = field(default_factory=Counter)
    write_errors: int = 0
    late: Counter[str] = field(default_factory=Counter)
    late_s: float = 0.0
    cpu_s: float = 0.0
    worker_deaths: int = 0

    def add(self, other: Counts) -> None:
        """Count what another process has counted too."""
        for name in _COUNTED:
            mine, more = getattr(self, name), getattr(other, name)
            if isinstance(mine, Counter):
                mine.update(more)
            else:
                setattr(self, name, mine + more)

    def copy(self) -> Counts:
        """The same, which does not go on counting."""
        same = Counts()
        same.add(self)
        return same

    def note_lateness(self, seconds: float) -> None:
        """The event loop was late by so much."""
        seconds = max(0.0, seconds)
        self.late[_CLASSES[bisect_left(LATE_S, seconds)]] += 1
        self.late_s += seconds


_COUNTED = tuple(one.name for one in fields(Counts))


@dataclass(frozen=True, slots=True)
class Levels:
    """How it is at one moment.

    Attributes:
        streams: Those that have a connection.
        recordings: Those that are open.
        unsaved_samples: Length of the recordings that ended and are not in place yet.
        resident_bytes: Memory; 0 where it is not known.
        recorders: Processes that record.
        free_bytes: Room on the disk; None where it is not known.
        started_at: When the process started, in seconds since 1970; None if it does not matter.
    """

    streams: int = 0
    recordings: int = 0
    unsaved_samples: int = 0
    resident_bytes: int = 0
    recorders: int = 0
    free_bytes: int | None = None
    started_at: float | None = None


@dataclass(frozen=True, slots=True)
class Metrics:
    """Both, of one process or of several."""

    counts: Counts = field(default_factory=Counts)
    levels: Levels = Levels()


def total(parts: Iterable[Metrics]) -> Metrics:
    """All of it together. The processes share a disk; the server is as old as its oldest process."""
    parts = list(parts)
    counts = Counts()
    for part in parts:
        counts.add(part.counts)
    levels = [part.levels for part in parts]
    return Metrics(
        counts,
        Levels(
            streams=sum(one.streams for one in levels),
            recordings=sum(one.recordings for one in levels),
            unsaved_samples=sum(one.unsaved_samples for one in levels),
            resident_bytes=sum(one.resident_bytes for one in levels),
            recorders=sum(one.recorders for one in levels),
            free_bytes=min((one.free_bytes for one in levels if one.free_bytes is not None), default=None),
            started_at=min((one.started_at for one in levels if one.started_at is not None), default=None),
        ),
    )


def encode(metrics: Metrics) -> bytes:
    """As JSON, for another process."""
    counts = {name: getattr(metrics.counts, name) for name in _COUNTED}
    levels = {one.name: getattr(metrics.levels, one.name) for one in fields(Levels)}
    return json.dumps({"counts": counts, "levels": levels}).encode()


def decode(data: bytes) -> Metrics:
    """What `encode` made it of."""
    found: dict[str, dict[str, Any]] = json.loads(data)
    counts: dict[str, Any] = {
        name: Counter(value) if isinstance(value, dict) else value for name, value in found["counts"].items()
    }
    return Metrics(Counts(**counts), Levels(**found["levels"]))
