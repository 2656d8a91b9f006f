"""What a process of a server tells of itself when it is asked: nothing is collected before."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from plugandtell.core.metrics import Counts, Levels, Metrics

if TYPE_CHECKING:
    from plugandtell.server.conversation import House

_STATM = Path("/proc/self/statm")


def measure(house: House) -> Metrics:
    """Everything about a process that records."""
    registry = house.registry
    active = registry.active
    counts = with_processor_time(registry.counts)
    counts.messages += sum(conversation.uncounted_messages for conversation in house.present)
    counts.recorded_samples += sum(session.growing_samples for session in active)
    levels = Levels(
        streams=sum(session.peer is not None for session in active),
        recordings=sum(session.is_recording for session in active),
        unsaved_samples=registry.unsaved_samples,
        resident_bytes=resident_bytes(),
        recorders=1,
        free_bytes=house.admission.free_bytes(),
        started_at=house.started_at,
    )
    return Metrics(counts, levels)


def with_processor_time(counts: Counts) -> Counts:
    """A copy that tells how much time this process has had."""
    counts = counts.copy()
    counts.cpu_s += time.process_time()
    return counts


def resident_bytes() -> int:
    """How much memory this process has; 0 where the system does not tell."""
    try:
        return int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0
