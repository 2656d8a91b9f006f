"""Copies of recordings in other formats: each appears whole under its name, or not at all."""

from __future__ import annotations

import os
from contextlib import suppress
from importlib.metadata import version
from typing import TYPE_CHECKING
from unicodedata import combining, normalize
from uuid import uuid4

from plugandtell.core.errors import FolderUnusable, InvalidSetting
from plugandtell.core.json_object import utc_text
from plugandtell.core.safe_text import escape
from plugandtell.recordings.export_format import ExportFormat
from plugandtell.recordings.listing import local_text
from plugandtell.recordings.sound import Sound, write_sound

if TYPE_CHECKING:
    from pathlib import Path

    from plugandtell.recordings.finished import FinishedRecording


def export(recording: FinishedRecording, target: Path, kind: ExportFormat, *, is_forced: bool) -> None:
    """Write a copy. The folder of the target is made if it is missing.

    Args:
        recording: What to copy.
        target: The file to make.
        kind: Its format.
        is_forced: Whether to replace a file that is there.

    Raises:
        InvalidSetting: The name is taken and not to be replaced, the folder is that of the recordings, or the format
            cannot be written here.
        FolderUnusable: It cannot be written.
        InputError: The recording cannot be read.
    """
    if target.parent.resolve() == recording.sidecar.parent.resolve():
        raise InvalidSetting("--to", str(target), "outside the folder of the recordings, where each file is a server's")
    if not is_forced:
        _check_free(target)
    temporary = target.with_name(f".{target.name}.{uuid4().hex[:8]}.new")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with Sound(recording.audio) as sound:
            write_sound(temporary, sound, kind.value, _tags(recording, kind))
        _put_in_place(temporary, target, is_forced=is_forced)
    except OSError as exc:
        raise FolderUnusable("--to", str(target.parent), (exc.strerror or str(exc)).lower()) from exc
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _put_in_place(temporary: Path, target: Path, *, is_forced: bool) -> None:
    if is_forced:
        temporary.replace(target)
        return
    try:
        os.link(temporary, target)  # unlike a rename, it never replaces what has come there meanwhile
    except OSError:  # it has; or a disk that knows no second names
        _check_free(target)
        temporary.replace(target)


def _check_free(target: Path) -> None:
    if os.path.lexists(target):
        raise InvalidSetting("--to", str(target), "a name that is free, or give --force to replace what is there")


def _tags(recording: FinishedRecording, kind: ExportFormat) -> dict[str, str]:
    label = escape(recording.origin.label)
    tags = {
        "title": f"{label}, {local_text(recording.started_at)}",
        "artist": label,
        "date": utc_text(recording.started_at),
        "comment": f"segment {recording.origin.segment_id}",
        "software": f"PlugAndTell {version('plugandtell')}",
    }
    return {name: _in_ascii(text) for name, text in tags.items()} if kind is ExportFormat.MP3 else tags


def _in_ascii(text: str) -> str:
    """For the tags of an MP3, which libsndfile writes as ID3v1: that knows no encoding, and 30 bytes a field."""
    bare = "".join(one for one in normalize("NFKD", text) if not combining(one))
    return bare.encode("ascii", "replace").decode()
