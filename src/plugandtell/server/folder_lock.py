"""The lock of an audio folder: one server at a time, and one process at a time for each share of its streams."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from plugandtell.core.errors import FolderUnusable
from plugandtell.core.shard import WHOLE, Shard

if TYPE_CHECKING:
    from pathlib import Path

_LOCK = ".plugandtell.lock"
_WORKERS_GONE_WITHIN_S = 5.0
_LOOK_EVERY_S = 0.02


class FolderLock:
    """Held until `release`, or until the process ends, however it ends.

    A server that is killed takes its workers along, but one of them that waits for the disk may outlive it for a while.
    Each has a lock of its own, which the next server waits for.

    Args:
        folder: Created if it is missing.
        shard: What is locked: all of it, or the share of a worker, whose server has the lock of the whole.

    Raises:
        FolderUnusable: The folder cannot be created or written, or somebody else has it.
    """

    def __init__(self, folder: Path, shard: Shard = WHOLE) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = _taken(folder / (_LOCK if shard.of == 1 else f"{_LOCK}-{shard.number + 1}"))
            if shard.of == 1:
                self._wait_for_workers(folder)
        except Timeout as exc:
            raise FolderUnusable("--audio-dir", str(folder), "another server records into it") from exc
        except OSError as exc:
            raise FolderUnusable("--audio-dir", str(folder), exc.strerror or str(exc)) from exc

    def release(self) -> None:
        """Let go of it. Idempotent."""
        self._lock.release()

    def _wait_for_workers(self, folder: Path) -> None:
        """Wait until the workers of a server that was here before are gone."""
        until = time.monotonic() + _WORKERS_GONE_WITHIN_S
        try:
            for path in folder.glob(f"{_LOCK}-*"):
                _taken(path, max(0.0, until - time.monotonic())).release()
        except BaseException:
            self.release()
            raise


def _taken(path: Path, timeout_s: float = 0.0) -> FileLock:
    lock = FileLock(path, timeout=timeout_s, poll_interval=_LOOK_EVERY_S)
    lock.acquire()
    return lock
