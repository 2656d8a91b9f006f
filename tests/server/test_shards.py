"""What each worker is left of a folder, and that it touches nothing else."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from plugandtell.core.errors import FolderUnusable, WriteFailed
from plugandtell.core.shard import Shard, shard_of
from plugandtell.server.discards import DISCARDS, Discarded, Discards, distribute
from plugandtell.server.folder_lock import FolderLock
from plugandtell.server.past import prepare, read_past
from plugandtell.server.placing import Saved, parts_of
from plugandtell.server.recorder import Recorder
from tests.server.test_recorder import ORIGIN, ended
from tests.support.recordings import recordings
from tests.support.wire import pcm

if TYPE_CHECKING:
    from pathlib import Path

MINE, THEIRS = (next(UUID(int=n) for n in range(1, 9) if shard_of(UUID(int=n), 2) == number) for number in (0, 1))
FIRST = Shard(0, 2)


def discarded(number: int) -> Discarded:
    return Discarded(UUID(int=number), UUID(int=1000 + number), 0, 10)


@pytest.mark.parametrize("before", [1, 2, 3, 5])
@pytest.mark.parametrize("after", [1, 2, 3, 5])
def test_whatever_the_number_of_workers_was_each_knows_what_was_discarded(
    tmp_path: Path, before: int, after: int
) -> None:
    for number in range(20):
        shard = Shard(shard_of(UUID(int=number), before), before)
        Discards(tmp_path, shard=shard).note(discarded(number))
    distribute(tmp_path, after)
    for number in range(after):
        shard = Shard(number, after)
        known = Discards(tmp_path, shard=shard).load()
        expected = [n for n in range(20) if shard.owns(UUID(int=n))]
        assert sorted(one.stream_id.int for one in known) == expected
    assert len(list(tmp_path.glob(f"{DISCARDS}*"))) == after


def test_a_distribution_that_is_cut_short_loses_nothing(tmp_path: Path) -> None:
    for number in range(20):
        Discards(tmp_path, shard=Shard(number % 2, 2)).note(discarded(number))
    obstacle = tmp_path / f"{DISCARDS}-3.new"
    obstacle.mkdir()
    with pytest.raises(WriteFailed):
        distribute(tmp_path, 4)
    obstacle.rmdir()
    distribute(tmp_path, 1)
    assert {one.stream_id.int for one in Discards(tmp_path).load()} == set(range(20))


def test_a_worker_mends_its_own_and_leaves_alone_what_another_writes(tmp_path: Path) -> None:
    ours, theirs = (Recorder(tmp_path, shard=Shard(number, 2)) for number in (0, 1))
    for recorder, stream in ((ours, MINE), (theirs, THEIRS)):
        recording = recorder.start(replace(ORIGIN, stream_id=stream, segment_id=stream))
        recording.write(pcm(0, 1000))
        recording._file.close()
    empty = tmp_path / "about-to-be-written.wav.part"
    empty.touch()
    between_the_moves = tmp_path / "moving.json.part"
    between_the_moves.write_text("{")
    others_temporary = tmp_path / "other.json.part.new"
    others_temporary.touch()
    before = {path.name for path in tmp_path.iterdir()}
    mended = read_past(ours)[-1]
    assert isinstance(mended, Saved)
    assert mended.origin.stream_id == MINE
    left = {part.name for part in parts_of(mended.path)}
    assert before - {path.name for path in tmp_path.iterdir()} == left
    assert {past.origin.stream_id for past in read_past(theirs) if isinstance(past, Saved)} == {THEIRS}


def test_a_worker_is_told_of_its_own_recordings(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path)
    for number in range(12):
        recording = recorder.start(replace(ORIGIN, stream_id=UUID(int=number), segment_id=UUID(int=number)))
        recording.write(pcm(0, 10))
        recording.finish(ended(10))
    recorder.close()
    known: dict[int, int] = {}
    for number in range(3):
        worker = Recorder(tmp_path, shard=Shard(number, 3))
        known |= {past.origin.stream_id.int: number for past in read_past(worker) if isinstance(past, Saved)}
        worker.close()
    assert known == {stream: shard_of(UUID(int=stream), 3) for stream in range(12)}


def test_who_starts_workers_mends_what_says_no_more_whose_it_is(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path)
    recording = recorder.start(ORIGIN)
    recording.write(pcm(0, 1000))
    recording._file.close()
    parts_of(recording.path)[1].write_text("torn")
    Discards(tmp_path).note(discarded(1))
    Discards(tmp_path).note(discarded(2))
    prepare(recorder, 2)
    assert len(recordings(tmp_path)) == 1
    for number in range(2):
        worker = Recorder(tmp_path, shard=Shard(number, 2))
        assert worker.discarded_before() == [discarded(n) for n in (1, 2) if worker.shard.owns(UUID(int=n))]
        worker.close()
    recorder.close()


def test_workers_of_one_server_share_a_folder_and_two_servers_do_not(tmp_path: Path) -> None:
    server, first = FolderLock(tmp_path), FolderLock(tmp_path, FIRST)
    FolderLock(tmp_path, Shard(1, 2)).release()
    for shard in (FIRST, Shard()):
        with pytest.raises(FolderUnusable, match="another server"):
            FolderLock(tmp_path, shard)
    first.release()
    server.release()
    FolderLock(tmp_path).release()


HOLDING = """
import sys
from pathlib import Path
from plugandtell.core.shard import Shard
from plugandtell.server.folder_lock import FolderLock
lock = FolderLock(Path(sys.argv[1]), Shard(0, 2))
print("held", flush=True)
sys.stdin.read()
"""


def test_a_server_waits_for_a_worker_that_outlived_the_one_before(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLDING, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdin is not None
        assert worker.stdout is not None
        assert worker.stdout.readline() == "held\n"
        worker.stdin.close()
        FolderLock(tmp_path).release()
        FolderLock(tmp_path, FIRST).release()
