from __future__ import annotations

import io
import json
import os
import shutil
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from plugandtell.core.errors import FolderUnusable, InvalidSetting, RecordingNotFound, RecordingUnfinished
from plugandtell.recordings.folder import RecordingsFolder
from plugandtell.recordings.removing import Pruning, Rule, remove
from tests.recordings.leaving import NOON, id_of, leave, leave_growing

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tests.recordings.conftest import Ask


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def pair(path: Path) -> set[str]:
    return {path.name, path.with_suffix(".json").name}


def answer(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))


def test_a_recording_is_deleted_with_its_sidecar_when_asked_twice(
    audio: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, gone = leave(audio, 1), leave(audio, 2)
    answer(monkeypatch, "y\n")
    assert ask("delete", "last") == f"{gone.name}\n"
    assert files(audio) == pair(kept)


@pytest.mark.parametrize("text", ["\n", "n\n", "yesterday\n"])
def test_anything_but_yes_deletes_nothing(audio: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    kept = leave(audio, 1)
    answer(monkeypatch, text)
    assert ask("delete", "last") == "nothing was deleted\n"
    assert files(audio) == pair(kept)


def test_what_is_asked_names_what_would_go(audio: Path, warned: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in (1, 2):
        leave(audio, number)
    answer(monkeypatch, "no\n")
    asked = warned("delete", "12-01", "12-02")
    assert asked.endswith("delete these 2? [y/N] ")
    assert id_of(1)[:8] in asked
    assert id_of(2)[:8] in asked


def test_where_nobody_answers_nothing_is_deleted(audio: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = leave(audio, 1)
    answer(monkeypatch, "")
    with pytest.raises(InvalidSetting, match="--yes"):
        ask("delete", "last")
    assert files(audio) == pair(kept)


def test_several_are_deleted_without_a_question_or_none(audio: Path, ask: Ask) -> None:
    paths = [leave(audio, number) for number in (1, 2, 3)]
    with pytest.raises(RecordingNotFound):
        ask("delete", "12-01", "nobody", "--yes")
    assert len(files(audio)) == 6
    assert ask("delete", "12-01", "12-02", id_of(1), "--yes").splitlines() == [path.name for path in paths[:2]]
    assert files(audio) == pair(paths[2])


def test_a_sidecar_without_its_audio_can_be_deleted(audio: Path, ask: Ask) -> None:
    path = leave(audio, 1)
    path.unlink()
    ask("delete", path.stem, "--yes")
    assert files(audio) == set()


def test_what_grows_still_is_refused(audio: Path, ask: Ask) -> None:
    growing = leave_growing(audio, 1)
    before = files(audio)
    with pytest.raises(RecordingUnfinished):
        ask("delete", growing.name.removesuffix(".wav.part"), "--yes")
    path = leave(audio, 1)  # its server is about to finish it
    with pytest.raises(RecordingUnfinished):
        ask("delete", path.name, "--yes")
    assert files(audio) == before | pair(path)


def test_audio_that_cannot_be_removed_keeps_its_sidecar(audio: Path) -> None:
    path = leave(audio, 1)
    recording = RecordingsFolder(audio).find("last")
    path.unlink()
    path.mkdir()  # nothing that unlink removes, whoever asks
    with pytest.raises(FolderUnusable, match="cannot be removed"):
        remove(RecordingsFolder(audio), recording)
    assert files(audio) == pair(path)


def test_what_a_crash_left_of_a_removal_is_finished_by_the_next(audio: Path, ask: Ask) -> None:
    crashed, kept, gone = (leave(audio, number) for number in (1, 2, 3))
    sidecar = crashed.with_suffix(".json")
    sidecar.rename(audio / f".{sidecar.name}.removed")
    shutil.copy(kept.with_suffix(".json"), audio / f".{kept.stem}.json.removed")  # somebody brought it back
    ask("delete", gone.name, "--yes")
    assert files(audio) == pair(kept)


def test_the_old_ones_are_pruned_and_nothing_else(audio: Path, ask: Ask) -> None:
    old, stray = leave(audio, -525_600), audio / "2020-11-24T12-00-00.000Z_mine.wav"
    young = leave(audio, 525_600 * 100)
    growing = leave_growing(audio, -525_000)
    stray.touch()
    foreign = audio / "2020-01-01.json"
    foreign.write_text("{}")
    old_growing = leave(audio, -525_001)
    part = old_growing.with_suffix(".json.part")
    part.touch()
    before = files(audio)
    trial = ask("prune", "--older-than=0d", "--dry-run")
    assert files(audio) == before
    printed = ask("prune", "--older-than=0d")
    assert files(audio) == before - pair(old)
    assert young.exists()
    assert growing.exists()
    assert printed.splitlines()[0] == trial.splitlines()[0]
    assert "1 deleted, 36.9 kB freed" in printed
    assert "1 would be deleted, 36.9 kB would be freed" in trial


def pruned(audio: Path, rule: Rule) -> list[str]:
    pruning = Pruning(RecordingsFolder(audio), rule, _refuse, is_trial=True)
    return [str(recording.origin.segment_id) for recording, _ in pruning]


def _refuse(text: str) -> None:
    raise AssertionError(text)


def test_age_counts_from_the_end(audio: Path) -> None:
    leave(audio, 1)
    end = NOON + timedelta(minutes=1, seconds=1)
    assert pruned(audio, Rule(end, 0)) == []
    assert pruned(audio, Rule(end + timedelta(microseconds=1), 0)) == [id_of(1)]


def ids(numbers: Iterable[int]) -> list[str]:
    return [id_of(number) for number in numbers]


def test_room_is_made_by_the_oldest_and_no_more_than_it_takes(audio: Path) -> None:
    oldest = leave(audio, 0)
    size_bytes = sum(path.stat().st_blocks * 512 for path in (oldest, oldest.with_suffix(".json")))
    for number in range(1, 5):
        leave(audio, number)
    assert pruned(audio, Rule(None, 0)) == []
    assert pruned(audio, Rule(None, 1)) == ids([0])
    assert pruned(audio, Rule(None, 2 * size_bytes)) == ids([0, 1])
    assert pruned(audio, Rule(None, 2 * size_bytes + 1)) == ids([0, 1, 2])
    assert pruned(audio, Rule(NOON + timedelta(minutes=3.5), size_bytes)) == ids([0, 1, 2, 3])
    assert pruned(audio, Rule(None, 10**15)) == ids(range(5))


def test_a_file_that_has_another_name_makes_no_room(audio: Path) -> None:
    os.link(leave(audio, 0), audio.parent / "backup.wav")
    leave(audio, 1)
    assert pruned(audio, Rule(None, 16_384)) == ids([0, 1])


def test_what_cannot_be_removed_is_said_and_the_rest_goes_on(audio: Path, warned: Ask) -> None:
    stuck, gone = leave(audio, 1), leave(audio, 2)
    (audio / f".{stuck.stem}.json.removed").mkdir()  # in the way of its sidecar
    told = warned("prune", "--older-than=0d", status=9)
    assert f"{stuck.name} cannot be removed" in told
    assert not gone.exists()
    assert stuck.exists()
    assert stuck.with_suffix(".json").exists()


def test_scripts_are_told_each_with_what_it_freed(audio: Path, ask: Ask) -> None:
    path = leave(audio, 1)
    told = json.loads(ask("prune", "--older-than=0d", "--json", "--dry-run"))
    assert (told["path"], told["dry_run"], told["segment_id"]) == (str(path), True, id_of(1))
    assert json.loads(ask("prune", "--older-than=0d", "--json"))["freed_bytes"] == told["freed_bytes"] > 32_000


def test_a_disk_that_has_the_room_keeps_everything(audio: Path, ask: Ask) -> None:
    leave(audio, 1)
    assert ask("prune", "--keep-free=1kB").startswith("0 deleted, 0 B freed; ")


def test_room_that_cannot_be_made_is_a_warning(audio: Path, warned: Ask) -> None:
    assert "less than 1000000TB free" in warned("prune", "--keep-free=1000000TB", "--dry-run")
    assert audio.is_dir()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "--keep-free"),
        (["--older-than=30"], "such as 30d"),
        (["--keep-free=plenty"], "such as 5GB"),
    ],
)
def test_a_rule_that_says_nothing_is_refused(ask: Ask, arguments: list[str], message: str) -> None:
    with pytest.raises(InvalidSetting, match=message):
        ask("prune", *arguments)


def test_a_folder_that_is_not_there_is_not_pruned(audio: Path, ask: Ask) -> None:
    audio.rmdir()
    with pytest.raises(FolderUnusable):
        ask("prune", "--older-than=1d")
