"""One growing recording: `NAME.wav.part`, whose header is kept true, and `NAME.json.part`."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from plugandtell.core import wav
from plugandtell.core.errors import WriteFailed
from plugandtell.core.recording import GapPolicy, Origin, gap_line, gaps_within, origin_line
from plugandtell.server.disk_sync import flush_data, is_synced, sync_path, write_anew
from plugandtell.server.placing import Saved, move_into_place, parts_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from io import FileIO
    from pathlib import Path

    from plugandtell.core.segmenter import Ended, Gap
    from plugandtell.server.encoder import Encoder


class Recording:
    """One growing recording. What `write` has returned from survives the death of the process.

    Args:
        path: The final path; its ending tells what the finished recording is.
        file: The open file under the temporary name, empty.
        origin: What goes into the sidecar.
        on_closed: Told when the file is closed, on whatever thread.
        encoder: Makes the FLAC; may be missing for a WAV.
    """

    def __init__(
        self,
        path: Path,
        file: FileIO,
        origin: Origin,
        on_closed: Callable[[Recording], None] = lambda _: None,
        encoder: Encoder | None = None,
    ) -> None:
        self.path = path
        self.origin = origin
        self._on_closed = on_closed
        self._encoder = encoder
        self._file = file
        self._gaps: list[Gap] = []
        self._data_bytes = 0
        self._filled_bytes = 0
        self._header_bytes = 0
        self._second_bytes = origin.audio.bytes_in(origin.audio.sample_rate)
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

    @property
    def heard_samples(self) -> int:
        """How much of it is audio that came, and no filled gap."""
        return self.origin.audio.samples_in(self._data_bytes - self._filled_bytes)

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
        try:
            _put(self._file, pcm)
        except OSError as exc:
            with suppress(OSError):  # half a message must not stay: the client sends it again
                self._file.truncate(wav.HEADER_BYTES + self._data_bytes)
                self._file.seek(0, os.SEEK_END)
            raise self._failed(exc) from exc
        self._data_bytes += len(pcm)
        if self._data_bytes - self._header_bytes >= self._second_bytes:
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
        """Move the recording into place. Reads the whole file, so call it off the event loop.

        Raises:
            WriteFailed: The parts stay where they are, for another call to finish, or for the next start of the server.
        """
        if not self._is_flushed:
            self._flush()
        return move_into_place(self.path, self.origin, self._gaps, ended, self._encoder)

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
                flush_data(self._file.fileno())
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
        if self._filled_bytes:
            self._filled_bytes = self.origin.audio.bytes_in(sum(gap.samples for gap in self._gaps))
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

    def _leave_hole(self, size_bytes: int) -> None:
        """Let the file grow by silence: a hole reads as zeros, and takes the same moment however long it is."""
        try:
            self._file.truncate(wav.HEADER_BYTES + self._data_bytes + size_bytes)
            self._file.seek(0, os.SEEK_END)
        except OSError as exc:
            raise self._failed(exc) from exc
        self._data_bytes += size_bytes
        self._filled_bytes += size_bytes

    def _note(self, line: str) -> None:
        """Add a line to the open sidecar. Gaps are rare: a file that stays open would cost more than opening it."""
        with parts_of(self.path)[1].open("ab", buffering=0) as file:
            _put(file, line.encode())
        self._notes += 1

    def _failed(self, exc: OSError) -> WriteFailed:
        return WriteFailed(str(self.path), exc.strerror or str(exc))


def _put(file: FileIO, data: bytes | memoryview) -> None:
    """Write all of it: a raw file may take only a part at a time."""
    written = file.write(data) or 0
    while written < len(data):
        written += file.write(memoryview(data)[written:]) or 0
