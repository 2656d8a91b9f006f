"""What is on the disk, and not only in the memory of the operating system."""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

NEW = ".new"
_COPY_BLOCK_BYTES = 1024 * 1024


def sync_path(path: Path) -> None:
    """Put a file, or the names in a folder, on the disk. Windows keeps its folders itself."""
    if sys.platform == "win32" and path.is_dir():
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_anew(path: Path) -> None:
    """Replace a file whose sync failed by a copy that is on the disk.

    After a sync that failed, the system counts the pages as clean: the next one succeeds though they never got to the
    disk. What was written is in memory still, as a rule, and is read from there.

    Raises:
        OSError: The copy is not on the disk either; the file is as it was.
    """
    temporary = path.with_name(path.name + NEW)
    try:
        with path.open("rb") as old, temporary.open("wb", buffering=0) as new:
            shutil.copyfileobj(old, new, _COPY_BLOCK_BYTES)
            os.fsync(new.fileno())
        temporary.replace(path)
    except OSError:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


def is_synced(descriptor: int) -> bool:
    """Put a file on the disk; returns whether it is there."""
    try:
        os.fsync(descriptor)
    except OSError:
        return False
    return True


def flush_data(descriptor: int) -> None:
    """Put what a file holds on the disk, and no more of what is known of it than that takes."""
    getattr(os, "fdatasync", os.fsync)(descriptor)  # macOS and Windows have the latter alone
