"""Audio in chunk files: whatever dies or breaks, what was taken is read again, or said to be lost."""

from __future__ import annotations

import errno
import shutil
import tempfile
from contextlib import suppress
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from structlog.testing import capture_logs

from plugandtell.client.chunk_file import create_file
from plugandtell.client.disk_store import DiskLimits, DiskStore
from plugandtell.core.audio import AudioFormat
from plugandtell.core.journal import record
from plugandtell.core.protocol.messages import End, Position
from plugandtell.core.store import Stretch
from tests.support.broken_line import LineRules
from tests.support.client_stream import AUDIO, new_stream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    NewStore = Callable[..., DiskStore]

RATE = AudioFormat(1, 1)
RECORD_BYTES = 32 + 2 * 10
LIMITS = DiskLimits(chunk_bytes=4 * RECORD_BYTES, memory_bytes=8 * RECORD_BYTES)


def pcm(start: int, end: int) -> bytes:
    return np.arange(start, end).astype("<i2").tobytes()


@pytest.fixture
def new_store() -> Iterator[NewStore]:
    """Opens stores, and closes them in the end: nobody else does when a process dies."""
    opened: list[DiskStore] = []

    def new(folder: Path, create: Callable[[Path], FileIO] = create_file) -> DiskStore:
        opened.append(DiskStore(folder, RATE, LIMITS, lambda _size_bytes: None, create))
        return opened[-1]

    yield new
    for store in opened:
        store.close()


def fill(store: DiskStore, start: int, end: int) -> None:
    for index in range(start, end, 10):
        store.append(index, pcm(index, index + 10))


def kept(store: DiskStore) -> list[Stretch | Position | End]:
    """What the next life finds; stretches that touch are one."""
    found: list[Stretch | Position | End] = []
    for item in store.kept():
        if isinstance(item, Stretch) and found and isinstance(found[-1], Stretch) and found[-1].end == item.start:
            found[-1] = Stretch(found[-1].start, item.end)
        else:
            found.append(item)
    return found


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_is_acknowledged_is_deleted_file_by_file(tmp_path: Path, new_store: NewStore) -> None:
    store = new_store(tmp_path)
    fill(store, 0, 100)
    assert names(tmp_path) == ["00000001.chunk", "00000002.chunk", "00000003.chunk"]
    assert store.read(0, 100) == pcm(0, 100)
    store.forget(79)
    assert names(tmp_path) == ["00000002.chunk", "00000003.chunk", "stored_to"]
    store.forget(100)
    assert names(tmp_path) == ["00000003.chunk", "stored_to"]


def test_memory_holds_the_chunk_that_grows_and_the_one_that_is_read(tmp_path: Path, new_store: NewStore) -> None:
    store = new_store(tmp_path)
    for index in range(0, 10_000, 10):
        store.append(index, pcm(index, index + 10))
        assert store.read(index // 2, index // 2 + 5) == pcm(index // 2, index // 2 + 5)
        assert store.memory_bytes <= 2 * LIMITS.chunk_bytes


def test_the_next_life_finds_what_was_not_acknowledged(tmp_path: Path, new_store: NewStore) -> None:
    store = new_store(tmp_path)
    fill(store, 0, 50)
    store.note(Position(70, 48))
    store.note(Position(90, 48))
    fill(store, 100, 120)
    store.note(Position(150, 118))
    store.note(End(160))
    store.forget(15)
    assert kept(new_store(tmp_path)) == [
        Stretch(15, 50),
        Position(90, 48),
        Stretch(100, 120),
        Position(150, 118),
        End(160),
    ]


def test_what_one_server_had_is_not_told_to_another_after_a_death(tmp_path: Path, new_store: NewStore) -> None:
    fill(new_store(tmp_path), 0, 40)
    second = new_store(tmp_path)
    assert kept(second) == [Stretch(0, 40)]
    second.forget(25)
    second.forget(0)  # the welcome of a server that knows nothing of the stream

    third = new_store(tmp_path)
    assert kept(third) == [Stretch(25, 40)]
    third.forget(0)
    assert kept(new_store(tmp_path)) == [Stretch(25, 40)]


def test_a_position_goes_on_into_the_next_file(tmp_path: Path, new_store: NewStore) -> None:
    """Its own may be deleted before what comes behind it is acknowledged."""
    store = new_store(tmp_path)
    fill(store, 0, 30)
    store.note(Position(70, 28))
    fill(store, 100, 130)
    store.forget(30)
    assert names(tmp_path) == ["00000002.chunk", "stored_to"]
    assert kept(new_store(tmp_path)) == [Position(70, 28), Stretch(100, 130)]


def test_hours_of_silence_take_no_room(tmp_path: Path, new_store: NewStore) -> None:
    store = new_store(tmp_path)
    fill(store, 0, 10)
    for index in range(100, 100_000, 100):
        store.note(Position(index, 9))
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) == RECORD_BYTES + 32


