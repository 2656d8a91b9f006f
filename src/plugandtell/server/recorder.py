"""Recordings on disk: written under a temporary name, moved into place when complete, mended after a crash.

While it grows, a recording is `NAME.wav.part` and `NAME.json.part`. When it is complete, the WAV is renamed first and
the sidecar last: whoever finds `NAME.json` finds a whole `NAME.wav` beside it.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from filelock import FileLock, Timeout

from plugandtell.core import wav
from plugandtell.core.errors import FolderUnusable, WriteFailed
from plugandtell.core.protocol.messages import ClientInfo, EndReason
from plugandtell.core.recording import (
    GapPolicy,
    Origin,
    WavFile,
    final_sidecar,
    open_sidecar,
    read_open_sidecar,
    recording_name,
)
from plugandtell.core.segmenter import Ended, Gap

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from io import FileIO
    from pathlib import Path

PART = ".part"
_LOCK = ".plugandtell.lock"
_HASH_BLOCK_BYTES = 1024 * 1024
_UNKNOWN = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Saved:
    """A recording under its final name."""

    path: Path
    samples: int
    ended: Ended


class Recording:
    """One growing recording. What `write` has returned from survives the death of the process.

    Args:
        path: The final path of the WAV.
        file: The open file under the temporary name, empty.
        origin: What goes into the sidecar.
    """

    def __init__(self, path: Path, file: FileIO, origin: Origin) -> None:
        self.path = path
        self.origin = origin
        self._file = file
        self._gaps: list[Gap] = []
        self._data_bytes = 0
        self._header_bytes = 0
        self._put(wav.header(origin.audio, 0))
        self._note_origin()

    @property
    def samples(self) -> int:
        """Length so far."""
        return self.origin.audio.samples_in(self._data_bytes)

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
            WriteFailed: As `write` does.
        """
        self._gaps.append(gap)
        self._note_origin()
        if self.origin.gap_policy is GapPolicy.FILL:
            self.write(bytes(self.origin.audio.bytes_in(gap.samples)))

    def patch_header(self) -> None:
        """Make the file valid as it stands.

        Raises:
            WriteFailed: As `write` does.
        """
        if self._header_bytes == self._data_bytes:
            return
        try:
            self._file.seek(0)
            self._put(wav.header(self.origin.audio, self._data_bytes))
            self._file.seek(0, os.SEEK_END)
        except OSError as exc:
            raise self._failed(exc) from exc
        self._header_bytes = self._data_bytes

    def finish(self, ended: Ended) -> Saved:
        """Move the recording into place. Reads the whole file once, so call it off the event loop.

        Raises:
            WriteFailed: The parts stay where they are, for `Recorder.recover` to finish.
        """
        self.patch_header()
        try:
            os.fsync(self._file.fileno())
        except OSError as exc:
            raise self._failed(exc) from exc
        finally:
            self._file.close()
        return _move_into_place(self.path, self.origin, self._gaps, ended)

    def discard(self) -> None:
        """Leave no file: the recording holds no sample."""
        self._file.close()
        for part in _parts(self.path):
            part.unlink(missing_ok=True)

    def abandon(self) -> None:
        """Close the file and leave the parts to `Recorder.recover`."""
        self._file.close()

    def _append(self, pcm: bytes | memoryview) -> None:
        try:
            self._put(pcm)
        except OSError as exc:
            with suppress(OSError):  # half a message must not stay: the client sends it again
                self._file.truncate(wav.HEADER_BYTES + self._data_bytes)
                self._file.seek(0, os.SEEK_END)
            raise self._failed(exc) from exc
        self._data_bytes += len(pcm)

    def _put(self, data: bytes | memoryview) -> None:
        """Write all of it: a raw file may take only a part at a time."""
        view = memoryview(data)
        while view:
            view = view[self._file.write(view) or 0 :]

    def _note_origin(self) -> None:
        _write_whole(_parts(self.path)[1], open_sidecar(self.origin, self._gaps))

    def _failed(self, exc: OSError) -> WriteFailed:
        return WriteFailed(str(self.path), exc.strerror or str(exc))


