from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

from plugandtell.core.errors import FolderUnusable, InputNotAudio, InputNotFound, InvalidSetting, RecordingNotFound
from tests.recordings.leaving import SECOND, id_of, leave, tone

if TYPE_CHECKING:
    from pathlib import Path

    from tests.recordings.conftest import Ask

NAME = "2026-11-24T12-01-00.000Z_reception"


@pytest.mark.parametrize("source", [".wav", ".flac"])
@pytest.mark.parametrize("container", ["flac", "wav"])
def test_what_loses_nothing_holds_the_same_samples(audio: Path, ask: Ask, source: str, container: str) -> None:
    sound = tone(SECOND + 7)
    leave(audio, 1, sound, ending=source)
    assert ask("export", "last", "--to=out", f"--format={container}") == f"out/{NAME}.{container}\n"
    copied, rate = soundfile.read(f"out/{NAME}.{container}", dtype="int16")
    assert rate == SECOND
    assert np.array_equal(copied, sound)


@pytest.mark.parametrize("container", ["mp3", "ogg"])
def test_what_is_small_sounds_the_same(audio: Path, ask: Ask, container: str) -> None:
    sound = tone(2 * SECOND)
    path = leave(audio, 1, sound)
    ask("export", "last", "--to=out", f"--format={container}")
    copied, rate = soundfile.read(f"out/{NAME}.{container}", dtype="int16")
    assert rate == SECOND
    assert (audio.parent / f"out/{NAME}.{container}").stat().st_size < path.stat().st_size / 2
    heard, meant = (np.abs(np.fft.rfft(values[: 2 * SECOND] / 32_768, 2 * SECOND)) for values in (copied, sound))
    assert np.argmax(heard) == np.argmax(meant) == 880
    assert heard.max() == pytest.approx(meant.max(), rel=0.1)


@pytest.mark.parametrize("container", ["flac", "ogg", "wav"])
def test_a_copy_tells_what_it_is(audio: Path, ask: Ask, container: str) -> None:
    leave(audio, 1, label="Büro\n日本")
    ask("export", "last", f"--to=copy.{container}")
    with soundfile.SoundFile(f"copy.{container}") as copied:
        tags = copied.copy_metadata()
    assert tags["title"] == "Büro\\n日本, 2026-11-24 14:01:00"
    assert tags["artist"] == "Büro\\n日本"
    assert tags["date"] == "2026-11-24T12:01:00.000Z"
    assert id_of(1) in tags["comment"]


def test_an_mp3_tells_it_as_far_as_its_tags_can(audio: Path, ask: Ask) -> None:
    leave(audio, 1, label="Büro 日")
    ask("export", "last", "--to=copy.mp3")
    with soundfile.SoundFile("copy.mp3") as copied:
        tags = copied.copy_metadata()
    assert tags["title"] == "Buro ?, 2026-11-24 14:01:00"
    assert tags["artist"] == "Buro ?"


def test_by_default_a_copy_is_flac_in_the_working_folder(audio: Path, ask: Ask) -> None:
    leave(audio, 1)
    assert ask("export", "last") == f"{NAME}.flac\n"
    assert (audio.parent / f"{NAME}.flac").is_file()


def test_several_are_copied_each_once(audio: Path, ask: Ask) -> None:
    for number in (1, 2):
        leave(audio, number)
    names = ask("export", id_of(2), "12-01", "last", "--to=a/b").splitlines()
    assert names == ["a/b/2026-11-24T12-02-00.000Z_reception.flac", f"a/b/{NAME}.flac"]


def test_nothing_is_copied_if_one_of_them_is_unknown(audio: Path, ask: Ask) -> None:
    leave(audio, 1)
    with pytest.raises(RecordingNotFound):
        ask("export", "last", "nobody", "--to=out")
    assert not (audio.parent / "out").exists()


def test_what_is_there_is_replaced_only_by_force(audio: Path, ask: Ask) -> None:
    leave(audio, 1)
    taken = audio.parent / f"{NAME}.flac"
    taken.write_text("mine")
    with pytest.raises(InvalidSetting, match="--force"):
        ask("export", "last")
    assert taken.read_text() == "mine"
    ask("export", "last", "--force")
    assert soundfile.info(taken).frames == SECOND


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--to=copy.mp3", "--format=flac"], r"ends in \.flac"),
        (["--to=audio"], "outside the folder of the recordings"),
        (["--to=audio/../audio/x.wav", "--force"], "outside the folder of the recordings"),
        (["12-02", "--to=copy.mp3"], "a folder for several"),
    ],
)
def test_a_target_that_makes_no_sense_is_refused(audio: Path, ask: Ask, arguments: list[str], message: str) -> None:
    leave(audio, 1)
    leave(audio, 2)
    before = sorted(audio.iterdir())
    with pytest.raises(InvalidSetting, match=message):
        ask("export", "12-01", *arguments)
    assert sorted(audio.iterdir()) == before


def test_nothing_is_copied_without_a_name(ask: Ask) -> None:
    with pytest.raises(InvalidSetting, match="at least one recording"):
        ask("export")


def test_a_recording_that_cannot_be_read_leaves_no_copy(audio: Path, ask: Ask) -> None:
    path = leave(audio, 1)
    path.write_bytes(b"no audio at all")
    with pytest.raises(InputNotAudio):
        ask("export", path.name, "--to=out")
    path.unlink()
    with pytest.raises(InputNotFound):
        ask("export", path.name, "--to=out")
    assert list((audio.parent / "out").iterdir()) == []


def test_a_flac_that_is_cut_short_leaves_no_copy(audio: Path, ask: Ask) -> None:
    noise = np.random.default_rng(1).integers(-9000, 9000, 4 * SECOND).astype(np.int16)
    path = leave(audio, 1, noise, ending=".flac")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(InputNotAudio, match="damaged"):
        ask("export", path.name, "--to=out")
    assert list((audio.parent / "out").iterdir()) == []


def test_a_folder_that_cannot_be_made_is_said(audio: Path, ask: Ask) -> None:
    leave(audio, 1)
    (audio.parent / "file").touch()
    with pytest.raises(FolderUnusable, match="--to"):
        ask("export", "last", "--to=file/below")
