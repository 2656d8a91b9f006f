"""Who guards the guard: recordings that are wrong in each way there is, and must be found out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.faults.oracle import compare
from tests.faults.speech import Spoken
from tests.support.recordings import Found

SAMPLES = np.arange(1, 101, dtype=np.int16)
PASSED = (np.arange(100) < 40) | (np.arange(100) >= 60)
SPOKEN = Spoken(SAMPLES, PASSED)


def recording(start: int, end: int, reason: str = "silence", continues: str | None = None, **changes: Any) -> Found:
    pcm = changes.pop("pcm", SAMPLES[start:end])
    sidecar: dict[str, Any] = {
        "segment_id": f"{start}-{end}",
        "continues": continues,
        "start_index": start,
        "end_index": end,
        "reason": reason,
        "recovered": reason == "recovered",
        "gap_policy": "fill",
        "gaps": [],
    }
    return Found(Path(f"{start}.wav"), pcm.astype("<i2").tobytes(), sidecar | changes)


def test_recordings_that_hold_all_are_counted() -> None:
    assert compare([recording(60, 100), recording(0, 40)], SPOKEN) == 80


def test_a_gap_may_be_filled_or_dropped() -> None:
    gaps = [{"start_index": 40, "samples": 20}]
    assert compare([recording(0, 100, gaps=gaps, pcm=SAMPLES * PASSED)], SPOKEN) == 80
    assert compare([recording(0, 100, gaps=gaps, gap_policy="drop", pcm=SAMPLES[PASSED])], SPOKEN) == 80


def test_a_stream_need_hold_no_more_than_what_is_asked_for() -> None:
    assert compare([recording(0, 10)], SPOKEN, PASSED & (np.arange(100) < 10)) == 10


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ([], "80 samples are missing, from 0 to 99"),
        ([recording(0, 40), recording(60, 99)], "1 samples are missing, from 99"),
        ([recording(0, 40), recording(30, 40), recording(60, 100)], "10 samples are doubled, from 30"),
        ([recording(0, 41), recording(60, 100)], "1 samples never passed the gate, from 40"),
        ([recording(0, 40), recording(60, 100, pcm=SAMPLES[59:99])], "40 samples are wrong, from 60"),
        ([recording(0, 40), recording(60, 100, pcm=SAMPLES[60:99])], "has 39 samples, not 40"),
        ([recording(0, 40), recording(60, 101)], "holds more than was said"),
        ([recording(0, 40), recording(60, 100, continues="0-40")], "continues 0-40, not"),
        ([recording(0, 20, "disconnect"), recording(20, 40), recording(60, 100)], "continues None, not"),
        ([recording(0, 20, "recovered"), recording(20, 40), recording(60, 100)], "continues None, not"),
    ],
)
def test_what_is_wrong_is_found_out(found: list[Found], said: str) -> None:
    with pytest.raises(AssertionError, match=said):
        compare(found, SPOKEN)


def test_what_a_crash_left_may_have_ended_in_silence_before() -> None:
    assert compare([recording(0, 40, "recovered"), recording(60, 100)], SPOKEN) == 80
    assert compare([recording(0, 40, "recovered"), recording(60, 100, continues="0-40")], SPOKEN) == 80
