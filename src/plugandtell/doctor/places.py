"""Whether there is where to write, and room."""

from __future__ import annotations

import os
import shutil
import tempfile
from typing import TYPE_CHECKING, Final

from plugandtell.core.amounts import size_text
from plugandtell.core.exit_status import ExitStatus
from plugandtell.doctor.finding import Finding, broken, ok, warning

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SCARCE_BYTES: Final = 1_000_000_000
"""Nine hours of speech, at 115 MB an hour."""


def check_folder(name: str, flag: str, folder: Path) -> Iterator[Finding]:
    """Whether it can be written, without leaving anything in it, and without making it."""
    existing = _nearest(folder)
    is_there = existing == folder
    try:
        with tempfile.TemporaryFile(dir=existing) as file:
            file.write(b"\0")
            file.flush()
            os.fsync(file.fileno())
    except OSError as exc:
        said = f"{existing.absolute()} cannot be written ({(exc.strerror or str(exc)).lower()})"
        remedy = f"make it writable for {_whoami()}, or choose another folder with {flag}"
        yield broken(name, ExitStatus.FOLDER_UNUSABLE, said, remedy)
        return
    yield ok(name, f"{folder.absolute()} {'can be written' if is_there else 'will be made'}")


def check_disk(audio: Path, min_free_mb: float, spool: Path, spool_mb: float) -> Iterator[Finding]:
    """Whether there is room for recordings, and for what no server has confirmed."""
    remedy = "`plugandtell recordings prune --keep-free 5GB` deletes the oldest; --audio-dir chooses another disk"
    free_bytes = shutil.disk_usage(_nearest(audio)).free
    said = f"{size_text(free_bytes)} free for recordings"
    if free_bytes < min_free_mb * 1_000_000:
        yield broken("disk", ExitStatus.FOLDER_UNUSABLE, f"{said}, less than --min-free-mb {min_free_mb:g}", remedy)
    elif free_bytes < min_free_mb * 1_000_000 + _SCARCE_BYTES:
        yield warning("disk", f"{said}, which is not much: an hour of speech takes 115 MB", remedy)
    else:
        yield ok("disk", said)
    free_bytes = shutil.disk_usage(_nearest(spool)).free
    if free_bytes < spool_mb * 1_000_000:
        said = f"{size_text(free_bytes)} free for the spool, which may take {size_text(round(spool_mb * 1_000_000))}"
        yield warning("spool room", said, "make room, lower --spool-mb, or choose another disk with --spool-dir")


def _nearest(folder: Path) -> Path:
    """The folder, or what is there of its parents."""
    while not os.path.lexists(folder) and folder != folder.parent:
        folder = folder.parent
    return folder


def _whoami() -> str:
    return os.environ.get("USER") or os.environ.get("USERNAME") or "this user"
