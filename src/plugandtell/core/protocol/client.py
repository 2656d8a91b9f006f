"""The client's end of a stream: what is still to be told, what the server has confirmed, and whether all is well.

The machine outlives connections, and with a store on disk the process too. Audio leaves it only when the server has
acknowledged it, or when its store has no room for it any more; after a reconnection, `Welcome.resume_from` says where
to go on.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from plugandtell.core.errors import ProtocolError
from plugandtell.core.protocol.backlog import Backlog
from plugandtell.core.protocol.messages import (
    CUT_OFF,
    MAX_INDEX,
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
from plugandtell.core.ranges import Ranges
from plugandtell.core.store import Stretch

if TYPE_CHECKING:
    from uuid import UUID

    from plugandtell.core.audio import AudioFormat
    from plugandtell.core.store import AudioStore

_LARGEST_MESSAGE_BYTES = 64 * 1024
_INDEX_BYTES = 8


class ClientStream:
    """One audio source on its way to the server.

    What is still to be told is in the backlog, the audio itself in the store.

    Args:
        hello: Opens every connection of the stream.
        audio: The format of the PCM.
        batch_samples: Audio is gathered into messages of at least this length while the line is keeping up.
        store: Keeps the audio. What an earlier life of the stream left in it is still to be told.

    Attributes:
        elsewhere_samples: Audio that one server acknowledged, but did not say was saved before another took over.
        lost_samples: Audio that the store let go before the server confirmed it.
    """

    def __init__(self, hello: Hello, audio: AudioFormat, batch_samples: int, store: AudioStore) -> None:
        self.hello = hello
        self.lost_samples = 0
        self._audio = audio
        self._batch_samples = batch_samples
        self._store = store
        self._longest_jump = audio.samples_from_s(MAX_JUMP_S)
        self._longest_message = batch_samples
        self._backlog = Backlog()
        self._told_to: int | None = None
        self._sent_at_most = 0
        self._is_welcome = False
        self.elsewhere_samples = 0
        self._acknowledged_to = 0
        self._last_segment: UUID | None = None
        self._unsaved = Ranges()
        for item in store.kept():
            self._put(item)
            self._sent_at_most = MAX_INDEX  # nobody knows what the earlier life had sent

    @property
    def greeting(self) -> Hello:
        """The hello of the next connection. It names the segment to continue, should another server answer."""
        return replace(self.hello, continues=self._last_segment)

    @property
    def unacknowledged_samples(self) -> int:
        """Audio that the server has not confirmed to have written."""
        return self._backlog.unacknowledged_samples

    @property
    def unsaved_samples(self) -> int:
        """Audio whose segment is not settled yet: in a recording under its final name, or discarded without voice."""
        return self._unsaved.samples

    @property
    def is_told(self) -> bool:
        """Whether capture is over, and the server was told everything on this connection."""
        return self._backlog.is_told

    @property
    def is_complete(self) -> bool:
        """Whether capture is over, the server was told, and everything voiced was acknowledged and saved."""
        return self.is_told and not self.unacknowledged_samples and not self.unsaved_samples

    def add_audio(self, start: int, pcm: bytes) -> None:
        """Take audio that passed the gate."""
        self._store.append(start, pcm)
        self._put(Stretch(start, start + self._audio.samples_in(len(pcm))))
        self._let_go()

    def add_position(self, index: int, voiced_to: int) -> None:
        """Take the gate's word that nothing from `voiced_to` to `index` was voiced. It takes the place of the last."""
        position = Position(index, voiced_to)
        self._store.note(position)
        self._backlog.put(position)

    def end(self, index: int | None = None) -> None:
        """Capture is over. Without an index, it ended with the last that was heard of it; once over, it stays so."""
        if self._backlog.is_over:
            return
        end = End(max(self._backlog.known_to, self._acknowledged_to) if index is None else index)
        self._store.note(end)
        self._backlog.put(end)

    def next_message(self) -> ClientMessage | None:
        """The next message to send, or None while there is nothing to tell.

        Between `disconnected` and the server's welcome there is nothing to tell either: the hello is sent by the
        connection that asks.
        """
        self._let_go()
        while self._is_welcome:
            due = self._backlog.due(self._batch_samples, self._longest_message)
            if not isinstance(due, tuple):
                return due and self._tell(due)
            if pcm := self._store.read(*due):
                return self._tell(Audio(due[0], pcm))
            if not self._let_go():
                self._lose(*due)
        return None

    def receive(self, message: ServerMessage) -> None:
        """Take what the server said.

        Raises:
            ProtocolError: The server welcomed another stream, or twice, or spoke before its welcome, or has stored what
                it was never sent. Nothing is forgotten then.
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
                self._check_sent(message.stored_to)
                self._acknowledge(message.stored_to)
            case SegmentSaved() | SegmentDiscarded():
                self._unsaved.remove(message.start_index, message.end_index)
                if message.segment_id == self._last_segment and not _is_cut_off(message):
                    self._last_segment = None
            case SegmentStarted():
                self._last_segment = message.segment_id

    def disconnected(self) -> None:
        """The connection is gone: everything unacknowledged is to be sent again."""
        self._is_welcome = False
        self._backlog.begin()

    def _resume(self, welcome: Welcome) -> None:
        if welcome.stream_id != self.hello.stream_id:
            problem = f"the server welcomed the stream {welcome.stream_id}, not {self.hello.stream_id}"
            raise ProtocolError(CloseCode.PROTOCOL_ERROR, "welcome_unexpected", problem)
        if self._is_welcome:
            raise ProtocolError(CloseCode.PROTOCOL_ERROR, "welcome_unexpected", "the server said welcome twice")
        self._check_sent(welcome.resume_from)
        self._is_welcome = True
        self._backlog.begin()
        self._told_to = None
        longest_bytes = min(_LARGEST_MESSAGE_BYTES, welcome.max_message_bytes) - _INDEX_BYTES
        self._longest_message = max(1, self._audio.samples_in(longest_bytes))
        if welcome.resume_from < self._acknowledged_to:
            self._leave_elsewhere()
        self._acknowledge(welcome.resume_from)

    def _check_sent(self, stored_to: int) -> None:
        """Believe no server that has stored audio which nobody sent it."""
        most = self._sent_at_most
        if stored_to > most:
            problem = f"the server claims to have stored up to {stored_to}, but was sent no more than {most}"
            raise ProtocolError(CloseCode.PROTOCOL_ERROR, "never_sent", problem)

    def _put(self, item: Stretch | Position | End) -> None:
        if isinstance(item, Stretch):
            self._unsaved.add(item.start, item.end)
        self._backlog.put(item)

    def _tell(self, message: Audio | Position | End) -> ClientMessage:
        """Note that the message is told; or, where it lies too far ahead for the server, take a step towards it."""
        index = message.start if isinstance(message, Audio) else message.index
        if self._told_to is not None and index - self._told_to > self._longest_jump:
            self._told_to += self._longest_jump
            voiced_to = message.voiced_to if isinstance(message, Position) else None
            # Where audio was lost, voice may have ended beyond the step.
            return Position(self._told_to, voiced_to if voiced_to is None or voiced_to <= self._told_to else None)
        if isinstance(message, Audio):
            index += self._audio.samples_in(len(message.pcm))
            self._backlog.tell_to(index)
            self._sent_at_most = max(self._sent_at_most, index)
        else:
            self._backlog.tell()
        self._told_to = max(index, self._told_to or 0)
        return message

    def _acknowledge(self, stored_to: int) -> None:
        """Forget what the server has."""
        self._acknowledged_to = max(self._acknowledged_to, stored_to)
        self._backlog.acknowledge(stored_to)
        self._store.forget(stored_to)

    def _leave_elsewhere(self) -> None:
        """Another server answers: what the one before acknowledged lies there, and this one cannot tell when saved."""
        self.elsewhere_samples += self._unsaved.remove(0, self._acknowledged_to)

    def _let_go(self) -> bool:
        """Tell no more of what the store could not keep; returns whether there was any."""
        lost_before = self.lost_samples
        for start, end in self._store.take_lost():
            self._lose(start, end)
        return self.lost_samples > lost_before

    def _lose(self, start: int, end: int) -> None:
        """Audio is gone. What was sent and not confirmed counts too: nobody knows of it."""
        for lost in self._backlog.lose(start, end):
            self.lost_samples += lost[1] - lost[0]
            self._unsaved.remove(*lost)


def _is_cut_off(message: SegmentSaved | SegmentDiscarded) -> bool:
    return isinstance(message, SegmentSaved) and message.reason in CUT_OFF
