"""What every kind of crash leaves in an audio folder, and what becomes of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from plugandtell.core import wav
from plugandtell.core.errors import WriteFailed
from plugandtell.core.recording import GapPolicy
from plugandtell.core.segmenter import Gap
from plugandtell.server.placing import Saved
from plugandtell.server.recorder import Recorder
from plugandtell.server.recovery import Unfinished, recover
from tests.server.test_recorder import NAME, ORIGIN, ended
from tests.support.recordings import recordings
from tests.support.wire import pcm

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from plugandtell.server.recording import Recording


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[Recorder]:
    recorder = Recorder(tmp_path)
    yield recorder
    recorder.close()


def die(recording: Recording) -> None:
    """Leave the parts as the death of the process does."""
    recording._file.close()


@pytest.fixture
def crashed(recorder: Recorder) -> Recording:
    """A recording of 3 s with a gap, whose process died."""
    recording = recorder.start(ORIGIN)
    recording.write(pcm(100, 16_000))
    recording.note_gap(Gap(16_100, 16_000))
    recording.write(pcm(32_100, 16_000))
    die(recording)
    return recording


CONTENT = pcm(100, 16_000) + bytes(32_000) + pcm(32_100, 16_000)


def test_a_crash_while_recording_is_mended_and_marked(recorder: Recorder, crashed: Recording) -> None:
    (outcome,) = recover(recorder.folder)
    assert isinstance(outcome, Saved)
    (found,) = recordings(recorder.folder)
    assert found.pcm == CONTENT
    assert (found.sidecar["reason"], found.sidecar["recovered"]) == ("recovered", True)
    assert found.sidecar["segment_id"] == str(crashed.origin.segment_id)
    assert (found.sidecar["start_index"], found.sidecar["end_index"]) == (100, 48_100)
    assert found.sidecar["gaps"] == [{"start_index": 16_100, "samples": 16_000}]
    assert found.sidecar["voiced_samples"] is None
    assert list(recover(recorder.folder)) == []


def test_a_crash_with_dropped_gaps_keeps_the_time_line(recorder: Recorder) -> None:
    recording = recorder.start(replace(ORIGIN, gap_policy=GapPolicy.DROP))
    recording.write(pcm(100, 1000))
    recording.note_gap(Gap(1100, 500))
    recording.write(pcm(1600, 1000))
    die(recording)
    list(recover(recorder.folder))
    sidecar = recordings(recorder.folder)[0].sidecar
    assert (sidecar["samples"], sidecar["end_index"]) == (2000, 2600)


@pytest.mark.parametrize("cut_bytes", [1, 2, 3, 31_999])
def test_a_file_cut_anywhere_keeps_its_whole_samples(recorder: Recorder, crashed: Recording, cut_bytes: int) -> None:
    part = recorder.folder / f"{crashed.path.name}.part"
    part.write_bytes(part.read_bytes()[:-cut_bytes])
    list(recover(recorder.folder))
    kept = (len(CONTENT) - cut_bytes) // 2 * 2
    assert recordings(recorder.folder)[0].pcm == CONTENT[:kept]


@pytest.mark.parametrize("size_bytes", [0, 43, 44, 45])
def test_a_part_without_a_sample_is_removed(recorder: Recorder, crashed: Recording, size_bytes: int) -> None:
    part = recorder.folder / f"{crashed.path.name}.part"
    part.write_bytes(part.read_bytes()[:size_bytes])
    assert list(recover(recorder.folder)) == []
    assert recordings(recorder.folder) == []


@pytest.mark.parametrize("damage", ["missing", "empty", "other"])
@pytest.mark.usefixtures("crashed")
def test_audio_is_kept_even_when_its_sidecar_is_lost(recorder: Recorder, damage: str) -> None:
    sidecar = recorder.folder / f"{NAME}.json.part"
    sidecar.unlink()
    if damage != "missing":
        sidecar.write_text("" if damage == "empty" else '{"version": 1, "client": 3}')
    list(recover(recorder.folder))
    (found,) = recordings(recorder.folder)
    assert found.pcm == CONTENT
    assert found.sidecar["client"]["name"] == "unknown"


def test_a_crash_between_the_two_moves_is_finished(recorder: Recorder) -> None:
    recording = recorder.start(ORIGIN)
    recording.write(pcm(100, 1000))
    recording.finish(ended(1000))
    (recorder.folder / f"{NAME}.json").rename(recorder.folder / f"{NAME}.json.part")
    assert list(recover(recorder.folder)) == [Saved(recorder.folder / f"{NAME}.wav", ORIGIN, ended(1000), 1000)]
    assert recordings(recorder.folder)[0].sidecar["reason"] == "end"


def test_a_crash_before_the_first_move_is_mended_from_the_final_sidecar(recorder: Recorder) -> None:
    recording = recorder.start(ORIGIN)
    recording.write(pcm(100, 1000))
    recording.finish(ended(1000))
    for ending in ("wav", "json"):
        (recorder.folder / f"{NAME}.{ending}").rename(recorder.folder / f"{NAME}.{ending}.part")
    assert list(recover(recorder.folder)) == [Saved(recorder.folder / f"{NAME}.wav", ORIGIN, ended(1000), 1000)]
    (found,) = recordings(recorder.folder)
    assert found.pcm == pcm(100, 1000)
    assert (found.sidecar["reason"], found.sidecar["voiced_samples"]) == ("end", 1000)


def test_a_sidecar_without_audio_is_removed(recorder: Recorder) -> None:
    (recorder.folder / "lonely.json.part").write_text("{}")
    assert list(recover(recorder.folder)) == []
    assert recordings(recorder.folder) == []


def test_a_sidecar_that_was_being_written_is_removed(recorder: Recorder, crashed: Recording) -> None:
    (recorder.folder / f"{NAME}.json.part.new").write_text("{")
    list(recover(recorder.folder))
    assert [found.path for found in recordings(recorder.folder)] == [crashed.path]


def test_what_cannot_be_removed_is_named_and_keeps_no_server_from_its_start(
    recorder: Recorder, crashed: Recording
) -> None:
    (recorder.folder / "a.json.part.new").mkdir()
    refused, mended = recover(recorder.folder)
    assert isinstance(refused, WriteFailed)
    assert "a.json.part.new" in str(refused)
    assert isinstance(mended, Saved)
    assert mended.path == crashed.path


def test_a_crash_while_a_gap_was_filled_keeps_what_the_file_holds(recorder: Recorder, crashed: Recording) -> None:
    part = recorder.folder / f"{crashed.path.name}.part"
    part.write_bytes(part.read_bytes()[: wav.HEADER_BYTES + 2 * 20_000])
    list(recover(recorder.folder))
    sidecar = recordings(recorder.folder)[0].sidecar
    assert sidecar["end_index"] == 100 + 20_000
    assert sidecar["gaps"] == [{"start_index": 16_100, "samples": 4000}]


def test_a_part_that_is_none_of_ours_is_left_alone_and_named(recorder: Recorder, crashed: Recording) -> None:
    foreign = recorder.folder / "a-foreign.wav.part"
    foreign.write_bytes(b"x" * 1000)
    mended, refused = recover(recorder.folder)
    assert isinstance(refused, WriteFailed)
    assert foreign.name in str(refused)
    assert isinstance(mended, Saved)
    assert mended.path == crashed.path
    assert foreign.read_bytes() == b"x" * 1000


def test_what_was_to_leave_no_file_leaves_none(recorder: Recorder, crashed: Recording) -> None:
    assert list(recover(recorder.folder, {crashed.origin.segment_id})) == []
    assert recordings(recorder.folder) == []


def test_what_cannot_be_moved_into_place_yet_can_be_later(recorder: Recorder, crashed: Recording) -> None:
    wav_path = recorder.folder / f"{NAME}.wav"
    wav_path.mkdir()  # which no file can replace
    (outcome,) = recover(recorder.folder)
    assert isinstance(outcome, Unfinished)
    assert (outcome.ended.end_index, outcome.origin) == (48_100, crashed.origin)
    with pytest.raises(WriteFailed):
        outcome.finish()
    wav_path.rmdir()
    assert outcome.finish().samples == 48_000
    assert recordings(recorder.folder)[0].pcm == CONTENT
