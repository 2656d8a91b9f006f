"""What is on the disk after a sync: seen at the system calls that put it there."""

from __future__ import annotations

import os
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from plugandtell.core.segmenter import Gap
from plugandtell.server.recorder import Recorder
from tests.server.test_recorder import NAME, ORIGIN
from tests.support.wire import pcm

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from types import FrameType


class Disk:
    """Remembers how much of each file is on it, and in which order it came there."""

    def __init__(self) -> None:
        self.order: list[int] = []
        self.safe_bytes: dict[int, int] = {}

    def fsync(self, descriptor: int) -> None:
        status = os.fstat(descriptor)
        self.order.append(status.st_ino)
        self.safe_bytes[status.st_ino] = status.st_size


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    disk = Disk()
    monkeypatch.setattr(os, "fsync", disk.fsync)
    monkeypatch.setattr(os, "fdatasync", disk.fsync, raising=False)
    return disk


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[Recorder]:
    recorder = Recorder(tmp_path)
    yield recorder
    recorder.close()


def test_gaps_are_on_the_disk_before_the_audio_behind_them(recorder: Recorder, disk: Disk) -> None:
    recording = recorder.start(ORIGIN)
    recording.write(pcm(100, 1000))
    recording.note_gap(Gap(1100, 10))
    recording.sync()
    wav_part, sidecar_part = (recorder.folder / f"{NAME}.{ending}.part" for ending in ("wav", "json"))
    assert disk.order == [path.stat().st_ino for path in (sidecar_part, recorder.folder, wav_part)]
    recording.write(pcm(1110, 1000))
    recording.sync()
    assert disk.order[3:] == [wav_part.stat().st_ino]  # nothing new in the sidecar
    recording.discard()


def test_a_gap_that_is_noted_while_a_sync_runs_is_safe_after_the_next(recorder: Recorder, disk: Disk) -> None:
    """At whatever moment: the event loop notes gaps while the committer's thread puts the files on the disk."""
    moment, is_over = 0, False
    while not is_over:
        recording = recorder.start(ORIGIN)
        recording.sync()
        recording.write(pcm(100, 1000))
        is_over = not _interrupted(recording.sync, moment, partial(recording.note_gap, Gap(1100, 10)))
        recording.sync()
        sidecar = (recorder.folder / f"{NAME}.json.part").stat()
        assert disk.safe_bytes[sidecar.st_ino] == sidecar.st_size
        recording.discard()
        moment += 1
    assert moment > 20


def _interrupted(call: Callable[[], None], moment: int, interruption: Callable[[], None]) -> bool:
    """Do something else before the given instruction of the call; returns whether the call has so many."""
    left = moment

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal left
        frame.f_trace_opcodes = frame.f_code.co_name == "sync"
        if event == "opcode":
            if not left:
                interruption()
            left -= 1
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(before)
    return left < 0
