from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from plugandtell.analytics.settings_table import check_table, unknown_keys
from plugandtell.core.errors import ConfigurationUnreadable

if TYPE_CHECKING:
    from pathlib import Path


def test_a_key_that_no_command_knows_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plugandtell.toml").write_text("[analytics]\nredakt = true\n")
    with pytest.raises(ConfigurationUnreadable, match=r"\[analytics\] has no setting 'redakt'"):
        check_table()


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ("[analytics]\nredact = true\nmax-audio-hours = 2\nlanguage = 'fr'\nalert_webhook = 'https://x'\n", []),
        ("[analytics]\nlanguage = 'fr'\nlangauge = 'fr'\nport = 1\n", ["langauge", "port"]),
        ("[server]\nport = 1\n", []),
        ("[analytics\n", []),
        ("", []),
    ],
)
def test_keys_of_any_command_are_known_in_either_spelling(text: str, unknown: list[str]) -> None:
    assert unknown_keys(text) == unknown
