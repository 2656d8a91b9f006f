"""Recordings on disk, while they grow and when they are complete."""

from __future__ import annotations

import errno
import shutil
import sys
from dataclasses import replace
from io import FileIO
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from plugandtell.core import wav
from plugandtell.core.audio import SPEECH
from plugandtell.core.errors import WriteFailed
from plugandtell.core.protocol.messages import ClientInfo, EndReason
from plugandtell.core.recording import GapPolicy, Origin, gap_line, read_open_sidecar
from plugandtell.core.segmenter import Ended, Gap
from plugandtell.server.placing import Saved
from plugandtell.server.recorder import Recorder
from plugandtell.server.recording import Recording
from tests.server.disk import Disk
from tests.support.recordings import read_wav, recordings
from tests.support.wire import STARTED_AT, pcm

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ORIGIN = Origin(
    segment_id=UUID(int=1),
    stream_id=UUID(int=2),
    continues=None,
    client=ClientInfo("wire", "1"),
    label="laptop",
    labels={"name": "laptop"},
    started_at=STARTED_AT,
    start_index=100,
    audio=SPEECH,
    gap_policy=GapPolicy.FILL,
)
NAME = "2026-11-23T15-35-00.848Z_laptop"


def ended(samples: int, start: int = 100) -> Ended:
    return Ended(start, start + samples, EndReason.END, samples, 0, 0)


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[Recorder]:
    recorder = Recorder(tmp_path)
    yield recorder
    recorder.close()


def test_nothing_has_its_final_name_before_it_is_complete(recorder: Recorder) -> None:
    recording = recorder.start(ORIGIN)
    recording.write(pcm(100, 1000))
    assert {path.name for path in recorder.folder.glob("2026*")} == {f"{NAME}.wav.part", f"{NAME}.json.part"}
    saved = recording.finish(ended(1000))
    assert saved == Saved(recorder.folder / f"{NAME}.wav", ORIGIN, ended(1000), 1000)
    assert recordings(recorder.folder)[0].pcm == pcm(100, 1000)


def test_the_growing_file_is_a_valid_wav_that_lacks_a_second_at_most(recorder: Recorder) -> None:
    recording = recorder.start(ORIGIN)
    for written in range(1600, 60_000, 1600):
        recording.write(pcm(written, 1600))
        readable = len(read_wav(recorder.folder / f"{NAME}.wav.part")) // 2
        assert written - 16_000 < readable <= written
    recording.discard()


def test_what_was_written_is_in_the_file_at_once(recorder: Recorder) -> None:
    recording = recorder.start(ORIGIN)
    recording.write(pcm(100, 10))
    assert (recorder.folder / f"{NAME}.wav.part").read_bytes()[wav.HEADER_BYTES :] == pcm(100, 10)
    recording.discard()


def test_names_never_collide(recorder: Recorder) -> None:
    first = recorder.start(ORIGIN)
    second = recorder.start(ORIGIN)
    second.write(pcm(0, 1))
    second.finish(ended(1))
    third = recorder.start(ORIGIN)
    assert [item.path.name for item in (first, second, third)] == [f"{NAME}.wav", f"{NAME}-2.wav", f"{NAME}-3.wav"]
    first.discard()
    third.discard()


def test_a_recording_without_a_sample_leaves_nothing(recorder: Recorder) -> None:
    recorder.start(ORIGIN).discard()
    assert recordings(recorder.folder) == []


def test_each_gap_is_in_the_open_sidecar_at_once_and_costs_one_line(recorder: Recorder) -> None:
    recording = recorder.start(ORIGIN)
    sidecar = recorder.folder / f"{NAME}.json.part"
    sizes = [sidecar.stat().st_size]
    for number in range(1, 4):
        recording.note_gap(Gap(1000 * number, 10))
        sizes.append(sidecar.stat().st_size)
    assert [sizes[place + 1] - sizes[place] for place in range(3)] == [len(gap_line(Gap(1000, 10)))] * 3
    assert read_open_sidecar(sidecar.read_text()) == (ORIGIN, [Gap(1000 * number, 10) for number in range(1, 4)])
    recording.discard()


