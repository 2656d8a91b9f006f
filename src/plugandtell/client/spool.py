"""The spool: what clients have heard and servers have not confirmed, on disk, a folder for each stream.

A folder belongs to the process that holds its lock. What is not locked was left by a client that died or gave up, and
is sent by the next one that starts.
"""

from __future__ import annotations

import json
import shutil
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from filelock import FileLock, Timeout
from platformdirs import user_state_path

from plugandtell.client.chunk_file import DAMAGED_SUFFIX, SUFFIX
from plugandtell.client.disk_store import DiskLimits, DiskStore
from plugandtell.core.errors import ProtocolError
from plugandtell.core.protocol.codec import decode_client, encode
from plugandtell.core.protocol.messages import Hello
from plugandtell.logservice import get_logger

if TYPE_CHECKING:
    from pathlib import Path

    from plugandtell.core.audio import AudioFormat

_HELLO = "hello.json"
_LOCK = ".lock"
_LOCK_WITHIN_S = 10.0
_PRIVATE = 0o700  # what people said is for no other user of the machine
_CHUNKS_IN_LIMIT = 16
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class SpooledStream:
    """One stream in the spool, locked by us.

    Attributes:
        hello: What opens its connections.
        server: The address of the server that it was meant for.
        store: Its audio.
        folder: Where it is.
        lock: Held while it is ours.
    """

    hello: Hello
    server: str
    store: DiskStore
    folder: Path
    lock: FileLock


