"""A file that holds some of the audio of a stream."""

from __future__ import annotations

from contextlib import suppress
from io import FileIO
from typing import TYPE_CHECKING

from plugandtell.core import journal
from plugandtell.core.protocol.messages import Audio
from plugandtell.core.store import Pieces
from plugandtell.logservice import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from plugandtell.core.audio import AudioFormat

SUFFIX = ".chunk"
DAMAGED_SUFFIX = ".damaged"


def create_file(path: Path) -> FileIO:
    """A new file, for reading and writing without a buffer."""
    return FileIO(path, "x+b")


class ChunkFile:
    """Contiguous records in one file. While it grows, its audio is in memory too; so is what the disk did not take.

    Attributes:
        path: The file, which need not be there.
        start: The first sample.
        end: One past the last sample.
        samples: How many there are; between them may be holes.
        size_bytes: What the file would take if all of it were on disk.
        pieces: The audio, where it is in memory.
        is_on_disk: Whether the file holds everything.
        grows: Whether records may still be put behind the last one.
    """

    def __init__(self, path: Path, audio: AudioFormat) -> None:
        self.path = path
        self.start = 0
        self.end = 0
        self.samples = 0
        self.size_bytes = 0
        self.pieces: Pieces | None = None
        self.is_on_disk = True
        self.grows = False
        self._is_damaged = False
        self._file: FileIO | None = None
        self._audio = audio

    def begin(self, create: Callable[[Path], FileIO]) -> None:
        """Make the file.

        Raises:
            OSError: It cannot be made; the chunk is in memory then.
        """
        self.pieces = Pieces(self._audio)
        self.grows = True
        try:
            self._file = create(self.path)
        except OSError:
            self.is_on_disk = False
            raise

    def grow(self, start: int, end: int) -> None:
        """It holds these samples too, behind the others."""
        if not self.samples:
            self.start = start
        self.end = end
        self.samples += end - start

    def write(self, record: bytes, place: int | None = None) -> None:
        """Write a record: at the end, or at `place`, over one of its size.

        Raises:
            OSError: The disk does not take it; from now on the chunk grows in memory alone.
        """
        place = self.size_bytes if place is None else place
        self.size_bytes = max(self.size_bytes, place + len(record))
        if self._file is None:
            return
        try:
            self._file.seek(place)
            rest = memoryview(record)
            while rest:
                rest = rest[self._file.write(rest) or 0 :]
        except OSError:
            self.is_on_disk = False
            self.close()
            raise

    def finish(self) -> None:
        """Nothing more comes: what is on disk need not be in memory."""
        self.close()
        self.grows = False
        if self.is_on_disk:
            self.pieces = None

    def close(self) -> None:
        """Close the file. Idempotent."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def scan(self) -> journal.Scan:
        """Read what the file holds. Damage is logged, once; a file that cannot be read holds nothing."""
        try:
            data = self.path.read_bytes()
        except OSError as exc:
            get_logger().error("spool_unreadable", file=str(self.path), error=str(exc))
            return journal.Scan()
        found = journal.scan(data)
        self.size_bytes = len(data)
        torn_bytes = len(data) - found.end
        damaged_bytes = sum(end - start for start, end in found.damage)
        if damaged_bytes and not self._is_damaged:
            self._is_damaged = True
            get_logger().error("spool_damaged", file=str(self.path), damaged_bytes=damaged_bytes)
        elif torn_bytes:
            get_logger().warning("spool_torn", file=str(self.path), torn_bytes=torn_bytes)
        return found

    def load(self) -> Pieces:
        """The audio, from the file if it is not in memory."""
        if self.pieces is not None:
            return self.pieces
        pieces = Pieces(self._audio)
        for item in self.scan().records:
            if isinstance(item, Audio) and item.start >= pieces.end:
                pieces.append(item.start, item.pcm)
        return pieces

    def delete(self) -> bool:
        """Delete the file, damaged or not; returns whether that made room."""
        self.close()
        try:
            self.path.unlink()
        except OSError:
            return False
        return True

    def remove(self) -> None:
        """Delete the file; one that is damaged is put aside instead."""
        self.close()
        with suppress(OSError):  # it is no worse for being there
            if self._is_damaged:
                self.path.rename(self.path.with_suffix(DAMAGED_SUFFIX))
            else:
                self.path.unlink(missing_ok=True)
