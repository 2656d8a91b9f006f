"""Which calls were submitted from a folder, so that one that was deleted since is not submitted again."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from typing import TYPE_CHECKING

from plugandtell.core.errors import FolderUnusable

if TYPE_CHECKING:
    from pathlib import Path


class Submitted:
    """The ids, in a file of lines that is only ever added to.

    Args:
        data_dir: The data folder, in which the file is.
        folder: The folder of recordings.
        calls: Where the calls live: those of another database were not submitted to this one.

    Raises:
        FolderUnusable: The file cannot be read or made.
    """

    def __init__(self, data_dir: Path, folder: Path, calls: str) -> None:
        key = hashlib.sha256(f"{folder.resolve()}\n{calls}".encode()).hexdigest()[:16]
        self._path = data_dir / "submitted" / f"{key}.txt"
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.touch()
            self._ids = set(self._path.read_text(encoding="ascii", errors="replace").split())
        except OSError as exc:
            raise FolderUnusable("--data-dir", str(data_dir), exc.strerror or str(exc)) from exc

    def __contains__(self, call_id: str) -> bool:
        return call_id in self._ids

    def add(self, call_id: str) -> None:
        """Note one. Should it not get to the disk, it is submitted once more, which does no harm."""
        if call_id not in self._ids:
            self._ids.add(call_id)
            with suppress(OSError), self._path.open("a", encoding="ascii") as file:
                file.write(f"{call_id}\n")
