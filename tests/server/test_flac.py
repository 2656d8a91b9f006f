"""Recordings that become FLAC: what is in them, what is said of them, and what becomes of those that cannot."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

import numpy as np
import pytest

from plugandtell.core import wav
from plugandtell.core.audio import SPEECH
from plugandtell.core.errors import WriteFailed
from plugandtell.core.exit_status import ExitStatus
from plugandtell.core.protocol.messages import Ack, Position, SegmentSaved
from plugandtell.core.recording import Container
from plugandtell.core.segmenter import Gap
from plugandtell.server import flac
from plugandtell.server.history import recorded_lately
from plugandtell.server.placing import Saved
from plugandtell.server.recorder import Recorder
from plugandtell.server.recovery import Unfinished, recover
from tests.server.test_recorder import NAME, ORIGIN, ended
from tests.server.test_recovery import die
from tests.support.processes import finished, running_server
from tests.support.recordings import read_flac, recordings, slices_of
from tests.support.speech import sentence, silence, write_wav
from tests.support.wire import RATE, Wire, pcm

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FLAC = "--format=flac"


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[Recorder]:
    recorder = Recorder(tmp_path, container=Container.FLAC)
    yield recorder
    recorder.close()


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.glob("2026*")}


@pytest.mark.parametrize("samples", [1, 2, 15, 16, 4095, 4097, 262_144, 262_145, 300_000])
def test_every_sample_is_in_it_however_short(recorder: Recorder, samples: int) -> None:
    recording = recorder.start(ORIGIN)
    recording.write(pcm(100, samples))
    assert recording.finish(ended(samples)) == Saved(recorder.folder / f"{NAME}.flac", ORIGIN, ended(samples), samples)
    (found,) = recordings(recorder.folder)
    assert found.pcm == pcm(100, samples)


def test_noise_and_full_scale_come_back_as_they_were(recorder: Recorder) -> None:
    noise = np.random.default_rng(1).integers(-32_768, 32_768, 50_000).astype("<i2").tobytes()
    recording = recorder.start(ORIGIN)
    recording.write(noise)
    recording.finish(ended(50_000))
    assert recordings(recorder.folder)[0].pcm == noise


def test_the_growing_file_is_a_wav_and_the_sidecar_names_the_flac(recorder: Recorder) -> None:
    recording = recorder.start(ORIGIN)
    recording.write(pcm(100, 1000))
    assert names_in(recorder.folder) == {f"{NAME}.wav.part", f"{NAME}.json.part"}
    recording.finish(ended(1000))
    sidecar = json.loads((recorder.folder / f"{NAME}.json").read_text())
    layout = {"container": "flac", "encoding": "flac", "sample_rate": RATE, "channels": 1}
    assert (sidecar["file"], sidecar["format"], sidecar["samples"]) == (f"{NAME}.flac", layout, 1000)
    assert recorder.open_recordings == 0


def test_a_gap_of_ten_minutes_becomes_next_to_nothing(recorder: Recorder) -> None:
    recording = recorder.start(ORIGIN)
    recording.write(pcm(100, 1000))
    recording.note_gap(Gap(1100, RATE * 600))
    saved = recording.finish(ended(1000 + RATE * 600))
    assert saved.path.stat().st_size < 100_000
    assert read_flac(saved.path) == pcm(100, 1000) + bytes(2 * RATE * 600)


@pytest.mark.parametrize("order", [("flac", "wav", "flac"), ("wav", "flac", "wav")])
def test_a_name_is_given_once_whatever_the_recordings_are(tmp_path: Path, order: tuple[str, ...]) -> None:
    for number, container in enumerate(order):
        recorder = Recorder(tmp_path, container=Container(container))
        recording = recorder.start(replace(ORIGIN, segment_id=UUID(int=number)))
        recording.write(pcm(number, 10))
        recording.finish(ended(10))
        recorder.close()
    assert [one.path.name for one in sorted(recordings(tmp_path), key=lambda one: str(one.sidecar["segment_id"]))] == [
        f"{NAME}.{order[0]}",
        f"{NAME}-2.{order[1]}",
        f"{NAME}-3.{order[2]}",
    ]
    assert {saved.path.name for saved in recorded_lately(tmp_path)} == {one.path.name for one in recordings(tmp_path)}


def test_what_a_crash_left_waits_for_its_flac_so_that_the_server_starts_at_once(recorder: Recorder) -> None:
    recording = recorder.start(ORIGIN)
    recording.write(pcm(100, 1000))
    recording.note_gap(Gap(1100, 500))
    die(recording)
    (outcome,) = recover(recorder.folder, container=Container.FLAC, encoder=recorder.encoder)
    assert isinstance(outcome, Unfinished)
    assert outcome.error is None
    assert names_in(recorder.folder) == {f"{NAME}.wav.part", f"{NAME}.json.part"}
    assert outcome.finish().path.name == f"{NAME}.flac"
    (found,) = recordings(recorder.folder)
    assert found.pcm == pcm(100, 1000) + bytes(1000)
    assert found.sidecar["reason"] == "recovered"


@pytest.mark.parametrize("container", list(Container))
@pytest.mark.parametrize("is_damaged", [False, True])
def test_a_part_beside_its_flac_is_removed_once_they_are_the_same(
    recorder: Recorder, container: Container, is_damaged: bool
) -> None:
    recording = recorder.start(ORIGIN)
    recording.write(pcm(100, 1000))
    recording.note_gap(Gap(1100, 500))
    part = recorder.folder / f"{NAME}.wav.part"
    recording.patch_header()
    content = part.read_bytes()
    path = recording.finish(ended(1500)).path
    before = path.stat()
    part.write_bytes(content)
    if is_damaged:
        path.write_bytes(path.read_bytes()[:-100])
    (outcome,) = recover(recorder.folder, container=container, encoder=recorder.encoder)
    assert isinstance(outcome, Unfinished)
    assert outcome.finish() == Saved(path, ORIGIN, ended(1500), 1500)
    (found,) = recordings(recorder.folder)
    assert found.pcm == pcm(100, 1000) + bytes(1000)
    assert (found.sidecar["reason"], found.sidecar["gaps"]) == ("end", [{"start_index": 1100, "samples": 500}])
    assert is_damaged or path.stat().st_ino == before.st_ino


def test_what_holds_other_samples_proves_nothing(recorder: Recorder) -> None:
    recording = recorder.start(ORIGIN)
    recording.write(pcm(100, 300_000))
    path = recording.finish(ended(300_000)).path
    part = recorder.folder / "other.wav.part"
    for other in (pcm(100, 299_999) + b"\0\0", pcm(100, 299_999), pcm(100, 300_001), pcm(100, 262_144), b""):
        part.write_bytes(wav.header(SPEECH, len(other)) + other)
        with pytest.raises(flac.NotEncodable, match="samples than were recorded"):
            flac.prove(path, part, SPEECH, lambda: None)


def test_who_stops_gives_up_what_is_half_made_and_keeps_the_part(recorder: Recorder) -> None:
    recording = recorder.start(ORIGIN)
    recording.write(pcm(100, 1000))
    recorder.close()
    with pytest.raises(WriteFailed, match="next start"):
        recording.finish(ended(1000))
    assert names_in(recorder.folder) == {f"{NAME}.wav.part", f"{NAME}.json.part"}


def test_a_flac_that_cannot_be_written_leaves_the_part_for_another_try(recorder: Recorder) -> None:
    recording = recorder.start(ORIGIN)
    recording.write(pcm(100, 1000))
    temporary = recorder.folder / f"{NAME}.flac.part.new"
    temporary.mkdir()
    with pytest.raises(WriteFailed, match="FLAC"):
        recording.finish(ended(1000))
    assert names_in(recorder.folder) == {f"{NAME}.wav.part", f"{NAME}.json.part", temporary.name}
    temporary.rmdir()
    recording.finish(ended(1000))
    assert recordings(recorder.folder)[0].pcm == pcm(100, 1000)


@pytest.mark.parametrize("durability", ["write", "fsync"])
async def test_a_real_server_and_client_leave_what_was_heard(tmp_path: Path, durability: str) -> None:
    whole = write_wav(tmp_path / "in.wav", sentence(0), silence(4), sentence(1))
    async with running_server(tmp_path, FLAC, f"--durability={durability}") as (server, url):
        flags = f"--server={url}", "--input=in.wav", "--pace=fast", "--spool-dir=spool"
        client = await finished(tmp_path, "client", *flags)
        assert client.status == ExitStatus.OK, client.stderr
        assert (await server.stop()).status == ExitStatus.OK
    assert client.lines == [one.path.name for one in recordings(tmp_path / "audio")]
    assert all(name.endswith(".flac") for name in client.lines)
    assert len(slices_of(whole, tmp_path / "audio")) == 2


@pytest.mark.skipif(sys.platform != "linux", reason="setting the limit of another process is Linux's")
async def test_a_disk_that_is_full_while_it_encodes_keeps_the_part_and_encodes_it_later(tmp_path: Path) -> None:
    """No file may grow beyond 100 kB any more when the recording ends. Its part is longer by then."""
    folder = tmp_path / "audio"
    async with running_server(tmp_path, FLAC) as (server, url), await Wire.greeted(url) as wire:
        await wire.speak(0, 10 * RATE)
        await wire.say(Position(10 * RATE))
        while (await wire.hear(Ack)).stored_to < 10 * RATE:
            pass
        limit_file_size(server.process.pid, 100_000)
        await wire.say(Position(14 * RATE))
        assert "FLAC" in await server.logged("segment not saved")
        assert {path.suffixes[-2] for path in folder.glob("2026*")} == {".wav", ".json"}
        limit_file_size(server.process.pid, None)
        assert (await wire.hear(SegmentSaved)).file == f"{NAME}.flac"
        await wire.end(14 * RATE)
        assert (await server.stop()).status == ExitStatus.OK
    (found,) = recordings(folder)
    assert found.pcm == pcm(0, 10 * RATE)


async def test_a_machine_without_libsndfile_is_told_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "soundfile.py").write_text("raise OSError('sndfile library not found')\n")
    path = os.pathsep.join([str(tmp_path / "broken"), os.environ.get("PYTHONPATH", "")])
    outcome = await finished(tmp_path, "server", "--port=0", FLAC, environment={"PYTHONPATH": path})
    assert outcome.status == ExitStatus.USAGE
    assert "--format is 'flac', but must be wav" in outcome.stderr
    assert "sndfile library not found" in outcome.stderr


def limit_file_size(pid: int, size_bytes: int | None) -> None:
    import resource  # noqa: PLC0415  (there is none on Windows)

    soft = resource.RLIM_INFINITY if size_bytes is None else size_bytes
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (soft, resource.RLIM_INFINITY))
