from __future__ import annotations

import io
import os
import pty
import termios
from pathlib import Path
from typing import Any

import pytest

from plugandtell.core.errors import InvalidSetting
from plugandtell.logservice import LogLevel, LogSettings
from plugandtell.logservice.settings import COLUMNS_VARIABLE, console_columns, wants_color

FOLDER = Path("logs")


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("process", {"process": "../server"}),
        ("process", {"process": ""}),
        ("process", {"process": "client-2"}),
        ("--log-level", {"level": "loud"}),
        ("max_file_bytes", {"max_file_bytes": 0}),
        ("kept_files", {"kept_files": 0}),
    ],
)
def test_names_the_setting_that_cannot_be_used(name: str, given: dict[str, Any]) -> None:
    with pytest.raises(InvalidSetting) as caught:
        LogSettings(**{"process": "client", "folder": FOLDER, **given})
    assert caught.value.name == name
    assert caught.value.value == next(iter(given.values()))


def test_defaults() -> None:
    settings = LogSettings("client", FOLDER)
    assert settings.level is LogLevel.INFO
    assert settings.max_file_bytes == 10_000_000
    assert settings.kept_files == 5


@pytest.mark.parametrize(
    ("color", "is_terminal", "environ", "wanted"),
    [
        (None, True, {}, True),
        (None, False, {}, False),
        (None, True, {"NO_COLOR": "1"}, False),
        (None, True, {"NO_COLOR": ""}, True),
        (None, True, {"TERM": "dumb"}, False),
        (None, False, {"FORCE_COLOR": "1"}, True),
        (None, True, {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        (True, False, {"NO_COLOR": "1"}, True),
        (False, True, {"FORCE_COLOR": "1"}, False),
    ],
)
def test_color_of_the_console(color: bool | None, is_terminal: bool, environ: dict[str, str], wanted: bool) -> None:
    environ = {"WT_SESSION": "a terminal on Windows", **environ}
    assert wants_color(color, is_terminal=is_terminal, environ=environ) is wanted


def test_lines_are_as_wide_as_the_terminal_or_as_the_one_that_shows_them_says() -> None:
    master, slave = pty.openpty()
    with os.fdopen(master, "wb", 0), os.fdopen(slave, "w", encoding="ascii") as terminal:
        termios.tcsetwinsize(slave, (24, 93))
        assert console_columns(terminal, {}) == 93
        assert console_columns(terminal, {COLUMNS_VARIABLE: "71"}) == 71
        assert console_columns(terminal, {COLUMNS_VARIABLE: "wide"}) == 93
    for nowhere in (None, io.StringIO(), terminal):
        assert console_columns(nowhere, {}) is None
