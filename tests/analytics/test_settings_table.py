from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from plugandtell.analytics.settings_table import check_table
from plugandtell.core.errors import ConfigurationUnreadable

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_key_that_no_command_knows_is_named(folder: Path) -> None:
    (folder / "plugandtell.toml").write_text("[analytics]\nredakt = true\n")
    with pytest.raises(ConfigurationUnreadable, match=r"\[analytics\] has no setting 'redakt'"):
        check_table()


def test_keys_of_any_command_are_taken_in_either_spelling(folder: Path) -> None:
    text = '[analytics]\nredact = true\nmax-audio-hours = 2\nlanguage = "fr"\nalert_webhook = "https://x"\n'
    (folder / "plugandtell.toml").write_text(text)
    check_table()


@pytest.mark.parametrize("text", [None, "[server]\nport = 1\n", "[analytics\n"])
def test_what_is_not_there_or_no_table_is_for_others_to_say(folder: Path, text: str | None) -> None:
    if text is not None:
        (folder / "plugandtell.toml").write_text(text)
    check_table()
