"""The audio of one stream on disk: a folder of chunk files, each deleted as a whole once the server has it.

Every slice is written to the file before anything else happens to it, so that the death of the process loses nothing.
It is not flushed to the disk: a power cut may cost what the operating system had not written yet, the last seconds.
Memory holds the chunk that grows, the one that was read last, and what the disk would not take.
"""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from io import FileIO
from typing import TYPE_CHECKING

from plugandtell.client.chunk_file import SUFFIX, ChunkFile, create_file
from plugandtell.core import journal
from plugandtell.core.protocol.messages import Ack, Audio, End, Position
from plugandtell.core.store import Stretch
from plugandtell.logservice import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from plugandtell.core.audio import AudioFormat
    from plugandtell.core.ranges import Range
    from plugandtell.core.store import Pieces

_STORED = "stored_to"


@dataclass(frozen=True, slots=True)
class DiskLimits:
    """Sizes.

    Attributes:
        chunk_bytes: A file is at most so large, unless a single slice of audio is larger.
        memory_bytes: Most that is kept in memory of what the disk would not take.
    """

    chunk_bytes: int = 1_000_000
    memory_bytes: int = 20_000_000


class DiskStore:
    """An `AudioStore` in a folder of its own.

    When the disk fails, audio stays in memory, up to a limit, and each new chunk tries the disk again.

    Args:
        folder: Where the files are; it exists.
        audio: The format of the PCM.
        limits: Sizes.
        make_room: Asked before each new file, with the size that it may reach.
        create: Opens a new file.
    """

    def __init__(
        self,
        folder: Path,
        audio: AudioFormat,
        limits: DiskLimits,
        make_room: Callable[[int], None],
        create: Callable[[Path], FileIO] = create_file,
    ) -> None:
        self._folder = folder
        self._audio = audio
        self._limits = limits
        self._make_room = make_room
        self._create = create
        self._chunks: deque[ChunkFile] = deque()
        self._number = 0
        self._loaded: tuple[ChunkFile, Pieces] | None = None
        self._lost: list[Range] = []
        self._note: Position | End | None = None
        self._note_at: int | None = None
        self._stored: FileIO | None = None
        self._stored_to = 0
        self._is_stored_to_unwritten = False
        self._is_failing = False
        self._log = get_logger()

    @property
    def memory_bytes(self) -> int:
        """Size of the audio that it holds in memory."""
        pieces = [chunk.pieces for chunk in self._chunks if chunk.pieces is not None]
        return sum(item.size_bytes for item in ([*pieces, self._loaded[1]] if self._loaded else pieces))

    @property
    def memory_samples(self) -> int:
        """How many samples, at most, are in memory alone and go with the process: the disk did not take their chunk."""
        return sum(chunk.samples for chunk in self._chunks if not chunk.is_on_disk)

    def kept(self) -> Iterator[Stretch | Position | End]:
        """As the port says; reads every file, so that it takes its time. Damage is logged."""
        end = self._stored_to = self._read_stored_to()
        for path in sorted(self._folder.glob(f"*{SUFFIX}")):
            self._number = int(path.stem)
            chunk = ChunkFile(path, self._audio)
            self._chunks.append(chunk)
            for item in chunk.scan().records:
                if isinstance(item, Audio):
                    stop = item.start + self._audio.samples_in(len(item.pcm))
                    chunk.grow(item.start, stop)
                    if stop > end:
                        yield Stretch(max(item.start, end), stop)
                    end = max(end, stop)
                elif not isinstance(item, Ack):
                    yield item
        self._forget(self._stored_to)

    def append(self, start: int, pcm: bytes) -> None:
        """As the port says."""
        data = journal.record(Audio(start, pcm))
        chunk = self._chunks[-1] if self._chunks else None
        if chunk is None or not chunk.grows or chunk.size_bytes + len(data) > self._limits.chunk_bytes:
            chunk = self._begin_chunk()
        assert chunk.pieces is not None
        chunk.pieces.append(start, pcm)
        chunk.grow(start, chunk.pieces.end)
        self._write(chunk, data)
        self._note = self._note_at = None
        if not chunk.is_on_disk:
            self._shed_memory()

    def note(self, message: Position | End) -> None:
        """As the port says. Before the first audio there is nothing to write it to, and no need."""
        replaces = isinstance(message, Position) and isinstance(self._note, Position)
        self._note = message
        if self._chunks and self._chunks[-1].grows:
            if self._note_at is None or not replaces:
                self._note_at = self._chunks[-1].size_bytes
            self._write(self._chunks[-1], journal.record(message), self._note_at)

    def read(self, start: int, end: int) -> bytes:
        """As the port says. What should be there and is not counts as lost."""
        parts: list[bytes] = []
        place = start
        while place < end and (part := self._read_one(place, end)):
            parts.append(part)
            place += self._audio.samples_in(len(part))
        if not parts:
            self._lost.append((start, min(end, self._next_after(start, end))))
        return b"".join(parts)

    def forget(self, stored_to: int) -> None:
        """As the port says. A server that has less than another had does not bring back what is forgotten."""
        if stored_to <= self._stored_to:
            return
        self._stored_to = stored_to
        try:
            self._write_stored_to()
        except OSError as exc:
            self._fail(exc)
        self._forget(stored_to)

    def take_lost(self) -> list[Range]:
        """As the port says."""
        lost, self._lost = self._lost, []
        return lost

    def evict(self) -> int | None:
        """Give up the oldest file to make room; returns how many samples were in it.

        None if there is nothing on disk but the file that grows, or if it cannot be deleted: then nothing is given up.
        """
        oldest = next((chunk for chunk in self._chunks if chunk.is_on_disk and not chunk.grows), None)
        if oldest is None or not oldest.delete():
            return None
        self._give_up(oldest)
        return oldest.samples

    def close(self) -> None:
        """Close the files. Idempotent."""
        if self._is_stored_to_unwritten:
            with suppress(OSError):  # it was said when it failed; the disk may have room by now
                self._write_stored_to()
        for file in (self._stored, *self._chunks):
            if file is not None:
                file.close()
        self._stored = None

    def _begin_chunk(self) -> ChunkFile:
        if self._chunks:
            self._chunks[-1].finish()
        self._make_room(self._limits.chunk_bytes)
        self._number += 1
        chunk = ChunkFile(self._folder / f"{self._number:08}{SUFFIX}", self._audio)
        self._chunks.append(chunk)
        try:
            chunk.begin(self._create)
        except OSError as exc:
            self._fail(exc)
        else:
            if self._is_failing:
                self._log.info("spool_works_again", folder=str(self._folder))
            self._is_failing = False
        if self._note is not None:  # it belongs to the audio that comes now, and the file it is in may go before
            self._write(chunk, journal.record(self._note))
        return chunk

    def _write(self, chunk: ChunkFile, record: bytes, place: int | None = None) -> None:
        try:
            chunk.write(record, place)
        except OSError as exc:
            self._fail(exc)

    def _fail(self, exc: OSError) -> None:
        if not self._is_failing:
            self._log.error("spool_failed", folder=str(self._folder), error=str(exc), kept_in="memory")
        self._is_failing = True

    def _shed_memory(self) -> None:
        """Give up the oldest of what the disk would not take, once there is too much of it."""
        unwritten = [chunk for chunk in self._chunks if not chunk.is_on_disk]
        size_bytes = sum(chunk.size_bytes for chunk in unwritten)
        for chunk in unwritten[:-1]:
            if size_bytes <= self._limits.memory_bytes:
                break
            size_bytes -= chunk.size_bytes
            self._give_up(chunk)

    def _give_up(self, chunk: ChunkFile) -> None:
        self._remove(chunk)
        self._lost.append((chunk.start, chunk.end))

    def _forget(self, stored_to: int) -> None:
        while self._chunks and self._chunks[0].end <= stored_to and not self._chunks[0].grows:
            self._remove(self._chunks[0])

    def _remove(self, chunk: ChunkFile) -> None:
        self._chunks.remove(chunk)
        if self._loaded is not None and self._loaded[0] is chunk:
            self._loaded = None
        chunk.remove()

    def _read_one(self, start: int, end: int) -> bytes:
        """As `read`, from one chunk."""
        chunk = next((chunk for chunk in self._chunks if chunk.start <= start < chunk.end), None)
        return self._pieces(chunk).read(start, end) if chunk is not None else b""

    def _next_after(self, start: int, end: int) -> int:
        """The next sample that can be read, or `end`."""
        for chunk in self._chunks:
            if start < chunk.end:
                return max(start + 1, min(end, self._pieces(chunk).next_after(start, end)))
        return end

    def _pieces(self, chunk: ChunkFile) -> Pieces:
        if chunk.pieces is not None:
            return chunk.pieces
        if self._loaded is None or self._loaded[0] is not chunk:
            self._loaded = (chunk, chunk.load())
        return self._loaded[1]

    def _write_stored_to(self) -> None:
        """Note how far the server has everything; the next life tells it nothing below."""
        self._is_stored_to_unwritten = True
        if self._stored is None:
            path = self._folder / _STORED
            self._stored = FileIO(path, "r+b" if path.exists() else "xb")
        self._stored.seek(0)
        self._stored.write(journal.record(Ack(self._stored_to)))
        self._is_stored_to_unwritten = False

    def _read_stored_to(self) -> int:
        """What an earlier life knew to be stored."""
        try:
            records = journal.scan((self._folder / _STORED).read_bytes()).records
        except OSError:
            return 0
        return max((item.stored_to for item in records if isinstance(item, Ack)), default=0)
