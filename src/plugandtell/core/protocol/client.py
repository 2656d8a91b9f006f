"""The client's end of a stream: what is still to be told, what the server has confirmed, and whether all is well.

The machine outlives connections. Audio leaves it only when the server has acknowledged it; after a reconnection,
`Welcome.resume_from` says where to go on.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from plugandtell.core.errors import ProtocolError
from plugandtell.core.protocol.messages import (
    Ack,
    Audio,
    ClientMessage,
    CloseCode,
    End,
    Error,
    Hello,
    Position,
    SegmentSaved,
    SegmentStarted,
    ServerMessage,
    Welcome,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plugandtell.core.audio import AudioFormat

_LARGEST_MESSAGE_BYTES = 64 * 1024
_INDEX_BYTES = 8


@dataclass(slots=True)
class _Block:
    """Contiguous audio that is not acknowledged yet."""

    start: int
    pcm: bytearray
    samples: int

    @property
    def end(self) -> int:
        return self.start + self.samples


class ClientStream:
    """One audio source on its way to the server.

    Args:
        hello: Opens every connection of the stream.
        audio: The format of the PCM.
        batch_samples: Audio is gathered into messages of this length while the line is keeping up.
    """

    def __init__(self, hello: Hello, audio: AudioFormat, batch_samples: int) -> None:
        self.hello = hello
        self._audio = audio
        self._batch_samples = batch_samples
        self._items: deque[_Block | Position | End] = deque()
        self._sent = 0
        self._resumed: Welcome | None = None
        self._acked_to = 0
        self._unsaved: list[tuple[int, int]] = []
        self._unacknowledged = 0
        self._ended = False
        self._largest = batch_samples

    @property
    def unacknowledged_samples(self) -> int:
        """Audio that the server has not confirmed to have written."""
        return self._unacknowledged

    @property
    def unsaved_samples(self) -> int:
        """Audio that is not in a recording under its final name yet."""
        return sum(end - start for start, end in self._unsaved)

    @property
    def is_told(self) -> bool:
        """Whether capture is over, and the server was told everything on this connection."""
        return self._ended and self._sent == len(self._items)

    @property
    def is_complete(self) -> bool:
        """Whether capture is over, the server was told, and everything voiced was acknowledged and saved."""
        return self.is_told and not self._unacknowledged and not self._unsaved

    def add_audio(self, start: int, pcm: bytes) -> None:
        """Take audio that passed the gate."""
        samples = self._audio.samples_in(len(pcm))
        self._unacknowledged += samples
        if self._unsaved and self._unsaved[-1][1] == start:
            self._unsaved[-1] = (self._unsaved[-1][0], start + samples)
        else:
            self._unsaved.append((start, start + samples))
        for piece_start, piece in self._pieces(start, pcm):
            last = self._items[-1] if len(self._items) > self._sent else None
            if isinstance(last, _Block) and last.end == piece_start and last.samples < self._batch_samples:
                last.pcm += piece
                last.samples += self._audio.samples_in(len(piece))
            else:
                self._items.append(_Block(piece_start, bytearray(piece), self._audio.samples_in(len(piece))))

    def add_position(self, index: int, voiced_to: int) -> None:
        """Take the gate's word that nothing from `voiced_to` to `index` was voiced."""
        if self._items and isinstance(self._items[-1], Position):
            self._items.pop()
            self._sent = min(self._sent, len(self._items))
        self._items.append(Position(index, voiced_to))

    def end(self, index: int) -> None:
        """Capture is over."""
        self._items.append(End(index))
        self._ended = True

    def next_message(self) -> ClientMessage | None:
        """The next message to send, or None while there is nothing to tell.

        Between `disconnected` and the server's welcome there is nothing to tell either: the hello is sent by the
        connection that asks.
        """
        if self._resumed is None or self._sent == len(self._items):
            return None
        item = self._items[self._sent]
        if not isinstance(item, _Block):
            self._sent += 1
            return item
        if self._sent == len(self._items) - 1 and item.samples < self._batch_samples:
            return None
        return self._merged(item)

    def receive(self, message: ServerMessage) -> None:
        """Take what the server said.

        Raises:
            ProtocolError: The server welcomed another stream, or spoke before its welcome.
        """
        match message:
            case Welcome():
                self._resume(message)
            case Error():
                pass
            case _ if self._resumed is None:
                raise ProtocolError(
                    CloseCode.PROTOCOL_ERROR,
                    "welcome_expected",
                    f"{type(message).__name__} came before Welcome",
                )
            case Ack():
                self._acknowledge(message.stored_to)
            case SegmentSaved():
                self._save(message.start_index, message.end_index)
            case SegmentStarted():
                pass

    def disconnected(self) -> None:
        """The connection is gone: everything unacknowledged is to be sent again."""
        self._resumed = None
        self._sent = 0

    def _pieces(self, start: int, pcm: bytes) -> Iterator[tuple[int, bytes]]:
        """Cut what is longer than a message should be: a held pause arrives in one piece."""
        size = self._audio.bytes_in(self._batch_samples)
        for offset in range(0, len(pcm), size):
            yield start + self._audio.samples_in(offset), pcm[offset : offset + size]

    def _resume(self, welcome: Welcome) -> None:
        if welcome.stream_id != self.hello.stream_id or self._resumed is not None:
            raise ProtocolError(
                CloseCode.PROTOCOL_ERROR,
                "welcome_unexpected",
                f"a welcome for the stream {welcome.stream_id}",
            )
        self._resumed = welcome
        self._sent = 0
        largest_bytes = min(_LARGEST_MESSAGE_BYTES, welcome.max_message_bytes) - _INDEX_BYTES
        self._largest = max(1, self._audio.samples_in(largest_bytes))
        self._acknowledge(welcome.resume_from)

    def _acknowledge(self, stored_to: int) -> None:
        self._acked_to = max(self._acked_to, stored_to)
        while self._items and self._is_settled(self._items[0]):
            item = self._items.popleft()
            self._sent = max(0, self._sent - 1)
            if isinstance(item, _Block):
                self._unacknowledged -= item.samples
        if self._items and isinstance(block := self._items[0], _Block) and block.start < self._acked_to:
            known = self._acked_to - block.start
            del block.pcm[: self._audio.bytes_in(known)]
            block.start += known
            block.samples -= known
            self._unacknowledged -= known

    def _is_settled(self, item: _Block | Position | End) -> bool:
        """Whether the server will never need the item again.

        A position behind the last acknowledged audio is kept: after a reconnection it still has to end the segment.
        """
        match item:
            case _Block():
                return item.end <= self._acked_to
            case Position():
                return item.index <= self._acked_to
            case End():
                return False

    def _save(self, start: int, end: int) -> None:
        left: list[tuple[int, int]] = []
        for first, last in self._unsaved:
            if first < min(start, last):
                left.append((first, min(start, last)))
            if max(end, first) < last:
                left.append((max(end, first), last))
        self._unsaved = left

    def _merged(self, first: _Block) -> Audio:
        """As many contiguous blocks as fit into one message: more than one when the line has fallen behind."""
        pcm = bytearray(first.pcm)
        self._sent += 1
        while self._sent < len(self._items):
            block = self._items[self._sent]
            end = first.start + self._audio.samples_in(len(pcm))
            fits = (
                isinstance(block, _Block) and block.start == end and end + block.samples - first.start <= self._largest
            )
            if not fits:
                break
            assert isinstance(block, _Block)
            pcm += block.pcm
            self._sent += 1
        return Audio(first.start, bytes(pcm))
