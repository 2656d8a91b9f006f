"""Recordings on disk, and what every kind of crash leaves of them."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from plugandtell.core import wav
from plugandtell.core.audio import SPEECH
from plugandtell.core.errors import WriteFailed
from plugandtell.core.protocol.messages import ClientInfo, EndReason
from plugandtell.core.recording import GapPolicy, Origin
from plugandtell.core.segmenter import Ended, Gap
from plugandtell.server.recorder import Recorder, Recording, Saved
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


@pytest.fixture
def crashed(recorder: Recorder) -> Recording:
    """A recording of 3 s with a gap, whose process died."""
    recording = recorder.start(ORIGIN)
    recording.write(pcm(100, 16_000))
    recording.note_gap(Gap(16_100, 16_000))
    recording.write(pcm(32_100, 16_000))
    recording.abandon()
    return recording


CONTENT = pcm(100, 16_000) + bytes(32_000) + pcm(32_100, 16_000)


def test_nothing_has_its_final_name_before_it_is_complete(recorder: Recorder) -> None:
    recording = recorder.start(ORIGIN)
    recording.write(pcm(100, 1000))
    assert {path.name for path in recorder.folder.glob("2026*")} == {f"{NAME}.wav.part", f"{NAME}.json.part"}
    saved = recording.finish(ended(1000))
    assert saved == Saved(recorder.folder / f"{NAME}.wav", 1000, ended(1000))
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


def test_a_crash_while_recording_is_mended_and_marked(recorder: Recorder, crashed: Recording) -> None:
    (outcome,) = recorder.recover()
    assert isinstance(outcome, Saved)
    (found,) = recordings(recorder.folder)
    assert found.pcm == CONTENT
    assert (found.sidecar["reason"], found.sidecar["recovered"]) == ("recovered", True)
    assert found.sidecar["segment_id"] == str(crashed.origin.segment_id)
    assert (found.sidecar["start_index"], found.sidecar["end_index"]) == (100, 48_100)
    assert found.sidecar["gaps"] == [{"start_index": 16_100, "samples": 16_000}]
    assert found.sidecar["voiced_samples"] == 32_000
    assert list(recorder.recover()) == []


def test_a_crash_with_dropped_gaps_keeps_the_time_line(recorder: Recorder) -> None:
    recording = recorder.start(replace(ORIGIN, gap_policy=GapPolicy.DROP))
    recording.write(pcm(100, 1000))
    recording.note_gap(Gap(1100, 500))
    recording.write(pcm(1600, 1000))
    recording.abandon()
    list(recorder.recover())
    sidecar = recordings(recorder.folder)[0].sidecar
    assert (sidecar["samples"], sidecar["end_index"], sidecar["voiced_samples"]) == (2000, 2600, 2000)


@pytest.mark.parametrize("cut_bytes", [1, 2, 3, 31_999])
def test_a_file_cut_anywhere_keeps_its_whole_samples(recorder: Recorder, crashed: Recording, cut_bytes: int) -> None:
    part = recorder.folder / f"{crashed.path.name}.part"
    part.write_bytes(part.read_bytes()[:-cut_bytes])
    list(recorder.recover())
    kept = (len(CONTENT) - cut_bytes) // 2 * 2
    assert recordings(recorder.folder)[0].pcm == CONTENT[:kept]


@pytest.mark.parametrize("size_bytes", [0, 43, 44, 45])
def test_a_part_without_a_sample_is_removed(recorder: Recorder, crashed: Recording, size_bytes: int) -> None:
    part = recorder.folder / f"{crashed.path.name}.part"
    part.write_bytes(part.read_bytes()[:size_bytes])
    assert list(recorder.recover()) == []
    assert recordings(recorder.folder) == []


@pytest.mark.parametrize("damage", ["missing", "empty", "other"])
@pytest.mark.usefixtures("crashed")
def test_audio_is_kept_even_when_its_sidecar_is_lost(recorder: Recorder, damage: str) -> None:
    sidecar = recorder.folder / f"{NAME}.json.part"
    sidecar.unlink()
    if damage != "missing":
        sidecar.write_text("" if damage == "empty" else '{"version": 1, "client": 3}')
    list(recorder.recover())
    (found,) = recordings(recorder.folder)
    assert found.pcm == CONTENT
    assert found.sidecar["client"]["name"] == "unknown"


def test_a_crash_between_the_two_moves_is_finished(recorder: Recorder) -> None:
    recording = recorder.start(ORIGIN)
    recording.write(pcm(100, 1000))
    recording.finish(ended(1000))
    (recorder.folder / f"{NAME}.json").rename(recorder.folder / f"{NAME}.json.part")
    assert list(recorder.recover()) == []
    assert recordings(recorder.folder)[0].sidecar["reason"] == "end"


def test_a_crash_before_the_first_move_is_mended_from_the_final_sidecar(recorder: Recorder) -> None:
    recording = recorder.start(ORIGIN)
    recording.write(pcm(100, 1000))
    recording.finish(ended(1000))
    for ending in ("wav", "json"):
        (recorder.folder / f"{NAME}.{ending}").rename(recorder.folder / f"{NAME}.{ending}.part")
    list(recorder.recover())
    assert recordings(recorder.folder)[0].pcm == pcm(100, 1000)


def test_a_sidecar_without_audio_is_removed(recorder: Recorder) -> None:
    (recorder.folder / "lonely.json.part").write_text("{}")
    assert list(recorder.recover()) == []
    assert recordings(recorder.folder) == []


def test_a_part_that_is_none_of_ours_is_left_alone_and_named(recorder: Recorder, crashed: Recording) -> None:
    foreign = recorder.folder / "a-foreign.wav.part"
    foreign.write_bytes(b"x" * 1000)
    mended, refused = recorder.recover()
    assert isinstance(refused, WriteFailed)
    assert foreign.name in str(refused)
    assert isinstance(mended, Saved)
    assert mended.path == crashed.path
    assert foreign.read_bytes() == b"x" * 1000


def test_a_folder_that_vanishes_is_an_error_that_names_the_file(recorder: Recorder) -> None:
    recording = recorder.start(ORIGIN)
    recording.write(pcm(100, 1000))
    shutil.rmtree(recorder.folder)
    with pytest.raises(WriteFailed, match=NAME):
        recording.finish(ended(1000))
    with pytest.raises(WriteFailed, match=NAME):
        recorder.start(ORIGIN)


def test_the_open_sidecar_is_whole_after_each_gap(recorder: Recorder) -> None:
    recording = recorder.start(ORIGIN)
    for number in range(1, 4):
        recording.note_gap(Gap(1000 * number, 10))
        fields = json.loads((recorder.folder / f"{NAME}.json.part").read_text())
        assert len(fields["gaps"]) == number
    recording.discard()
