"""The client's end of a stream: what is still to be told, what the server has confirmed, and whether all is well.

The machine outlives connections. Audio leaves it only when the server has acknowledged it; after a reconnection,
`Welcome.resume_from` says where to go on.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from plugandtell.core.errors import ProtocolError
from plugandtell.core.protocol.messages import (
    CUT_OFF,
    MAX_JUMP_S,
    Ack,
    Audio,
    ClientMessage,
    CloseCode,
    End,
    Error,
    Hello,
    Position,
    SegmentDiscarded,
    SegmentSaved,
    SegmentStarted,
    ServerMessage,
    Welcome,
)

if TYPE_CHECKING:
    from uuid import UUID

    from plugandtell.core.audio import AudioFormat

_LARGEST_MESSAGE_BYTES = 64 * 1024
_INDEX_BYTES = 8


@dataclass(slots=True)
class _Run:
    """Contiguous audio that is not acknowledged yet, from sample `start` to before `end`."""

    start: int
    end: int
    pcm: bytearray


class ClientStream:
    """One audio source on its way to the server.

    What is still to be told is a queue of runs of audio, positions and the end. It starts at the oldest sample that is
    not acknowledged; `_place` is where in the queue the present connection is, and `_sent_to` where in that run.

    Args:
        hello: Opens every connection of the stream.
        audio: The format of the PCM.
        batch_samples: Audio is gathered into messages of at least this length while the line is keeping up.

    Attributes:
        elsewhere_samples: Audio that one server acknowledged, but did not say was saved before another took over.
    """

    def __init__(self, hello: Hello, audio: AudioFormat, batch_samples: int) -> None:
        self.hello = hello
        self._audio = audio
        self._batch_samples = batch_samples
        self._longest_jump = audio.samples_from_s(MAX_JUMP_S)
        self._longest_message = batch_samples
        self._items: deque[_Run | Position | End] = deque()
        self._place = 0
        self._sent_to = 0
        self._told_to: int | None = None
        self._is_welcome = False
        self._is_over = False
        self.elsewhere_samples = 0
        self._acknowledged_to = 0
        self._last_segment: UUID | None = None
        self._unsaved: list[tuple[int, int]] = []

    @property
    def greeting(self) -> Hello:
        """The hello of the next connection. It names the segment to continue, should another server answer."""
        return replace(self.hello, continues=self._last_segment)

    @property
    def unacknowledged_samples(self) -> int:
        """Audio that the server has not confirmed to have written."""
        return sum(item.end - item.start for item in self._items if isinstance(item, _Run))

    @property
    def unsaved_samples(self) -> int:
        """Audio whose segment is not settled yet: in a recording under its final name, or discarded without voice."""
        return sum(end - start for start, end in self._unsaved)

    @property
    def is_told(self) -> bool:
        """Whether capture is over, and the server was told everything on this connection."""
        return self._is_over and self._place == len(self._items)

    @property
    def is_complete(self) -> bool:
        """Whether capture is over, the server was told, and everything voiced was acknowledged and saved."""
        return self.is_told and not self.unacknowledged_samples and not self._unsaved

    def add_audio(self, start: int, pcm: bytes) -> None:
        """Take audio that passed the gate."""
        end = start + self._audio.samples_in(len(pcm))
        if self._unsaved and self._unsaved[-1][1] == start:
            self._unsaved[-1] = (self._unsaved[-1][0], end)
        else:
            self._unsaved.append((start, end))
        last = self._items[-1] if self._items else None
        if isinstance(last, _Run) and last.end == start:
            last.pcm += pcm
            last.end = end
        else:
            self._items.append(_Run(start, end, bytearray(pcm)))

    def add_position(self, index: int, voiced_to: int) -> None:
        """Take the gate's word that nothing from `voiced_to` to `index` was voiced. It takes the place of the last."""
        if self._items and isinstance(self._items[-1], Position):
            self._items.pop()
            self._place = min(self._place, len(self._items))
        self._items.append(Position(index, voiced_to))

    def end(self, index: int) -> None:
        """Capture is over."""
        self._items.append(End(index))
        self._is_over = True

    def next_message(self) -> ClientMessage | None:
        """The next message to send, or None while there is nothing to tell.

        Between `disconnected` and the server's welcome there is nothing to tell either: the hello is sent by the
        connection that asks.
        """
        while self._is_welcome and self._place < len(self._items):
            item = self._items[self._place]
            message = self._next_audio(item) if isinstance(item, _Run) else item
            if message is not None:
                return self._tell(item, message)
            if self._place == len(self._items) - 1:
                return None
            self._place += 1
        return None

    def receive(self, message: ServerMessage) -> None:
        """Take what the server said.

        Raises:
            ProtocolError: The server welcomed another stream, or twice, or spoke before its welcome.
        """
        match message:
            case Error():
                pass
            case Welcome():
                self._resume(message)
            case _ if not self._is_welcome:
                what = type(message).__name__
                raise ProtocolError(CloseCode.PROTOCOL_ERROR, "welcome_expected", f"{what} came before Welcome")
            case Ack():
                self._acknowledge(message.stored_to)
            case SegmentSaved() | SegmentDiscarded():
                self._save(message.start_index, message.end_index)
                if message.segment_id == self._last_segment and not _is_cut_off(message):
                    self._last_segment = None
            case SegmentStarted():
                self._last_segment = message.segment_id

    def disconnected(self) -> None:
        """The connection is gone: everything unacknowledged is to be sent again."""
        self._is_welcome = False
        self._place = 0

    def _resume(self, welcome: Welcome) -> None:
        if welcome.stream_id != self.hello.stream_id:
            problem = f"the server welcomed the stream {welcome.stream_id}, not {self.hello.stream_id}"
            raise ProtocolError(CloseCode.PROTOCOL_ERROR, "welcome_unexpected", problem)
        if self._is_welcome:
            raise ProtocolError(CloseCode.PROTOCOL_ERROR, "welcome_unexpected", "the server said welcome twice")
        self._is_welcome = True
        self._place = 0
        self._sent_to = 0
        self._told_to = None
        longest_bytes = min(_LARGEST_MESSAGE_BYTES, welcome.max_message_bytes) - _INDEX_BYTES
        self._longest_message = max(1, self._audio.samples_in(longest_bytes))
        if welcome.resume_from < self._acknowledged_to:
            self._leave_elsewhere()
        self._acknowledge(welcome.resume_from)

    def _next_audio(self, run: _Run) -> Audio | None:
        """What is to be sent of a run: as much as a message holds when the line has fallen behind."""
        start = max(run.start, self._sent_to)
        waiting = run.end - start
        still_grows = self._place == len(self._items) - 1
        if not waiting or (still_grows and waiting < self._batch_samples):
            return None
        end = start + min(waiting, self._longest_message)
        first, last = (self._audio.bytes_in(index - run.start) for index in (start, end))
        return Audio(start, bytes(run.pcm[first:last]))

    def _tell(self, item: _Run | Position | End, message: Audio | Position | End) -> ClientMessage:
        """Note that the message is told; or, where it lies too far ahead for the server, take a step towards it."""
        index = message.start if isinstance(message, Audio) else message.index
        if self._told_to is not None and index - self._told_to > self._longest_jump:
            self._told_to += self._longest_jump
            return Position(self._told_to, message.voiced_to if isinstance(message, Position) else None)
        if isinstance(message, Audio):
            index += self._audio.samples_in(len(message.pcm))
            self._sent_to = index
        else:
            self._place += 1
        self._told_to = max(index, self._told_to or 0)
        return message

    def _acknowledge(self, stored_to: int) -> None:
        """Forget what the server has.

        A position is forgotten with the audio behind it: until then it may still have to end a segment, or to say
        what was hangover.
        """
        self._acknowledged_to = max(self._acknowledged_to, stored_to)
        while self._items:
            run = self._items[1 if isinstance(self._items[0], Position) and len(self._items) > 1 else 0]
            if not isinstance(run, _Run) or run.start >= stored_to:
                return
            if run is not self._items[0]:
                self._forget_first()
            if run.end > stored_to:
                del run.pcm[: self._audio.bytes_in(stored_to - run.start)]
                run.start = stored_to
                return
            self._forget_first()

    def _leave_elsewhere(self) -> None:
        """Another server answers: what the one before acknowledged lies there, and this one cannot tell when saved."""
        before = self.unsaved_samples
        self._save(0, self._acknowledged_to)
        self.elsewhere_samples += before - self.unsaved_samples

    def _forget_first(self) -> None:
        self._items.popleft()
        self._place = max(0, self._place - 1)

    def _save(self, start: int, end: int) -> None:
        left: list[tuple[int, int]] = []
        for first, last in self._unsaved:
            if first < min(start, last):
                left.append((first, min(start, last)))
            if max(end, first) < last:
                left.append((max(end, first), last))
        self._unsaved = left


def _is_cut_off(message: SegmentSaved | SegmentDiscarded) -> bool:
    return isinstance(message, SegmentSaved) and message.reason in CUT_OFF
