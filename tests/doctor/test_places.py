from __future__ import annotations

import os
from pathlib import Path

import pytest

from plugandtell.core.exit_status import ExitStatus
from plugandtell.doctor.finding import Finding, Verdict
from plugandtell.doctor.places import check_disk, check_folder


def look(folder: Path) -> Finding:
    (finding,) = check_folder("audio folder", "--audio-dir", folder)
    return finding


def test_a_folder_that_can_be_written_is_left_as_it_was(tmp_path: Path) -> None:
    assert look(tmp_path) == Finding("audio folder", Verdict.OK, f"{tmp_path} can be written")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_missing_is_not_made(tmp_path: Path) -> None:
    assert look(tmp_path / "a" / "b").said == f"{tmp_path / 'a' / 'b'} will be made"
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_way_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "audio"):
        found = look(folder)
        assert (found.verdict, found.status) == (Verdict.BROKEN, ExitStatus.FOLDER_UNUSABLE)
        assert f"{tmp_path / 'file'} cannot be written (not a directory)" in found.said
        assert "--audio-dir" in found.remedy


@pytest.mark.skipif(getattr(os, "geteuid", lambda: 0)() == 0, reason="root and Windows write read-only folders")
def test_a_read_only_folder_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert look(tmp_path).status is ExitStatus.FOLDER_UNUSABLE
    assert look(tmp_path / "audio").status is ExitStatus.FOLDER_UNUSABLE


@pytest.mark.skipif(not Path("/proc/sys").exists(), reason="what nobody can write is /proc, which only Linux has")
def test_a_file_system_that_takes_no_files_is_told() -> None:
    assert look(Path("/proc/sys")).status is ExitStatus.FOLDER_UNUSABLE


def test_room_on_the_disk(tmp_path: Path) -> None:
    (well,) = check_disk(tmp_path / "audio", 0, tmp_path / "spool", 0)
    assert (well.name, well.said.endswith("free for recordings")) == ("disk", True)
    (full, spool) = check_disk(tmp_path, 1e9, tmp_path, 1e9)
    assert (full.verdict, full.status) == (Verdict.BROKEN, ExitStatus.FOLDER_UNUSABLE)
    assert (spool.verdict, "--spool-mb" in spool.remedy) == (Verdict.WARNING, True)