@pytest.mark.parametrize("torn_bytes", [1, 31, 32, 51])
def test_a_torn_tail_is_cut_off(tmp_path: Path, new_store: NewStore, torn_bytes: int) -> None:
    fill(new_store(tmp_path), 0, 30)
    path = tmp_path / "00000001.chunk"
    path.write_bytes(path.read_bytes()[: 2 * RECORD_BYTES + torn_bytes])
    with capture_logs() as lines:
        assert kept(new_store(tmp_path)) == [Stretch(0, 20)]
    assert [(line["event"], line["torn_bytes"]) for line in lines] == [("spool_torn", torn_bytes)]


def test_of_a_damaged_file_the_rest_is_sent_and_the_file_is_kept_aside(tmp_path: Path, new_store: NewStore) -> None:
    fill(new_store(tmp_path), 0, 60)
    path = tmp_path / "00000001.chunk"
    data = bytearray(path.read_bytes())
    data[RECORD_BYTES + 40] ^= 1
    path.write_bytes(data)
    store = new_store(tmp_path)
    with capture_logs() as lines:
        assert list(store.kept()) == [Stretch(0, 10), *(Stretch(index, index + 10) for index in range(20, 60, 10))]
    assert [(line["event"], line["log_level"]) for line in lines] == [("spool_damaged", "error")]
    assert store.read(0, 60) == pcm(0, 10)
    assert store.read(20, 60) == pcm(20, 60)
    store.forget(60)
    assert names(tmp_path) == ["00000001.damaged", "stored_to"]
    assert (tmp_path / "00000001.damaged").read_bytes() == data


def test_what_vanishes_under_our_hands_is_lost_and_said(tmp_path: Path, new_store: NewStore) -> None:
    store = new_store(tmp_path)
    fill(store, 0, 100)
    (tmp_path / "00000001.chunk").unlink()
    with capture_logs() as lines:
        assert store.read(0, 30) == b""
    assert store.take_lost() == [(0, 30)]
    assert store.read(40, 100) == pcm(40, 100)
    assert [line["event"] for line in lines] == ["spool_unreadable"]


class Disk:
    """Has room for so many bytes; a folder that is gone is a disk without any."""

    def __init__(self, room_bytes: int) -> None:
        self.room_bytes = room_bytes

    def create(self, path: Path) -> FileIO:
        if self.room_bytes <= 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        disk = self

        class File(FileIO):
            def write(self, data: memoryview, /) -> int:  # type: ignore[override]
                some = data[: disk.room_bytes]
                if not some:
                    raise OSError(errno.ENOSPC, "No space left on device")
                disk.room_bytes -= len(some)
                return super().write(some) or 0

        return File(path, "x+b")


def test_a_full_disk_is_said_once_and_memory_takes_over_for_a_while(tmp_path: Path, new_store: NewStore) -> None:
    disk = Disk(2 * RECORD_BYTES + 11)
    store = new_store(tmp_path, disk.create)
    with capture_logs() as lines:
        fill(store, 0, 60)
        assert store.read(0, 60) == pcm(0, 60)
        assert store.memory_samples == 60
        disk.room_bytes = 10_000
        fill(store, 60, 120)
    assert [line["event"] for line in lines] == ["spool_failed", "spool_works_again"]
    assert store.take_lost() == []
    assert store.read(0, 120) == pcm(0, 120)
    with capture_logs():
        assert kept(new_store(tmp_path)) == [Stretch(0, 20), Stretch(80, 120)]


def test_when_memory_is_full_too_the_oldest_of_it_goes(tmp_path: Path, new_store: NewStore) -> None:
    store = new_store(tmp_path, Disk(4 * RECORD_BYTES).create)
    with capture_logs():
        fill(store, 0, 200)
    assert store.take_lost() == [(40, 80), (80, 120)]
    assert store.read(0, 40) == pcm(0, 40)
    assert store.read(120, 200) == pcm(120, 200)
    assert store.memory_bytes <= LIMITS.memory_bytes