def test_a_name_is_found_at_once_however_many_recordings_have_it(recorder: Recorder) -> None:
    begun = [recorder.start(replace(ORIGIN, segment_id=UUID(int=number))) for number in range(30)]
    names = {recording.path.name for recording in begun}
    assert len(names) == 30
    assert f"{NAME}-9.wav" in names
    assert f"{NAME}-{UUID(int=29).hex}.wav" in names
    for recording in begun:
        recording.discard()


def test_a_start_that_fails_leaves_nothing_behind(recorder: Recorder) -> None:
    (recorder.folder / f"{NAME}.json.part").mkdir()  # so that the sidecar cannot be written
    with pytest.raises(WriteFailed, match=NAME):
        recorder.start(ORIGIN)
    assert [path.name for path in recorder.folder.glob("2026*")] == [f"{NAME}.json.part"]


def test_a_finish_that_fails_closes_the_file(recorder: Recorder) -> None:
    file = Disk(wav.HEADER_BYTES + 2000).create(recorder.folder / f"{NAME}.wav.part")
    recording = Recording(recorder.folder / f"{NAME}.wav", file, ORIGIN)
    recording.begin()
    recording.write(pcm(100, 1000))
    with pytest.raises(WriteFailed, match=NAME):
        recording.finish(ended(1000))
    assert file.closed


def test_a_sidecar_that_cannot_be_completed_leaves_the_open_one_and_nothing_else(recorder: Recorder) -> None:
    recording = recorder.start(ORIGIN)
    recording.write(pcm(100, 1000))
    sidecar = recorder.folder / f"{NAME}.json.part"
    sidecar.unlink()
    sidecar.mkdir()  # which no file can replace
    with pytest.raises(WriteFailed, match=NAME):
        recording.finish(ended(1000))
    assert {path.name for path in recorder.folder.glob("2026*")} == {f"{NAME}.wav.part", f"{NAME}.json.part"}


def test_a_folder_that_vanishes_is_an_error_that_names_the_file(recorder: Recorder) -> None:
    recording = recorder.start(ORIGIN)
    recording.write(pcm(100, 1000))
    shutil.rmtree(recorder.folder)
    with pytest.raises(WriteFailed, match=NAME):
        recording.finish(ended(1000))
    with pytest.raises(WriteFailed, match=NAME):
        recorder.start(ORIGIN)


def test_a_gap_takes_no_room_and_reads_as_silence(recorder: Recorder) -> None:
    recording = recorder.start(ORIGIN)
    recording.write(pcm(100, 1000))
    recording.note_gap(Gap(1100, 16_000 * 3600))
    recording.write(pcm(1100 + 16_000 * 3600, 1000))
    if sys.platform == "linux":
        assert (recorder.folder / f"{NAME}.wav.part").stat().st_blocks * 512 < 100_000
    recording.finish(ended(2000 + 16_000 * 3600))
    content = read_wav(recorder.folder / f"{NAME}.wav")
    assert content[:2000] + content[-2000:] == pcm(100, 1000) + pcm(1100 + 16_000 * 3600, 1000)
    assert content.count(0, 2000, -2000) == 2 * 16_000 * 3600


class Sulking(FileIO):
    """A file on a network disk that tells of an error only when it is closed."""

    def close(self) -> None:
        is_first = not self.closed
        super().close()
        if is_first:
            raise OSError(errno.EIO, "Input/output error")


def test_a_file_that_does_not_close_well_is_saved_and_counted_as_closed(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, lambda path: Sulking(path, "xb"))
    recording = recorder.start(ORIGIN)
    recording.write(pcm(100, 1000))
    recording.finish(ended(1000))
    assert recordings(tmp_path)[0].pcm == pcm(100, 1000)
    assert recorder.open_recordings == 0
    recorder.close()


def test_open_recordings_are_counted(recorder: Recorder) -> None:
    first, second = recorder.start(ORIGIN), recorder.start(ORIGIN)
    assert recorder.open_recordings == 2
    first.discard()
    second.write(pcm(100, 10))
    second.finish(ended(10))
    assert recorder.open_recordings == 0
