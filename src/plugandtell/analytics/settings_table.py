"""The table `[analytics]` of the configuration file, which several commands share: each knows only some of its keys."""

from __future__ import annotations

import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Final

from plugandtell.analytics.call_flags import CallFlags
from plugandtell.analytics.settings import EngineSettings, StoreSettings, WorkerSettings
from plugandtell.command import CONFIG_FILE
from plugandtell.core.errors import ConfigurationUnreadable

_TABLE: Final = "analytics"
_OF_COMMANDS: Final = frozenset({"analytics", "service", "watch", "audio_store", "json"})
_KNOWN: Final = _OF_COMMANDS | {
    field.name for kind in (CallFlags, EngineSettings, StoreSettings, WorkerSettings) for field in fields(kind)
}


def unknown_keys(text: str) -> list[str]:
    """The keys of the table in that configuration which no command knows; none where it cannot be read."""
    try:
        table = tomllib.loads(text).get(_TABLE, {})
    except ValueError:  # said by whoever reads the whole file
        return []
    return [key for key in table if key.replace("-", "_") not in _KNOWN]


def check_table() -> None:
    """See that nobody believes in a setting that does not exist, such as a misspelt `redact`.

    Raises:
        ConfigurationUnreadable: The table holds a key that no command knows.
    """
    try:
        unknown = unknown_keys(Path(CONFIG_FILE).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):  # said as well by whoever reads the whole file
        return
    if unknown:
        raise ConfigurationUnreadable(CONFIG_FILE, f"[{_TABLE}] has no setting {unknown[0]!r}")
