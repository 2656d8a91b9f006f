"""Events for machines: JSON lines in a rotated file that belongs to one process at a time."""

from __future__ import annotations

import contextlib
import errno
import json
import os
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from plugandtell.core.errors import FolderUnusable

if TYPE_CHECKING:
    from io import FileIO
    from pathlib import Path

    from plugandtell.logservice.entry import Entry

_FLAG = "--log-dir"
_MAX_WRITERS = 99
_OWN_KEYS = frozenset({"timestamp", "level", "event", "process", "pid"})


def render_json(entry: Entry, process: str, pid: int) -> bytes:
    """The JSON line of an entry: `timestamp` (UTC), `level`, `event`, `process`, `pid`, then its fields.

    A field that bears one of those names gets an underscore at its end. The line is ASCII, so that no control
    character in it reaches the terminal of whoever looks at the file.
    """
    at = datetime.fromtimestamp(entry.created_s, UTC).isoformat(timespec="milliseconds")
    line: dict[str, object] = {
        "timestamp": at.replace("+00:00", "Z"),
        "level": entry.level,
        "event": entry.event,
        "process": process,
        "pid": pid,
    }
    line.update({f"{key}_" if key in _OWN_KEYS else key: value for key, value in entry.fields.items()})
    return json.dumps(line).encode() + b"\n"


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


class LogFile:
    """Lines appended to `path`; before it grows past `max_bytes` it becomes `path.1`, that becomes `path.2`, ...

    Each line is one unbuffered write, so that kill -9 leaves whole lines. A line that fits only in part, because the
    disk is full, is taken back. A file that was moved or deleted is opened anew. A file that cannot be renamed, since
    another program on Windows has it open, grows until it can.

    Raises:
        OSError: The file cannot be opened.
    """

    def __init__(self, path: Path, max_bytes: int, kept_files: int) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._kept_files = kept_files
        self._file, self._size_bytes = _opened(path)

    def write(self, line: bytes) -> None:
        """Append one line.

        Raises:
            OSError: Nothing of it was written; the next line may fare better.
        """
        if self._file.closed or not self._is_in_place():
            self._reopen()
        if self._size_bytes and self._size_bytes + len(line) > self._max_bytes:
            self._rotate()
        self._append(line)
        self._size_bytes += len(line)

    def close(self) -> None:
        """Close the file. Idempotent."""
        self._file.close()

    def _append(self, line: bytes) -> None:
        written = self._file.write(line)
        if written != len(line):
            with contextlib.suppress(OSError):
                self._file.truncate(self._size_bytes)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _is_in_place(self) -> bool:
        try:
            return os.path.samestat(self._path.stat(), os.fstat(self._file.fileno()))
        except FileNotFoundError:
            return False

    def _reopen(self) -> None:
        self._file.close()
        self._file, self._size_bytes = _opened(self._path)

    def _rotate(self) -> None:
        self._file.close()
        names = [self._path, *(self._path.with_name(f"{self._path.name}.{n + 1}") for n in range(self._kept_files))]
        with contextlib.suppress(OSError):
            for newer, older in reversed(list(pairwise(names))):
                if newer.exists():
                    newer.replace(older)
        self._reopen()


def unusable(folder: Path, exc: Exception) -> FolderUnusable:
    """The error that tells the user which folder cannot take the log, and why."""
    cause = exc.strerror if isinstance(exc, OSError) and exc.strerror else str(exc)
    return FolderUnusable(_FLAG, str(folder), "it is a file" if isinstance(exc, FileExistsError) else cause)


def _opened(path: Path) -> tuple[FileIO, int]:
    file = path.open("ab", buffering=0)
    return file, os.fstat(file.fileno()).st_size


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
