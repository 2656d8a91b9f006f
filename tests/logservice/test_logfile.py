from __future__ import annotations

from pathlib import Path

import pytest

from plugandtell.core.errors import FolderUnusable
from plugandtell.logservice.logfile import Claim


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
