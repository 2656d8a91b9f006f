"""Temporary folders for processes that may be killed at any time: whoever comes next removes what they left."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from filelock import FileLock, Timeout

from plugandtell.core.errors import FolderUnusable

if TYPE_CHECKING:
    from typing import Self

_SWEEP_LOCK: Final = "sweep.lock"
_OWNER_LOCK: Final = "owner.lock"
_PREFIX: Final = "work-"


class Scratch:
    """A folder below `parent` for the temporary files of one pool, and of its children.

    It is held by a lock, which the system lets go when this process dies, however it dies. Folders beside it that
    nobody holds are removed at the start.

    Raises:
        FolderUnusable: The folder cannot be created or locked.
    """

    def __init__(self, parent: Path) -> None:
        try:
            parent.mkdir(parents=True, exist_ok=True)
            with FileLock(parent / _SWEEP_LOCK):  # nobody may take a new folder for one that was left
                _sweep(parent)
                self._folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
                self._lock = FileLock(self._folder / _OWNER_LOCK, thread_local=False)
                self._lock.acquire(timeout=0)
        except OSError as exc:
            raise FolderUnusable("--data-dir", str(parent), exc.strerror or str(exc)) from exc

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def new_folder(self) -> Path:
        """A new, empty folder in it."""
        return Path(tempfile.mkdtemp(dir=self._folder))

    def close(self) -> None:
        """Remove the folder with everything in it. Idempotent."""
        self._lock.release()
        shutil.rmtree(self._folder, ignore_errors=True)


def _sweep(parent: Path) -> None:
    for folder in parent.glob(f"{_PREFIX}*"):
        lock = FileLock(folder / _OWNER_LOCK)
        try:
            lock.acquire(timeout=0)
        except (Timeout, OSError):  # somebody holds it, or it is gone already
            continue
        lock.release()
        shutil.rmtree(folder, ignore_errors=True)
