from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from plugandtell.core.errors import FolderUnusable, InputNotAudio, RecordingNotFound, RecordingUnfinished
from plugandtell.recordings.folder import RecordingsFolder
from tests.recordings.leaving import id_of, leave, leave_growing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def folder(audio: Path) -> RecordingsFolder:
    leave(audio, 1)
    leave(audio, 2, label="lab")
    leave(audio, 3, label="lab", ending=".flac")
    return RecordingsFolder(audio)


@pytest.mark.parametrize(
    ("wanted", "number"),
    [
        (id_of(2), 2),
        (id_of(2).upper(), 2),
        (id_of(2).replace("-", ""), 2),
        (id_of(2)[:8], 2),
        (id_of(2)[:11], 2),
        ("2026-11-24T12-02-00.000Z_lab", 2),
        ("2026-11-24T12-02-00.000Z_lab.wav", 2),
        ("2026-11-24T12-02-00.000Z_lab.json", 2),
        ("2026-11-24T12-03-00.000Z_lab.flac", 3),
        ("12-02", 2),
        ("RECEPT", 1),
        ("last", 3),
        ("./audio/2026-11-24T12-02-00.000Z_lab.wav", 2),
    ],
)
def test_a_recording_is_found_by_what_names_no_other(folder: RecordingsFolder, wanted: str, number: int) -> None:
    assert str(folder.find(wanted).origin.segment_id) == id_of(number)


def test_an_absolute_path_names_a_recording_of_its_folder_alone(folder: RecordingsFolder, tmp_path: Path) -> None:
    name = "2026-11-24T12-02-00.000Z_lab.wav"
    assert folder.find(str(folder.path.resolve() / name)).audio.name == name
    with pytest.raises(RecordingNotFound):
        folder.find(str(tmp_path / "elsewhere" / name))


def test_several_that_fit_are_listed_the_newest_first(folder: RecordingsFolder) -> None:
    with pytest.raises(RecordingNotFound) as caught:
        folder.find("lab")
    assert caught.value.candidates == (
        f"{id_of(3)[:8]}  2026-11-24T12-03-00.000Z_lab",
        f"{id_of(2)[:8]}  2026-11-24T12-02-00.000Z_lab",
    )


def test_of_very_many_that_fit_ten_are_listed(audio: Path) -> None:
    for number in range(13):
        leave(audio, number)
    with pytest.raises(RecordingNotFound, match="not one recording but 13 fit 'a0'") as caught:
        RecordingsFolder(audio).find("a0")
    assert (len(caught.value.candidates), caught.value.more) == (10, 3)


def test_what_begins_an_id_at_length_is_not_looked_for_in_names(audio: Path) -> None:
    leave(audio, 1)
    leave(audio, 2, label=id_of(1)[:8])
    assert str(RecordingsFolder(audio).find(id_of(1)[:8]).origin.segment_id) == id_of(1)
    with pytest.raises(RecordingNotFound, match="2 fit"):
        RecordingsFolder(audio).find(id_of(1)[:7])


@pytest.mark.parametrize("wanted", ["", "nobody", "b0", "/", "..", ".json", "*", "\x00", "lab\n"])
def test_what_fits_none_is_said_with_the_way_out(folder: RecordingsFolder, wanted: str) -> None:
    with pytest.raises(RecordingNotFound, match="`plugandtell recordings list` shows all"):
        folder.find(wanted)


@pytest.mark.parametrize("wanted", [id_of(7), id_of(7)[:8], "12-07", "2026-11-24T12-07-00.000Z_reception.wav"])
def test_what_grows_still_is_known_and_said(folder: RecordingsFolder, wanted: str) -> None:
    leave_growing(folder.path, 7)
    with pytest.raises(RecordingUnfinished, match="grows still"):
        folder.find(wanted)


def test_the_last_is_the_last_that_is_whole(folder: RecordingsFolder) -> None:
    leave(folder.path, 5).unlink()
    leave_growing(folder.path, 6)
    (folder.path / "9999.json").touch()
    assert str(folder.find("last").origin.segment_id) == id_of(3)


def test_in_an_empty_folder_there_is_no_last(audio: Path) -> None:
    with pytest.raises(RecordingNotFound):
        RecordingsFolder(audio).find("last")


def test_a_folder_that_is_none_is_said(audio: Path) -> None:
    (audio / "file").touch()
    with pytest.raises(FolderUnusable, match="not a directory"):
        RecordingsFolder(audio / "file").find("last")


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[:300],
        lambda text: text.replace("2026-11", "soon"),
        lambda text: re.sub(r'"file": ".*"', '"file": "/etc/passwd"', text),
        lambda text: re.sub(r'"file": ".*"', '"file": ""', text),
        lambda text: text.replace('"samples":', '"simples":'),
    ],
)
def test_a_damaged_sidecar_is_named(audio: Path, damage: Callable[[str], str]) -> None:
    sidecar = leave(audio, 1).with_suffix(".json")
    sidecar.write_text(damage(sidecar.read_text()))
    with pytest.raises(InputNotAudio, match="no sidecar of a finished recording") as caught:
        RecordingsFolder(audio).find(sidecar.stem)
    assert caught.value.source == str(sidecar)


def test_whatever_path_a_sidecar_claims_its_audio_is_beside_it(audio: Path) -> None:
    path = leave(audio, 1)
    sidecar = path.with_suffix(".json")
    sidecar.write_text(re.sub(r'"file": ".*"', '"file": "../../precious.wav"', sidecar.read_text()))
    assert RecordingsFolder(audio).find("last").audio == path
