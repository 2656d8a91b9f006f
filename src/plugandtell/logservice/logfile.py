"""The rotated file of a process, which belongs to one process at a time."""

from __future__ import annotations

import errno
import json
import logging
import os
import sys
from contextlib import suppress
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from filelock import FileLock, Timeout

from plugandtell.core.errors import FolderUnusable

if TYPE_CHECKING:
    from plugandtell.logservice.console import Console

_FLAG = "--log-dir"
_MAX_WRITERS = 99


class Claim:
    """The right to write one log file, held until `release` or the end of the process, however it ends.

    Takes `<folder>/<process>.log`, or `<process>-2.log` when another process has that, and so on. The folder is
    created when missing.

    Raises:
        FolderUnusable: The folder cannot be created, or no file can be locked in it.
    """

    def __init__(self, folder: Path, process: str) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock, self.path = _first_free(folder, process)
        except (OSError, NotImplementedError) as exc:
            raise unusable(folder, exc) from exc

    def release(self) -> None:
        """Let another process have the file. Idempotent."""
        self._lock.release(force=True)


class Unclaimed:
    """What stands for the claim of a process that writes no file."""

    path = Path(os.devnull)

    def release(self) -> None:
        """There is nothing to release."""


class LogFile(RotatingFileHandler):
    """Writes JSON lines; the first one that cannot be written is reported on the console, and only that.

    Each line is flushed, so that kill -9 leaves whole lines. The file is tried again with each record.

    Raises:
        OSError: The file cannot be opened.
    """

    def __init__(self, path: Path, max_bytes: int, kept_files: int, console: Console) -> None:
        super().__init__(path, maxBytes=max_bytes, backupCount=kept_files, encoding="utf-8")
        self._console = console
        self._has_failed = False

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  (a name of logging)
        """Called by logging in place of `emit`'s exception."""
        if not self._has_failed:
            self._has_failed = True
            at = json.loads(record.getMessage())["timestamp"]
            error = str(sys.exception())
            self._console.show({"timestamp": at, "level": "error", "event": "log_file_failed", "error": error})


class Outlet(logging.StreamHandler[TextIO]):
    """Writes lines into a pipe, where another process takes them. When that one is gone, nobody misses them."""

    def __init__(self, descriptor: int) -> None:
        super().__init__(open(descriptor, "w", encoding="utf-8"))  # noqa: SIM115  (closed by `close`)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  (a name of logging)
        """Called by logging in place of `emit`'s exception."""

    def close(self) -> None:
        """Let go of the pipe."""
        with suppress(OSError):
            self.stream.close()
        super().close()


def unusable(folder: Path, exc: Exception) -> FolderUnusable:
    """The error that tells the user which folder cannot take the log, and why."""
    cause = exc.strerror if isinstance(exc, OSError) and exc.strerror else str(exc)
    return FolderUnusable(_FLAG, str(folder), "it is a file" if isinstance(exc, FileExistsError) else cause)


def _first_free(folder: Path, process: str) -> tuple[FileLock, Path]:
    for number in range(1, _MAX_WRITERS + 1):
        name = process if number == 1 else f"{process}-{number}"
        lock_path = folder / f".{name}.lock"
        # Not thread-local: whichever thread closes the log gives the file back.
        lock = FileLock(lock_path, timeout=0, thread_local=False)
        try:
            lock.acquire()
        except Timeout:
            if not lock_path.exists():  # some file systems report a file that cannot be created as one that is held
                raise OSError(errno.EACCES, "no file can be created in it") from None
            continue
        return lock, folder / f"{name}.log"
    raise OSError(errno.EBUSY, f"{_MAX_WRITERS} other processes log there")
