"""How much is logged, where to, and in which colours."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from plugandtell.core.errors import InvalidSetting
from plugandtell.core.log_level import LogLevel

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import TextIO

COLUMNS_VARIABLE = "PLUGANDTELL_CONSOLE_COLUMNS"
_PROCESS_NAME = re.compile(r"[a-z]+")


@dataclass(frozen=True, slots=True)
class LogSettings:
    """What one process logs, and where to.

    Attributes:
        process: `client` or `server`: the name on every line, and of the file `<folder>/<process>.log`.
        folder: Where the file goes; created when missing.
        level: The least severe events that are logged.
        max_file_bytes: The file is rotated before it would grow larger than this.
        kept_files: How many rotated files are kept beside the current one.
        color: Colours on the console; None decides by the terminal, `NO_COLOR` and `FORCE_COLOR`.
        tracebacks: Whether the console shows tracebacks, or their last line only; the file has them whole.

    Raises:
        InvalidSetting: A value that cannot be used.
    """

    process: str
    folder: Path
    level: LogLevel = LogLevel.INFO
    max_file_bytes: int = 10_000_000
    kept_files: int = 5
    color: bool | None = None
    tracebacks: bool = True

    def __post_init__(self) -> None:
        if not _PROCESS_NAME.fullmatch(self.process):
            raise InvalidSetting("process", self.process, "a name of lower-case letters")
        if self.level not in tuple(LogLevel):
            raise InvalidSetting("--log-level", self.level, f"one of {', '.join(LogLevel)}")
        if self.max_file_bytes < 1:
            raise InvalidSetting("max_file_bytes", self.max_file_bytes, "at least 1 byte")
        if self.kept_files < 1:
            raise InvalidSetting("kept_files", self.kept_files, "at least 1 file")


def console_columns(stream: TextIO | None, environ: Mapping[str, str]) -> int | None:
    """How long a line of the console may be: the terminal's width, or what the process says whose terminal shows it.

    None where there is no terminal: any length will do.
    """
    if (told := environ.get(COLUMNS_VARIABLE, "")).isdecimal():
        return int(told)
    try:
        return os.get_terminal_size(stream.fileno()).columns or None if stream is not None else None
    except (OSError, AttributeError, ValueError):  # ValueError: it is closed
        return None


def wants_color(color: bool | None, *, is_terminal: bool, environ: Mapping[str, str]) -> bool:
    """Whether the console gets colours.

    The setting decides; without one, a non-empty `NO_COLOR` (https://no-color.org) says no, then a non-empty
    `FORCE_COLOR` says yes, then it takes a terminal that understands colours.
    """
    if color is not None:
        return color
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR"):
        return True
    # The old Windows console shows escape sequences as text unless asked not to; Windows Terminal sets WT_SESSION.
    understands = "WT_SESSION" in environ if os.name == "nt" else environ.get("TERM") != "dumb"
    return is_terminal and understands