def test_a_folder_that_is_gone_is_no_crash(tmp_path: Path, new_store: NewStore) -> None:
    folder = tmp_path / "stream"
    folder.mkdir()
    store = new_store(folder)
    fill(store, 0, 20)
    shutil.rmtree(folder)
    with capture_logs() as lines:
        store.forget(5)
        fill(store, 20, 100)
        store.forget(25)
    assert "spool_failed" in [line["event"] for line in lines]
    assert store.read(80, 100) == pcm(80, 100)


def test_the_oldest_file_is_given_up_on_demand_but_not_the_one_that_grows(tmp_path: Path, new_store: NewStore) -> None:
    store = new_store(tmp_path)
    fill(store, 0, 60)
    assert [store.evict(), store.evict()] == [40, None]
    assert store.take_lost() == [(0, 40)]
    assert names(tmp_path) == ["00000002.chunk"]
    store.close()
    again = new_store(tmp_path)
    list(again.kept())
    assert again.evict() == 20


def test_what_is_in_memory_alone_is_not_given_up_to_make_room_on_the_disk(tmp_path: Path, new_store: NewStore) -> None:
    failures = iter([OSError(errno.EIO, "broken")])

    def create(path: Path) -> FileIO:
        if failure := next(failures, None):
            raise failure
        return create_file(path)

    store = new_store(tmp_path, create)
    with capture_logs():
        fill(store, 0, 120)
    assert [store.evict(), store.evict()] == [40, None]
    assert store.take_lost() == [(40, 80)]
    assert store.read(0, 40) == pcm(0, 40)


def test_what_cannot_be_deleted_is_not_given_up(tmp_path: Path, new_store: NewStore) -> None:
    store = new_store(tmp_path)
    fill(store, 0, 120)
    oldest = tmp_path / "00000001.chunk"
    held = oldest.rename(tmp_path / "held")
    oldest.mkdir()
    assert store.evict() is None
    oldest.rmdir()
    held.rename(oldest)
    assert store.take_lost() == []
    assert store.read(0, 120) == pcm(0, 120)


def test_how_far_the_server_has_everything_is_noted_at_the_latest_at_the_end(
    tmp_path: Path, new_store: NewStore
) -> None:
    store = new_store(tmp_path)
    fill(store, 0, 40)
    obstacle = tmp_path / "stored_to"
    obstacle.mkdir()
    with capture_logs() as lines:
        store.forget(25)
    assert [line["event"] for line in lines] == ["spool_failed"]
    obstacle.rmdir()
    store.close()
    assert kept(new_store(tmp_path)) == [Stretch(25, 40)]


class Dying(LineRules):
    """A client that dies at any moment, again and again, while the line breaks: nothing is lost, nothing is doubled."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.store = self._open()
        super().__init__(self.store)
        self.has_died = False

    def _open(self) -> DiskStore:
        return DiskStore(self.folder, AUDIO, DiskLimits(chunk_bytes=300), lambda _size_bytes: None)

    @precondition(lambda self: not self.has_died)
    @rule(voiced=st.booleans(), samples=st.integers(1, 20))
    def capture(self, voiced: bool, samples: int) -> None:
        self.speak(voiced, samples)

    @rule()
    def die(self) -> None:
        if self.line.is_up:
            self.line.cut()
        self.has_died = True
        self.store.close()
        self.store = self._open()
        self.line.stream = new_stream(self.store)
        self.line.stream.end()

    def teardown(self) -> None:
        if not self.has_died:
            self.take(self.gate.flush())
            self.line.stream.end(self.index)
        self.settle()
        self.store.close()
        shutil.rmtree(self.folder)
        passed = self.passed_samples()
        assert self.line.server.stored == passed
        assert self.line.stream.unacknowledged_samples == self.line.stream.lost_samples == 0
        with suppress(IndexError):
            assert self.line.server.segments[-1][0].end_index == passed[-1][0] + 1


TestDying = Dying.TestCase
TestDying.settings = settings(max_examples=100, stateful_step_count=40)


def test_a_record_says_how_large_it_is() -> None:
    assert len(record(End(0))) == 32
