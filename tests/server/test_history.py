"""What a folder of recordings tells of the streams that they were cut from."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from plugandtell.server.discards import Discarded
from plugandtell.server.history import recorded_lately
from plugandtell.server.past import Past, by_stream, read_past
from plugandtell.server.recorder import Recorder
from plugandtell.server.recovery import UNKNOWN_STREAM
from tests.server.test_recorder import ORIGIN, ended
from tests.support.wire import pcm

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from plugandtell.server.placing import Saved

NOW = 1_700_000_000.0


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[Recorder]:
    recorder = Recorder(tmp_path)
    yield recorder
    recorder.close()


def record(recorder: Recorder, number: int, age_s: float, stream: int = 2) -> Saved:
    """A recording in place, changed so long before NOW."""
    origin = replace(
        ORIGIN,
        segment_id=UUID(int=number),
        stream_id=UUID(int=stream),
        started_at=ORIGIN.started_at + timedelta(seconds=number),
        start_index=number * 1000,
    )
    recording = recorder.start(origin)
    recording.write(pcm(0, 10))
    saved = recording.finish(ended(10, number * 1000))
    os.utime(saved.path.with_suffix(".json"), (NOW - age_s, NOW - age_s))
    return saved


def test_the_newest_are_read_oldest_first(recorder: Recorder) -> None:
    saved = [record(recorder, number, 100.0 - number) for number in range(1, 5)]
    assert recorded_lately(recorder.folder) == saved
    assert recorded_lately(recorder.folder, at_most=2) == saved[2:]


@pytest.mark.parametrize("text", ["", "{", "{}", '{"version": 1, "file": "../x.wav"}', "\udcff"])
def test_what_is_no_sidecar_of_ours_is_passed_over(recorder: Recorder, text: str) -> None:
    saved = record(recorder, 1, 10.0)
    foreign = recorder.folder / "foreign.json"
    foreign.write_bytes(text.encode(errors="surrogateescape"))
    os.utime(foreign, (NOW, NOW))
    (recorder.folder / "folder.json").mkdir()
    assert recorded_lately(recorder.folder) == [saved]


def test_old_sidecars_are_not_even_opened(recorder: Recorder) -> None:
    old = record(recorder, 1, 1e6).path.with_suffix(".json")
    new = [record(recorder, number, 10.0 - number) for number in (2, 3)]
    old.unlink()
    os.mkfifo(old)  # to read it would never end
    os.utime(old, (NOW - 1e6, NOW - 1e6))
    assert recorded_lately(recorder.folder, at_most=2) == new


@pytest.mark.parametrize("ages_s", [(3e7, 2e7), (-3e8, 2e7)])
def test_a_wrong_clock_makes_nothing_forgotten(recorder: Recorder, ages_s: tuple[float, float]) -> None:
    """Now far ahead of all files, as a server's at its start, or far ahead once, when one of them was written."""
    saved = [record(recorder, number, time.time() - NOW + age_s) for number, age_s in enumerate(ages_s, 1)]
    assert sorted(recorded_lately(recorder.folder), key=lambda one: one.origin.start_index) == saved


def test_streams_are_told_apart_and_the_last_heard_of_are_kept(recorder: Recorder) -> None:
    first, second, third = (record(recorder, number, 100.0 - number, stream=number) for number in (1, 2, 3))
    unknown = replace(third, origin=replace(third.origin, stream_id=UNKNOWN_STREAM))
    silent = Discarded(UUID(int=1), UUID(int=9), 1010, 1020)
    past: list[Past] = [first, second, third, unknown, silent]
    assert {key: list(value) for key, value in by_stream(past, 2).items()} == {
        UUID(int=3): [third],
        UUID(int=1): [first, silent],
    }


def test_a_segment_is_remembered_once_however_it_came_to_be_known(recorder: Recorder) -> None:
    saved = record(recorder, 1, 10.0)
    assert list(by_stream([saved, saved], 10)[saved.origin.stream_id]) == [saved]


def test_all_that_is_known_is_collected(recorder: Recorder) -> None:
    silent = recorder.start(replace(ORIGIN, segment_id=UUID(int=5)))
    silent.write(pcm(0, 10))
    recorder.discard(silent, ended(10, 5000))
    saved = record(recorder, 6, 0.0)
    crashed = recorder.start(replace(ORIGIN, segment_id=UUID(int=7), start_index=7000))
    crashed.write(pcm(7000, 10))
    crashed._file.close()
    past = by_stream(read_past(recorder), 10)[ORIGIN.stream_id]
    assert [type(one).__name__ for one in past] == ["Discarded", "Saved", "Saved"]
    assert past[0] == Discarded(ORIGIN.stream_id, UUID(int=5), 5000, 5010)
    assert past[1] == saved
