"""Where a stream keeps the audio that the server has not confirmed: the port, and the store that forgets at exit."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

    from plugandtell.core.audio import AudioFormat
    from plugandtell.core.protocol.messages import End, Position
    from plugandtell.core.ranges import Range

_CHUNKS_IN_LIMIT = 16


@dataclass(frozen=True, slots=True)
class Stretch:
    """Audio that is kept, from sample `start` to before `end`."""

    start: int
    end: int


class AudioStore(Protocol):
    """Keeps what one stream has to tell. Audio comes in order, and never twice.

    It has a limit. When that is reached, or when what it is made of breaks, the oldest audio goes; the stream asks
    for what went with `take_lost`.
    """

    def kept(self) -> Iterable[Stretch | Position | End]:
        """What an earlier life of the stream left here, in order. To be called first, if at all."""

    def append(self, start: int, pcm: bytes) -> None:
        """Keep audio behind all that came before."""

    def note(self, message: Position | End) -> None:
        """Keep what has to be told behind the audio. A position takes the place of one that came right before it."""

    def read(self, start: int, end: int) -> bytes:
        """The audio from `start` on, to `end` or to the first sample that is lost; empty if that is `start`."""

    def forget(self, stored_to: int) -> None:
        """The server has every sample below this one."""

    def take_lost(self) -> list[Range]:
        """What went since the last call, confirmed audio among it."""


class Pieces:
    """Audio in memory, in order, with holes."""

    def __init__(self, audio: AudioFormat) -> None:
        self._audio = audio
        self._starts: list[int] = []
        self._pieces: list[bytearray] = []
        self.end = 0
        self.size_bytes = 0

    @property
    def start(self) -> int:
        """The first sample."""
        return self._starts[0] if self._starts else self.end

    def append(self, start: int, pcm: bytes | memoryview) -> None:
        """Put audio behind all that is here."""
        if self._pieces and start == self.end:
            self._pieces[-1] += pcm
        else:
            self._starts.append(start)
            self._pieces.append(bytearray(pcm))
        self.end = start + self._audio.samples_in(len(pcm))
        self.size_bytes += len(pcm)

    def read(self, start: int, end: int) -> bytes:
        """As `AudioStore.read`."""
        place = bisect_right(self._starts, start) - 1
        if place < 0:
            return b""
        first, last = (self._audio.bytes_in(index - self._starts[place]) for index in (start, end))
        return bytes(self._pieces[place][first:last])

    def next_after(self, start: int, default: int) -> int:
        """The first sample of the piece that begins behind `start`."""
        place = bisect_right(self._starts, start)
        return self._starts[place] if place < len(self._starts) else default


class MemoryStore:
    """Keeps audio as long as the process lives.

    Args:
        audio: The format of the PCM.
        limit_bytes: How much it holds.
    """

    def __init__(self, audio: AudioFormat, limit_bytes: int) -> None:
        self._audio = audio
        self._limit_bytes = limit_bytes
        self._chunk_bytes = limit_bytes // _CHUNKS_IN_LIMIT
        self._chunks: deque[Pieces] = deque()
        self._lost: list[Range] = []

    @property
    def size_bytes(self) -> int:
        """Size of the audio in it."""
        return sum(chunk.size_bytes for chunk in self._chunks)

    def kept(self) -> Iterable[Stretch | Position | End]:
        """Nothing: there was no earlier life."""
        return ()

    def append(self, start: int, pcm: bytes) -> None:
        """Keep audio; the oldest goes if need be, in chunks."""
        if not self._chunks or self._chunks[-1].size_bytes >= self._chunk_bytes:
            self._chunks.append(Pieces(self._audio))
        self._chunks[-1].append(start, pcm)
        while len(self._chunks) > 1 and self.size_bytes > self._limit_bytes:
            gone = self._chunks.popleft()
            self._lost.append((gone.start, gone.end))

    def note(self, message: Position | End) -> None:
        """Nobody will ask."""

    def read(self, start: int, end: int) -> bytes:
        """As the port says."""
        parts: list[bytes] = []
        for chunk in self._chunks:
            if start < min(end, chunk.end):
                part = chunk.read(start, end)
                parts.append(part)
                if not part:
                    break
                start += self._audio.samples_in(len(part))
        return b"".join(parts)

    def forget(self, stored_to: int) -> None:
        """Let go of whole chunks."""
        while self._chunks and self._chunks[0].end <= stored_to:
            self._chunks.popleft()

    def take_lost(self) -> list[Range]:
        """As the port says."""
        lost, self._lost = self._lost, []
        return lost
