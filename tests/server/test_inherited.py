"""Recordings that a crash left, and that could not be moved into place at the start."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from plugandtell.core.protocol.messages import SegmentSaved
from plugandtell.server.past import read_past
from plugandtell.server.recorder import Recorder
from plugandtell.server.registry import Registry
from tests.server.test_recorder import NAME, ORIGIN
from tests.server.test_registry import SETTINGS, Nobody
from tests.support.recordings import recordings
from tests.support.wire import hello, pcm

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[Recorder]:
    recorder = Recorder(tmp_path)
    yield recorder
    recorder.close()


@pytest.fixture
def blocker(recorder: Recorder) -> Path:
    """A folder in the way of a recording whose server died."""
    recording = recorder.start(ORIGIN)
    recording.write(pcm(100, 1000))
    recording._file.close()
    blocker = recorder.folder / f"{NAME}.json"
    blocker.mkdir()
    return blocker


def make_way(blocker: Path) -> None:
    blocker.rmdir()


@pytest.mark.parametrize("sidecar", ["there", "lost"])
async def test_it_is_tried_again_though_no_client_returns(
    recorder: Recorder, blocker: Path, clock: Clock, sidecar: str
) -> None:
    if sidecar == "lost":
        (recorder.folder / f"{NAME}.json.part").unlink()
    registry = Registry(recorder, SETTINGS, clock, read_past(recorder))
    for second in range(8):
        clock.now_s = float(second)
        with capture_logs() as logs:
            list(registry.sweep())
            await registry.settle()
        tries = [event["event"] for event in logs]
        assert tries == (["segment_not_saved"] if second in (0, 1, 3, 7) else [])
    assert registry.unsaved_samples == 1000
    make_way(blocker)
    clock.now_s = 60.0
    list(registry.sweep())
    await registry.settle()
    assert registry.unsaved_samples == 0
    assert recordings(recorder.folder)[0].pcm == pcm(100, 1000)


@pytest.mark.parametrize("how", ["before", "after"])
async def test_its_client_returns_and_it_is_finished_once_and_told(
    recorder: Recorder, blocker: Path, clock: Clock, how: str
) -> None:
    """Before it is in place, while a try is under way that the client's session makes as well; or after it."""
    registry = Registry(recorder, SETTINGS, clock, read_past(recorder))
    make_way(blocker)
    list(registry.sweep())
    if how == "after":
        await registry.settle()
    session = await registry.attach(hello(ORIGIN.stream_id), Nobody())
    list(registry.sweep())
    await registry.settle()
    told = [message for message in session.greeting() if isinstance(message, SegmentSaved)]
    assert [(one.segment_id, one.end_index) for one in told] == [(ORIGIN.segment_id, 1100)]
    assert len(recordings(recorder.folder)) == 1
    assert registry.unsaved_samples == 0


@pytest.mark.usefixtures("blocker")
async def test_who_takes_a_stream_over_sees_to_its_recordings_alone(recorder: Recorder, clock: Clock) -> None:
    registry = Registry(recorder, SETTINGS, clock, read_past(recorder))
    await registry.attach(hello(ORIGIN.stream_id), Nobody())
    assert registry.unsaved_samples == 1000
    with capture_logs() as logs:
        list(registry.sweep())
        await registry.settle()
    assert [event["event"] for event in logs] == ["segment_not_saved"]


@pytest.mark.usefixtures("blocker")
async def test_a_stop_tries_once_more_and_counts_what_is_left(recorder: Recorder, clock: Clock) -> None:
    registry = Registry(recorder, SETTINGS, clock, read_past(recorder))
    with capture_logs() as logs:
        registry.shut_down()
        await registry.settle()
    assert [event["event"] for event in logs] == ["segment_not_saved"]
    assert registry.unsaved_samples == 1000
