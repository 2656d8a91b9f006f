"""In which formats recordings are copied, and under which names."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from plugandtell.core.errors import InvalidSetting

if TYPE_CHECKING:
    from pathlib import Path


class ExportFormat(StrEnum):
    """What recordings can be written as."""

    FLAC = "flac"
    MP3 = "mp3"
    OGG = "ogg"
    WAV = "wav"


def format_of(to: Path, wanted: ExportFormat | None) -> ExportFormat:
    """The format that was asked for, by name or by the ending of a file; FLAC, which loses nothing, if none was."""
    return wanted or _ending_of(to) or ExportFormat.FLAC


def target_of(to: Path, name: str, kind: ExportFormat, *, is_single: bool) -> Path:
    """Where a copy goes: into the folder `to`, or for a single one into the file `to`, if it ends as a format does.

    Raises:
        InvalidSetting: It ends as another format does, or there are several for one file.
    """
    ending = _ending_of(to)
    if ending is None:
        return to / f"{name}.{kind.value}"
    if not is_single:
        raise InvalidSetting("--to", str(to), "a folder for several recordings")
    if ending is not kind:
        raise InvalidSetting("--to", str(to), f"a folder, or a file that ends in .{kind.value} as --format says")
    return to


def _ending_of(to: Path) -> ExportFormat | None:
    endings = {f".{one.value}": one for one in ExportFormat}
    return None if to.is_dir() else endings.get(to.suffix.lower())
