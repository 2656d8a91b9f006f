"""What is on the disk after a sync: seen at the system calls that put it there."""

from __future__ import annotations

import errno
import os
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from plugandtell.core.errors import WriteFailed
from plugandtell.core.segmenter import Gap
from plugandtell.server.recorder import Recorder
from plugandtell.server.recovery import recover
from tests.server.test_recorder import NAME, ORIGIN, ended
from tests.support.recordings import recordings
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
        self.failures = 0
        self._lost: dict[int, int] = {}

    def fsync(self, descriptor: int) -> None:
        """As a disk with errors does it: what a failed sync was to write is lost, and the next one says nothing."""
        status = os.fstat(descriptor)
        if self.failures:
            self.failures -= 1
            if status.st_ino not in self._lost:  # held open, so that no other file gets its number
                self._lost[status.st_ino] = os.dup(descriptor)
            raise OSError(errno.EIO, "Input/output error")
        if status.st_ino in self._lost:
            return
        self.order.append(status.st_ino)
        self.safe_bytes[status.st_ino] = status.st_size

    def close(self) -> None:
        for descriptor in self._lost.values():
            os.close(descriptor)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    disk = Disk()
    monkeypatch.setattr(os, "fsync", disk.fsync)
    monkeypatch.setattr(os, "fdatasync", disk.fsync, raising=False)
    yield disk
    disk.close()


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


@pytest.mark.parametrize("failures", [1, 2, 3, 5])
def test_what_a_failed_sync_lost_is_written_anew(recorder: Recorder, disk: Disk, failures: int) -> None:
    recording = recorder.start(ORIGIN)
    recording.write(pcm(100, 1000))
    disk.failures = failures
    for _ in range(failures - 1):
        with pytest.raises(WriteFailed):
            recording.finish(ended(1000))
    recording.finish(ended(1000))
    _assert_safe(recorder, disk)


def test_what_a_failed_commit_lost_is_written_anew(recorder: Recorder, disk: Disk) -> None:
    recording = recorder.start(ORIGIN)
    recording.write(pcm(100, 1000))
    recording.sync()
    recording.write(pcm(1100, 1000))
    disk.failures = 1
    with pytest.raises(WriteFailed):
        recording.sync()
    assert recording.cut_back() == 1100
    recording.finish(ended(1000))
    _assert_safe(recorder, disk)


def test_what_a_failed_sync_lost_while_a_recording_was_mended_is_written_anew(recorder: Recorder, disk: Disk) -> None:
    recording = recorder.start(ORIGIN)
    recording.write(pcm(100, 1000))
    recording._file.close()
    disk.failures = 1
    list(recover(recorder.folder))
    _assert_safe(recorder, disk)


def _assert_safe(recorder: Recorder, disk: Disk) -> None:
    """The recording is whole, all of it is on the disk, and nothing else is left."""
    (found,) = recordings(recorder.folder)
    assert found.pcm == pcm(100, 1000)
    for path in (found.path, found.path.with_suffix(".json")):
        assert disk.safe_bytes[path.stat().st_ino] == path.stat().st_size
    assert list(recorder.folder.glob("*.part*")) == []


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
