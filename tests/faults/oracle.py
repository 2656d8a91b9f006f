"""Whether nothing was lost and nothing doubled: the recordings of a stream, together, against what passed the gate."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from plugandtell.core.protocol.messages import EndReason

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from tests.faults.speech import Spoken
    from tests.support.recordings import Found

CUT_OFF = (EndReason.DISCONNECT, EndReason.MAX_DURATION, EndReason.RECOVERED, EndReason.SHUTDOWN)


def compare(found: Sequence[Found], spoken: Spoken, must_hold: npt.NDArray[np.bool_] | None = None) -> int:
    """Hold the recordings of one stream against what was said; returns how many samples were compared.

    Args:
        found: The recordings.
        spoken: What was said.
        must_hold: The samples that must be there; all that passed the gate unless given.

    Raises:
        AssertionError: A sample is wrong, missing, twice there, or should not be there.
    """
    ordered = sorted(found, key=lambda item: int(item.sidecar["start_index"]))
    held = np.zeros(len(spoken.samples), np.bool_)
    for item in ordered:
        _hold(item, spoken, held)
    _check_all_there(held, spoken, spoken.passed if must_hold is None else must_hold)
    _check_chain(ordered)
    return int(held.sum())


def _hold(item: Found, spoken: Spoken, held: npt.NDArray[np.bool_]) -> None:
    """Check one recording against its stretch of the input, and mark what it holds."""
    start, end = item.sidecar["start_index"], item.sidecar["end_index"]
    name = f"{item.path.name} [{start}, {end}) {item.sidecar['reason']}"
    assert end <= len(spoken.samples), f"{name} holds more than was said"
    heard = np.ones(end - start, np.bool_)
    for gap in item.sidecar["gaps"]:
        first = gap["start_index"] - start
        heard[first : first + gap["samples"]] = False
    expected = spoken.samples[start:end] * heard
    if item.sidecar["gap_policy"] == "drop":
        expected = expected[heard]
    actual = np.frombuffer(item.pcm, "<i2")
    assert len(actual) == len(expected), f"{name} has {len(actual)} samples, not {len(expected)}"
    wrong = np.flatnonzero(actual != expected)
    assert not len(wrong), f"{name}: {len(wrong)} samples are wrong, from {start + wrong[0]} on"
    twice = np.flatnonzero(held[start:end] & heard)
    assert not len(twice), f"{name}: {len(twice)} samples are doubled, from {start + twice[0]} on"
    held[start:end] |= heard


def _check_all_there(held: npt.NDArray[np.bool_], spoken: Spoken, must_hold: npt.NDArray[np.bool_]) -> None:
    missing = np.flatnonzero(must_hold & ~held)
    assert not len(missing), f"{len(missing)} samples are missing, from {missing[0]} to {missing[-1]}"
    extra = np.flatnonzero(held & ~spoken.passed)
    assert not len(extra), f"{len(extra)} samples never passed the gate, from {extra[0]} on"


def _check_chain(ordered: Sequence[Found]) -> None:
    """`continues` names the recording before if that one was cut off.

    One that a crash left may have ended in silence before: then the next one does not continue it, and there is a hole
    between the two.
    """
    for before, item in pairwise([None, *ordered]):
        assert item is not None
        continues = item.sidecar["continues"]
        if before is None or EndReason(before.sidecar["reason"]) not in CUT_OFF:
            allowed = {None}
        elif before.sidecar["recovered"] and before.sidecar["end_index"] < item.sidecar["start_index"]:
            allowed = {None, before.sidecar["segment_id"]}
        else:
            allowed = {before.sidecar["segment_id"]}
        assert continues in allowed, f"{item.path.name} continues {continues}, not {allowed}"