class Recorder:
    """An audio folder, owned by one server at a time.

    Args:
        folder: Created if it is missing.

    Raises:
        FolderUnusable: It cannot be created or written, or another server records into it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
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

    def start(self, origin: Origin) -> Recording:
        """Begin a recording under a name that no other has.

        Raises:
            WriteFailed: The file cannot be created.
        """
        attempt = 1
        while True:
            path = self.folder / (recording_name(origin.started_at, origin.label, attempt) + ".wav")
            try:
                file = _parts(path)[0].open("xb", buffering=0)
                if not path.exists():
                    return Recording(path, file, origin)
                file.close()
                _parts(path)[0].unlink()
            except FileExistsError:
                pass
            except OSError as exc:
                raise WriteFailed(str(path), exc.strerror or str(exc)) from exc
            attempt += 1

    def recover(self) -> Iterator[Saved | WriteFailed]:
        """Finish what an earlier crash left: yields each recording that is in place again, or why it is not.

        A part without a sample is removed; one that is no WAV of ours is left alone.
        """
        for part in sorted(self.folder.glob(f"*.wav{PART}")):
            path = part.with_suffix("")
            try:
                if saved := _recover(path):
                    yield saved
            except wav.NotRepairable as exc:
                yield WriteFailed(str(part), str(exc))
            except OSError as exc:
                yield WriteFailed(str(part), exc.strerror or str(exc))
            except WriteFailed as error:
                yield error
        for part in sorted(self.folder.glob(f"*.json{PART}")):
            _finish_sidecar(part)


def _parts(path: Path) -> tuple[Path, Path]:
    """The temporary names of the WAV and its sidecar."""
    return path.with_name(path.name + PART), path.with_name(path.stem + ".json" + PART)


def _write_whole(path: Path, text: str) -> None:
    """Replace a small file in one step, so that a crash leaves the old one or the new one."""
    temporary = path.with_name(path.name + ".new")
    with temporary.open("w", encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def _move_into_place(path: Path, origin: Origin, gaps: Sequence[Gap], ended: Ended) -> Saved:
    wav_part, sidecar_part = _parts(path)
    try:
        size_bytes, sha256 = _measure(wav_part)
        samples = origin.audio.samples_in(size_bytes - wav.HEADER_BYTES)
        _write_whole(sidecar_part, final_sidecar(origin, gaps, ended, WavFile(path.name, samples, size_bytes, sha256)))
        wav_part.replace(path)
        sidecar_part.replace(path.with_suffix(".json"))
    except OSError as exc:
        raise WriteFailed(str(path), exc.strerror or str(exc)) from exc
    return Saved(path, samples, ended)


def _measure(path: Path) -> tuple[int, str]:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_HASH_BLOCK_BYTES):
            digest.update(block)
        return file.tell(), digest.hexdigest()


def _recover(path: Path) -> Saved | None:
    wav_part, sidecar_part = _parts(path)
    size_bytes = wav_part.stat().st_size
    if size_bytes <= wav.HEADER_BYTES + 1:
        wav_part.unlink()
        sidecar_part.unlink(missing_ok=True)
        return None
    with wav_part.open("r+b") as file:
        mended = wav.repair(file.read(wav.HEADER_BYTES), size_bytes)
        file.seek(0)
        file.write(mended.header)
        file.truncate(mended.size_bytes)
        file.flush()
        os.fsync(file.fileno())
    origin, gaps = _read_origin(sidecar_part, mended)
    left_out = sum(gap.samples for gap in gaps)
    skipped = left_out if origin.gap_policy is GapPolicy.DROP else 0
    ended = Ended(
        start_index=origin.start_index,
        end_index=origin.start_index + mended.samples + skipped,
        reason=EndReason.RECOVERED,
        voiced_samples=max(0, mended.samples + skipped - left_out),
        duplicate_samples=0,
        dropped_samples=0,
    )
    return _move_into_place(path, origin, gaps, ended)


def _read_origin(sidecar_part: Path, mended: wav.Repair) -> tuple[Origin, list[Gap]]:
    """What the sidecar says; where it is lost or damaged, what the file itself tells."""
    try:
        return read_open_sidecar(sidecar_part.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        wav_part = sidecar_part.with_name(sidecar_part.name.replace(".json", ".wav"))
        written_at = datetime.fromtimestamp(wav_part.stat().st_mtime, UTC)
        return Origin(
            segment_id=uuid4(),
            stream_id=_UNKNOWN,
            continues=None,
            client=ClientInfo("unknown", "unknown"),
            label="unknown",
            labels={},
            started_at=written_at - timedelta(seconds=mended.audio.seconds_from(mended.samples)),
            start_index=0,
            audio=mended.audio,
            gap_policy=GapPolicy.FILL,
        ), []


def _finish_sidecar(part: Path) -> None:
    """Mend a crash between the two renames; a part whose WAV is not there belongs to nothing."""
    sidecar: Path = part.with_suffix("")
    if sidecar.with_suffix(".wav").exists() and not sidecar.exists():
        part.replace(sidecar)
    elif not sidecar.with_suffix(".wav" + PART).exists():
        part.unlink()
