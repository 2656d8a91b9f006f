"""Recordings on disk: written under a temporary name, moved into place when complete.

While it grows, a recording is `NAME.wav.part` and `NAME.json.part`. When it is complete, the WAV is renamed first and
the sidecar last: whoever finds `NAME.json` finds a whole `NAME.wav` beside it. `recovery.py` mends what a crash leaves.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from plugandtell.core import wav
from plugandtell.core.errors import FolderUnusable, WriteFailed
from plugandtell.core.recording import (
    GapPolicy,
    Origin,
    WavFile,
    final_sidecar,
    gap_line,
    gaps_within,
    origin_line,
    recording_name,
)
from plugandtell.server.discards import Discarded, Discards

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from io import FileIO
    from pathlib import Path

    from plugandtell.core.segmenter import Ended, Gap
    from plugandtell.server.committer import Committer

PART = ".part"
NEW = ".new"
_LOCK = ".plugandtell.lock"
_HASH_BLOCK_BYTES = 1024 * 1024
_NUMBERED_NAMES = 9


@dataclass(frozen=True, slots=True)
class Saved:
    """A recording under its final name."""

    path: Path
    origin: Origin
    ended: Ended
    samples: int


class Recording:
    """One growing recording. What `write` has returned from survives the death of the process.

    Args:
        path: The final path of the WAV.
        file: The open file under the temporary name, empty.
        origin: What goes into the sidecar.
        on_closed: Told when the file is closed, on whatever thread.
    """

    def __init__(
        self, path: Path, file: FileIO, origin: Origin, on_closed: Callable[[Recording], None] = lambda _: None
    ) -> None:
        self.path = path
        self.origin = origin
        self._on_closed = on_closed
        self._file = file
        self._gaps: list[Gap] = []
        self._data_bytes = 0
        self._header_bytes = 0
        self._is_flushed = False
        self._synced_bytes = 0
        self._notes = 0
        self._synced_notes = 0
        self._is_doubtful = False  # whether a sync failed: one that does not fail afterwards proves nothing
        self._lock = threading.Lock()  # between those who close the file and the one who makes it safe

    @property
    def samples(self) -> int:
        """Length so far."""
        return self.origin.audio.samples_in(self._data_bytes)

    def begin(self) -> None:
        """Write what is known before the first sample.

        Raises:
            OSError: The disk is full or gone.
        """
        _put(self._file, wav.header(self.origin.audio, 0))
        self._note(origin_line(self.origin))

    def write(self, pcm: bytes | memoryview) -> None:
        """Append whole samples. Once for each second of audio, the header is brought up to date.

        Raises:
            WriteFailed: The disk is full or gone. What was written before stays.
        """
        self._append(pcm)
        if self._data_bytes - self._header_bytes >= self.origin.audio.bytes_in(self.origin.audio.sample_rate):
            self.patch_header()

    def note_gap(self, gap: Gap) -> None:
        """Remember a gap, and fill it with silence if that is the policy.

        Raises:
            WriteFailed: As `write` does. The gap is as if it had never been.
        """
        try:
            self._note(gap_line(gap))
        except OSError as exc:
            raise self._failed(exc) from exc
        if self.origin.gap_policy is GapPolicy.FILL:
            self._leave_hole(self.origin.audio.bytes_in(gap.samples))
        self._gaps.append(gap)

    def patch_header(self) -> None:
        """Make the file valid as it stands.

        Raises:
            WriteFailed: As `write` does.
        """
        if self._header_bytes == self._data_bytes:
            return
        try:
            self._file.seek(0)
            _put(self._file, wav.header(self.origin.audio, self._data_bytes))
            self._file.seek(0, os.SEEK_END)
        except OSError as exc:
            raise self._failed(exc) from exc
        self._header_bytes = self._data_bytes

    def finish(self, ended: Ended) -> Saved:
        """Move the recording into place. Reads the whole file once, so call it off the event loop.

        Raises:
            WriteFailed: The parts stay where they are, for another call to finish, or for the next start of the server.
        """
        if not self._is_flushed:
            self._flush()
        return move_into_place(self.path, self.origin, self._gaps, ended)

    def sync(self) -> None:
        """Put on the disk what was written before this call; call it off the event loop.

        Raises:
            WriteFailed: It is not on the disk.
        """
        with self._lock:
            if self._is_flushed:
                return
            wav_part, sidecar_part = parts_of(self.path)
            size_bytes = self._data_bytes
            notes = self._notes  # read after the size: the event loop notes a gap before it lets the file grow by it
            try:
                if notes != self._synced_notes:  # first, so that audio on the disk always has the gaps before it
                    sync_path(sidecar_part)
                    sync_path(wav_part.parent)
                _flush_data(self._file.fileno())
            except (OSError, ValueError) as exc:  # ValueError: the file is closed, and was not flushed
                self._is_doubtful = True
                raise WriteFailed(str(self.path), getattr(exc, "strerror", None) or str(exc)) from exc
            self._synced_bytes, self._synced_notes = size_bytes, notes

    def cut_back(self) -> int:
        """Take back what never got to the disk; returns the index at which the recording ends now.

        After an error of the disk, what it did not take may be gone from memory too, and a second try would not say so.
        """
        with suppress(OSError):
            self._file.truncate(wav.HEADER_BYTES + self._synced_bytes)
            self._file.seek(0, os.SEEK_END)
        self._data_bytes = self._synced_bytes
        self._gaps, end_index = gaps_within(self.origin, self._gaps, self.samples)
        return end_index

    def discard(self) -> None:
        """Leave no file.

        Raises:
            WriteFailed: The parts could not be removed; the file is closed, and another call may try again.
        """
        with self._lock:
            self._is_flushed = True
            self._close()
        try:
            for part in parts_of(self.path):
                part.unlink(missing_ok=True)
        except OSError as exc:
            raise self._failed(exc) from exc

    def _flush(self) -> None:
        """Let go of the file, with all of it on the disk."""
        with self._lock:
            try:
                if self._file.closed:  # an earlier call failed
                    self._file = parts_of(self.path)[0].open("r+b", buffering=0)
                self.patch_header()
                self._is_doubtful = self._is_doubtful or not is_synced(self._file.fileno())
                if self._is_doubtful:
                    self._file.close()
                    write_anew(parts_of(self.path)[0])
                self._is_flushed = True
            except OSError as exc:
                raise self._failed(exc) from exc
            finally:
                self._close()

    def _close(self) -> None:
        with suppress(OSError):  # a network disk may only now tell of an error; what counts was flushed before
            self._file.close()
        self._on_closed(self)

    def _append(self, pcm: bytes | memoryview) -> None:
        try:
            _put(self._file, pcm)
        except OSError as exc:
            with suppress(OSError):  # half a message must not stay: the client sends it again
                self._file.truncate(wav.HEADER_BYTES + self._data_bytes)
                self._file.seek(0, os.SEEK_END)
            raise self._failed(exc) from exc
        self._data_bytes += len(pcm)

    def _leave_hole(self, size_bytes: int) -> None:
        """Let the file grow by silence: a hole reads as zeros, and takes the same moment however long it is."""
        try:
            self._file.truncate(wav.HEADER_BYTES + self._data_bytes + size_bytes)
            self._file.seek(0, os.SEEK_END)
        except OSError as exc:
            raise self._failed(exc) from exc
        self._data_bytes += size_bytes

    def _note(self, line: str) -> None:
        """Add a line to the open sidecar. Gaps are rare: a file that stays open would cost more than opening it."""
        with parts_of(self.path)[1].open("ab", buffering=0) as file:
            _put(file, line.encode())
        self._notes += 1

    def _failed(self, exc: OSError) -> WriteFailed:
        return WriteFailed(str(self.path), exc.strerror or str(exc))


def create_file(path: Path) -> FileIO:
    """A new file for bytes that are written at once.

    Raises:
        FileExistsError: There is one of that name.
    """
    return path.open("xb", buffering=0)


class Recorder:
    """An audio folder, owned by one server at a time.

    Args:
        folder: Created if it is missing.
        create: Makes the file of each new recording.
        committer: Puts on the disk what is to be acknowledged; None if having written it is enough.

    Raises:
        FolderUnusable: It cannot be created or written, or another server records into it.
    """

    def __init__(
        self,
        folder: Path,
        create: Callable[[Path], FileIO] = create_file,
        committer: Committer | None = None,
    ) -> None:
        self.folder = folder
        self.committer = committer
        self._create = create
        self._discards = Discards(folder)
        self._open: set[Recording] = set()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = FileLock(folder / _LOCK, blocking=False)
            self._lock.acquire()
        except Timeout as exc:
            raise FolderUnusable("--audio-dir", str(folder), "another server records into it") from exc
        except OSError as exc:
            raise FolderUnusable("--audio-dir", str(folder), exc.strerror or str(exc)) from exc

    def close(self) -> None:
        """Let go of the folder."""
        self._lock.release()

    @property
    def open_recordings(self) -> int:
        """How many have their file open."""
        return len(self._open)

    def free_bytes(self) -> int:
        """Room on the disk that holds the folder.

        Raises:
            WriteFailed: The folder is gone.
        """
        try:
            return shutil.disk_usage(self.folder).free
        except OSError as exc:
            raise WriteFailed(str(self.folder), exc.strerror or str(exc)) from exc

    def discarded_before(self) -> list[Discarded]:
        """The segments that earlier servers discarded last, oldest first.

        Raises:
            WriteFailed: They cannot be read.
        """
        return self._discards.load()

    def discard(self, recording: Recording, ended: Ended) -> None:
        """Leave no file of a segment without voice, and remember that there was one. Call it off the event loop.

        Raises:
            WriteFailed: The disk is full or gone; the parts stay, for another call.
        """
        origin = recording.origin
        segment = Discarded(origin.stream_id, origin.segment_id, ended.start_index, ended.end_index)
        self._discards.note(segment)
        recording.discard()

    def start(self, origin: Origin) -> Recording:
        """Begin a recording under a name that no other has.

        Raises:
            WriteFailed: The files cannot be created; nothing of them is left.
        """
        for suffix in _suffixes(origin):
            path = self.folder / (recording_name(origin.started_at, origin.label, suffix) + ".wav")
            try:
                if (file := self._claim(path)) is not None:
                    recording = Recording(path, file, origin, self._open.discard)
                    self._open.add(recording)
                    return _begun(recording)
            except OSError as exc:
                raise WriteFailed(str(path), exc.strerror or str(exc)) from exc
        raise WriteFailed(str(path), "the name is taken")

    def _claim(self, path: Path) -> FileIO | None:
        """Create the part of the WAV, unless the name is taken.

        The part comes first, the look at the final name second: a recording that is being finished meanwhile moves
        from the one to the other.
        """
        part = parts_of(path)[0]
        try:
            file = self._create(part)
        except FileExistsError:
            return None
        if not path.exists():
            return file
        file.close()
        part.unlink()
        return None


def _suffixes(origin: Origin) -> Iterator[str]:
    """What tells recordings of the same time and label apart: few tries, however many of them there are."""
    yield ""
    yield from (f"-{number}" for number in range(2, _NUMBERED_NAMES + 1))
    yield f"-{origin.segment_id.hex}"


def _begun(recording: Recording) -> Recording:
    try:
        recording.begin()
    except OSError:
        with suppress(WriteFailed):  # the first error says more
            recording.discard()
        raise
    return recording


def parts_of(path: Path) -> tuple[Path, Path]:
    """The temporary names of the WAV and its sidecar."""
    return path.with_name(path.name + PART), path.with_name(path.stem + ".json" + PART)


def move_into_place(path: Path, origin: Origin, gaps: Sequence[Gap], ended: Ended) -> Saved:
    """Complete the sidecar, and give both parts their final names. May be called again after it failed.

    Raises:
        WriteFailed: The parts stay where they are.
    """
    wav_part, sidecar_part = parts_of(path)
    try:
        lies_at = wav_part if wav_part.exists() else path
        size_bytes, sha256 = _measure(lies_at)
        samples = origin.audio.samples_in(size_bytes - wav.HEADER_BYTES)
        _write_whole(sidecar_part, final_sidecar(origin, gaps, ended, WavFile(path.name, samples, size_bytes, sha256)))
        lies_at.replace(path)
        sidecar_part.replace(path.with_suffix(".json"))
        sync_path(path.parent)
    except OSError as exc:
        raise WriteFailed(str(path), exc.strerror or str(exc)) from exc
    return Saved(path, origin, ended, samples)


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
            shutil.copyfileobj(old, new, _HASH_BLOCK_BYTES)
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


def _flush_data(descriptor: int) -> None:
    getattr(os, "fdatasync", os.fsync)(descriptor)  # macOS and Windows have the latter alone


def _write_whole(path: Path, text: str) -> None:
    """Replace a small file in one step, so that a crash leaves the old one or the new one."""
    temporary = path.with_name(path.name + NEW)
    try:
        with temporary.open("w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


def _measure(path: Path) -> tuple[int, str]:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_HASH_BLOCK_BYTES):
            digest.update(block)
        return file.tell(), digest.hexdigest()


def _put(file: FileIO, data: bytes | memoryview) -> None:
    """Write all of it: a raw file may take only a part at a time."""
    view = memoryview(data)
    while view:
        view = view[file.write(view) or 0 :]