class Spool:
    """The folder of all streams, of this client and of others on this machine.

    The size limit holds for all of them together, to within a file for each client that is running. When it is reached,
    the oldest file of the oldest stream goes that is not locked by another client.

    Args:
        folder: Created if missing.
        limit_bytes: For all files together.
        audio: The format of the PCM.

    Raises:
        OSError: The folder cannot be created.
    """

    def __init__(self, folder: Path, limit_bytes: int, audio: AudioFormat) -> None:
        folder.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
        self.folder = folder
        self._limit_bytes = limit_bytes
        self._limits = DiskLimits(chunk_bytes=min(DiskLimits().chunk_bytes, limit_bytes // _CHUNKS_IN_LIMIT))
        self._audio = audio
        self._lock = FileLock(folder / _LOCK, timeout=_LOCK_WITHIN_S, thread_local=False)
        self._ours: dict[Path, SpooledStream] = {}
        self._log = get_logger()

    def begin(self, hello: Hello, server: str) -> SpooledStream:
        """Make a place for a new stream.

        Raises:
            OSError: The disk does not take it.
        """
        folder = self.folder / str(hello.stream_id)
        with self._locked():
            folder.mkdir()
            lock = _lock_of(folder)
            lock.acquire()
            text = json.dumps({"server": server, "hello": encode(hello)}, ensure_ascii=False)
            (folder / _HELLO).write_text(text, encoding="utf-8")
        return self._take(folder, hello, server, lock)

    def leftovers(self) -> list[SpooledStream]:
        """Lock every stream that is nobody's, the oldest first. What cannot be sent is said, and left where it is.

        Raises:
            OSError: The spool cannot be read.
        """
        found = []
        with self._locked():
            for folder in self._folders():
                if (folder not in self._ours) and (lock := _try_lock(folder)) is not None:
                    try:
                        hello, server = _read_hello(folder)
                    except (OSError, ValueError) as exc:
                        self._leave(folder, lock, exc)
                    else:
                        found.append(self._take(folder, hello, server, lock))
        return sorted(found, key=lambda stream: stream.hello.started_at)

    def remove(self, stream: SpooledStream) -> None:
        """It is sent. Damaged files of it stay."""
        stream.store.close()
        self._ours.pop(stream.folder, None)
        with suppress(OSError), self._locked():
            stream.lock.release(force=True)
            _remove_folder(stream.folder)

    def release(self, stream: SpooledStream) -> None:
        """Leave it for the next client."""
        stream.store.close()
        self._ours.pop(stream.folder, None)
        stream.lock.release(force=True)

    def _take(self, folder: Path, hello: Hello, server: str, lock: FileLock) -> SpooledStream:
        store = DiskStore(folder, self._audio, self._limits, self._make_room)
        stream = SpooledStream(hello, server, store, folder, lock)
        self._ours[folder] = stream
        return stream

    def _leave(self, folder: Path, lock: FileLock, exc: Exception) -> None:
        """Nobody knows whose audio it is. A client that died at its first step leaves none."""
        lock.release(force=True)
        if any(folder.glob(f"*{SUFFIX}")):
            self._log.error("spool_damaged", folder=str(folder), error=str(exc))
        elif not any(folder.glob(f"*{DAMAGED_SUFFIX}")):
            _remove_folder(folder)

    def _make_room(self, size_bytes: int) -> None:
        """See to it that the spool stays within its limit when so much comes to it."""
        while self._size_bytes() + size_bytes > self._limit_bytes:
            samples = next((given for folder in self._folders() if (given := self._evict_from(folder))), None)
            if samples is None:
                return
            self._log.error(
                "spool_full",
                lost_s=self._audio.seconds_from(samples),
                limit_mb=self._limit_bytes / 1_000_000,
                hint="the oldest audio is deleted: make room with --spool-mb",
            )

    def _evict_from(self, folder: Path) -> int | None:
        """Delete the oldest file of a stream; returns about how many samples went, or None if none can go.

        A folder without a hello is being made by its client, who has not locked it yet.
        """
        if (stream := self._ours.get(folder)) is not None:
            damaged = self._delete_oldest(folder, DAMAGED_SUFFIX)
            return stream.store.evict() if damaged is None else damaged
        if not (folder / _HELLO).exists() or (lock := _try_lock(folder)) is None:
            return None
        try:
            return self._delete_oldest(folder, DAMAGED_SUFFIX, SUFFIX)
        finally:
            lock.release(force=True)

    def _delete_oldest(self, folder: Path, *suffixes: str) -> int | None:
        try:
            oldest = min((path for path in folder.iterdir() if path.suffix in suffixes), default=None)
            if oldest is None:
                return None
            size_bytes = oldest.stat().st_size
            oldest.unlink()
        except OSError:
            return None
        return self._audio.samples_in(size_bytes)

    def _folders(self) -> list[Path]:
        """Every stream's folder, the oldest first."""
        folders = [path for path in self.folder.iterdir() if path.is_dir()]
        return sorted(folders, key=lambda folder: _modified_at(folder / _HELLO))

    def _size_bytes(self) -> int:
        return sum(_size_of(path) for path in self.folder.glob("*/*"))

    def _locked(self) -> _Locked:
        return _Locked(self._lock)


def default_folder() -> Path:
    """The spool of this user, where the operating system keeps what programs remember."""
    return user_state_path("plugandtell", appauthor=False) / "spool"


def is_same_host(one: str, other: str) -> bool:
    """Whether two addresses name one machine: what was meant for one server must not go to another."""
    hosts = [urlsplit(url).hostname for url in (one, other)]
    return hosts[0] == hosts[1] or all(host in _LOOPBACK for host in hosts)


class _Locked:
    """Holds a lock; that it cannot be had in time is an `OSError` like others."""

    def __init__(self, lock: FileLock) -> None:
        self._lock = lock

    def __enter__(self) -> None:
        try:
            self._lock.acquire()
        except Timeout as exc:
            raise OSError(f"another client holds {self._lock.lock_file}") from exc

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def _lock_of(folder: Path) -> FileLock:
    return FileLock(folder / _LOCK, blocking=False, thread_local=False)


def _try_lock(folder: Path) -> FileLock | None:
    lock = _lock_of(folder)
    try:
        lock.acquire()
    except (Timeout, OSError):
        return None
    return lock


def _read_hello(folder: Path) -> tuple[Hello, str]:
    """What is beside the audio.

    Raises:
        OSError: It cannot be read.
        ValueError: It is not what we wrote.
    """
    try:
        fields = json.loads((folder / _HELLO).read_text(encoding="utf-8"))
        hello, server = decode_client(fields["hello"]), str(fields["server"])
    except (ProtocolError, KeyError, TypeError) as exc:
        raise ValueError(f"{_HELLO}: {exc}") from exc
    if not isinstance(hello, Hello):
        raise ValueError(f"{_HELLO} holds no hello")  # noqa: TRY004  (a wrong value, not a wrong type)
    return hello, server


def _remove_folder(folder: Path) -> None:
    """Delete it; of one that holds damaged files, delete the rest."""
    if not any(folder.glob(f"*{DAMAGED_SUFFIX}")):
        shutil.rmtree(folder, ignore_errors=True)
        return
    for path in folder.iterdir():
        if path.suffix != DAMAGED_SUFFIX:
            with suppress(OSError):
                path.unlink()


def _modified_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
