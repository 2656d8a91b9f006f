from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from plugandtell.core.errors import FolderUnusable
from plugandtell.logservice.entry import Entry
from plugandtell.logservice.logfile import Claim, LogFile, render_json

from .reading import lines_of

WHERE_OPEN_FILES_CAN_GO = pytest.mark.skipif(os.name == "nt", reason="Windows keeps open files where they are")


def test_the_keys_of_a_line(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    path.write_bytes(render_json(Entry(0.5, "info", "voice_detected", {"stream": "s", "at_s": 1.5}), "client", 7))
    assert list(lines_of(path)[0].items()) == [
        ("timestamp", "1970-01-01T00:00:00.500Z"),
        ("level", "info"),
        ("event", "voice_detected"),
        ("process", "client"),
        ("pid", 7),
        ("stream", "s"),
        ("at_s", 1.5),
    ]


def test_a_field_hides_no_key_of_ours() -> None:
    line = render_json(Entry(0, "info", "x", {"level": -31.5, "pid": 1}), "client", 7)
    assert b'"level": "info"' in line
    assert b'"level_": -31.5' in line
    assert b'"pid": 7' in line


def test_a_line_is_ascii_without_control_characters() -> None:
    line = render_json(Entry(0, "info", "x\n", {"label": "é\x1b\x9b\u202e\ud800\n"}), "client", 7)
    assert re.fullmatch(rb"[ -~]+\n", line)


def test_rotates_before_the_limit_and_keeps_what_it_is_told(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    file = LogFile(path, max_bytes=20, kept_files=2)
    for number in range(10):
        file.write(b"line %03d\n" % number)  # 9 bytes: two fit
    file.close()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["x.log", "x.log.1", "x.log.2"]
    assert path.read_bytes() == b"line 008\nline 009\n"
    assert (tmp_path / "x.log.1").read_bytes() == b"line 006\nline 007\n"
    assert (tmp_path / "x.log.2").read_bytes() == b"line 004\nline 005\n"


def test_goes_on_where_the_last_run_stopped(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    path.write_bytes(b"0123456789\n")
    file = LogFile(path, max_bytes=20, kept_files=1)
    file.write(b"12345678\n")
    file.write(b"a\n")
    file.close()
    assert (tmp_path / "x.log.1").read_bytes() == b"0123456789\n12345678\n"
    assert path.read_bytes() == b"a\n"


def test_a_line_longer_than_the_limit_is_written_whole(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    file = LogFile(path, max_bytes=4, kept_files=1)
    file.write(b"long line\n")
    file.close()
    assert path.read_bytes() == b"long line\n"
    assert not (tmp_path / "x.log.1").exists()


def test_a_file_that_cannot_be_renamed_goes_on_growing(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    (tmp_path / "x.log.1" / "in the way").mkdir(parents=True)
    file = LogFile(path, max_bytes=4, kept_files=1)
    file.write(b"one\n")
    file.write(b"two\n")
    file.close()
    assert path.read_bytes() == b"one\ntwo\n"


@WHERE_OPEN_FILES_CAN_GO
def test_a_deleted_file_is_opened_anew(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    file = LogFile(path, max_bytes=100, kept_files=1)
    file.write(b"one\n")
    path.unlink()
    file.write(b"two\n")
    file.close()
    assert path.read_bytes() == b"two\n"


@WHERE_OPEN_FILES_CAN_GO
def test_a_folder_that_comes_back(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    file = LogFile(folder / "x.log", max_bytes=100, kept_files=1)
    folder.rename(tmp_path / "moved")
    with pytest.raises(FileNotFoundError):
        file.write(b"one\n")
    folder.mkdir()
    file.write(b"two\n")
    file.close()
    assert (folder / "x.log").read_bytes() == b"two\n"


def test_one_file_per_writer(tmp_path: Path) -> None:
    first, second, other = Claim(tmp_path, "client"), Claim(tmp_path, "client"), Claim(tmp_path, "server")
    assert [claim.path.name for claim in (first, second, other)] == ["client.log", "client-2.log", "server.log"]
    assert (tmp_path / ".client-2.lock").exists()
    first.release()
    first.release()
    third = Claim(tmp_path, "client")
    assert third.path.name == "client.log"
    for claim in (second, third, other):
        claim.release()


def test_the_folder_is_created(tmp_path: Path) -> None:
    Claim(tmp_path / "a" / "b", "client").release()
    assert (tmp_path / "a" / "b").is_dir()


def test_a_folder_that_cannot_be_created(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder, cause in ((tmp_path / "file", "it is a file"), (tmp_path / "file" / "logs", "Not a directory")):
        with pytest.raises(FolderUnusable) as caught:
            Claim(folder, "client")
        assert (caught.value.flag, caught.value.folder, caught.value.cause) == ("--log-dir", str(folder), cause)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs a folder in which nobody can create a file")
def test_a_folder_that_cannot_be_written() -> None:
    with pytest.raises(FolderUnusable):
        Claim(Path("/proc/self"), "client")
