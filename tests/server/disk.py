"""A disk that fills up."""

from __future__ import annotations

import errno
from io import FileIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from _typeshed import ReadableBuffer


class Disk:
    """Has room for so many bytes more."""

    def __init__(self, room_bytes: int) -> None:
        self.room_bytes = room_bytes

    def create(self, path: Path) -> FileIO:
        """A new file on this disk."""
        return _File(path, self)


class _File(FileIO):
    """Takes what there is room for, and then fails."""

    def __init__(self, path: Path, disk: Disk) -> None:
        super().__init__(path, "xb")
        self._disk = disk

    def write(self, data: ReadableBuffer, /) -> int:
        view = memoryview(data)[: self._disk.room_bytes]
        if not view:
            raise OSError(errno.ENOSPC, "No space left on device")
        self._disk.room_bytes -= len(view)
        return super().write(view) or 0
