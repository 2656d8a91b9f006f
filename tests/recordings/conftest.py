from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Protocol

import pytest

from plugandtell.recordings.cli import app

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Ask(Protocol):
    """Runs a command in a folder that holds the recordings in `audio`; gives what it printed."""

    def __call__(self, *arguments: str, status: int = 0) -> str: ...


@pytest.fixture(autouse=True)
def two_hours_east(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine whose clock shows 14:00 when it is noon in UTC."""
    monkeypatch.setenv("TZ", "EST-2")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def audio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the recordings, empty, in a working folder without settings."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PLUGANDTELL_AUDIO_DIR", raising=False)
    folder = tmp_path / "audio"
    folder.mkdir()
    return folder


@pytest.fixture
def ask(audio: Path, capsys: pytest.CaptureFixture[str]) -> Ask:
    return partial(_run, capsys, "out")


@pytest.fixture
def warned(audio: Path, capsys: pytest.CaptureFixture[str]) -> Ask:
    """The same, but gives what it printed on standard error."""
    return partial(_run, capsys, "err")


def _run(capsys: pytest.CaptureFixture[str], stream: str, *arguments: str, status: int = 0) -> str:
    assert app([*arguments], result_action="return_value") == status
    return str(getattr(capsys.readouterr(), stream))
