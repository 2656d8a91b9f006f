"""One stream without a socket: what becomes of it when the disk is full."""

from __future__ import annotations

import errno
from dataclasses import replace
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from plugandtell.core.allowance import Allowance
from plugandtell.core.errors import WriteFailed
from plugandtell.core.protocol.messages import Ack, Audio, End, SegmentStarted
from plugandtell.core.recording import GapPolicy
from plugandtell.core.wav import HEADER_BYTES
from plugandtell.server.recorder import Recorder
from plugandtell.server.session import Session, SessionSettings
from tests.server.disk import Disk
from tests.support.recordings import recordings
from tests.support.wire import RATE, hello, pcm

if TYPE_CHECKING:
    from collections.abc import Iterator

    from _typeshed import ReadableBuffer

SETTINGS = SessionSettings(
    silence_s=3.0, max_duration_s=1.0, resume_window_s=3.0, gaps=GapPolicy.FILL, max_message_bytes=65_536
)
MUCH = 10**9


@pytest.fixture
def disk() -> Disk:
    return Disk(MUCH)


@pytest.fixture
def recorder(tmp_path: Path, disk: Disk) -> Iterator[Recorder]:
    recorder = Recorder(tmp_path, disk.create)
    yield recorder
    recorder.close()


@pytest.fixture
def session(recorder: Recorder) -> Session:
    return Session(hello(), recorder, SETTINGS, lambda: 0.0)


async def test_a_write_that_fails_ends_the_recording_that_it_was_for(
    session: Session, disk: Disk, tmp_path: Path
) -> None:
    """The message that fails would have filled the open recording and begun the next."""
    disk.room_bytes = HEADER_BYTES + 2 * RATE // 2
    session.receive(Audio(0, pcm(0, RATE // 2)))
    with pytest.raises(WriteFailed):
        session.receive(Audio(RATE // 2, pcm(RATE // 2, RATE)))
    disk.room_bytes = MUCH
    await session.settle()
    (found,) = recordings(tmp_path)
    assert found.pcm == pcm(0, RATE // 2)
    fields = ("start_index", "end_index", "reason", "voiced_samples")
    assert [found.sidecar[name] for name in fields] == [0, RATE // 2, "disconnect", RATE // 2]


async def test_an_acknowledgement_waits_for_its_turn_but_not_for_long(recorder: Recorder) -> None:
    acks = Allowance(0.001)
    assert acks.take(0.0)  # another stream had the turn of the next thousand seconds
    session = Session(hello(), recorder, replace(SETTINGS, acks=acks, max_duration_s=60.0), lambda: 0.0)
    said = [reply for start in range(0, 2 * RATE, 1600) for reply in session.receive(Audio(start, pcm(start, 1600)))]
    assert [reply.stored_to for reply in said if isinstance(reply, Ack)] == [RATE, 2 * RATE]
    assert session.receive(Audio(2 * RATE, pcm(2 * RATE, 1600))) == []
    assert session.receive(End(3 * RATE)) == [Ack(2 * RATE + 1600)]
    await session.settle()


async def test_what_a_full_disk_refused_is_taken_when_it_comes_again(
    session: Session, disk: Disk, tmp_path: Path
) -> None:
    disk.room_bytes = HEADER_BYTES + 1001
    for start in range(0, 8000, 400):
        disk.room_bytes = MUCH if start > 4000 else disk.room_bytes
        try:
            session.receive(Audio(0, pcm(0, start + 400)))  # all that was never acknowledged
        except WriteFailed:
            continue
    session.receive(End(8000))
    await session.settle()
    found = sorted(recordings(tmp_path), key=lambda one: int(one.sidecar["start_index"]))
    assert b"".join(one.pcm for one in found) == pcm(0, 8000)
    assert found[1].sidecar["continues"] == found[0].sidecar["segment_id"]


async def test_a_header_that_cannot_be_mended_ends_the_recording_not_the_stream(
    session: Session, disk: Disk, tmp_path: Path
) -> None:
    disk.room_bytes = HEADER_BYTES + 800
    session.receive(Audio(0, pcm(0, 400)))
    session.refresh()  # audio just came
    session.refresh()
    assert not session.is_recording
    disk.room_bytes = MUCH
    assert isinstance(session.receive(Audio(400, pcm(400, 400)))[0], SegmentStarted)
    session.receive(End(800))
    await session.settle()
    found = sorted(recordings(tmp_path), key=lambda one: int(one.sidecar["start_index"]))
    assert b"".join(one.pcm for one in found) == pcm(0, 800)


class Usurped(FileIO):
    """Takes a header; then the disk is full, and a folder, which no file's removal removes, stands at its place."""

    def write(self, data: ReadableBuffer, /) -> int:
        if self.tell():
            path = Path(str(self.name))
            path.unlink()
            path.mkdir()
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(data) or 0


async def test_an_empty_recording_that_cannot_be_removed_is_no_trouble_but_the_disks(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, lambda path: Usurped(path, "xb"))
    session = Session(hello(), recorder, SETTINGS, lambda: 0.0)
    with capture_logs() as logs, pytest.raises(WriteFailed, match="No space left"):
        session.receive(Audio(0, pcm(0, 400)))
    assert [event["log_level"] for event in logs if event["event"] == "write_failed"] == ["error"]
    assert (session.is_recording, recorder.open_recordings) == (False, 0)
    recorder.close()
