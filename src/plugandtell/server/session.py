"""A session: one stream, across all its connections, on its way into recordings."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Protocol
from uuid import UUID, uuid4

from plugandtell.core.allowance import Allowance
from plugandtell.core.audio import AudioFormat
from plugandtell.core.errors import WriteFailed
from plugandtell.core.metrics import Counts
from plugandtell.core.protocol.codec import INDEX_BYTES
from plugandtell.core.protocol.messages import (
    CUT_OFF,
    Ack,
    Audio,
    End,
    EndReason,
    Hello,
    Position,
    SegmentDiscarded,
    SegmentSaved,
    SegmentStarted,
    ServerMessage,
    Welcome,
)
from plugandtell.core.recording import GapPolicy, Origin, time_at
from plugandtell.core.segmenter import Ended, Event, Gap, Segmenter, SegmenterSettings, Started, Write
from plugandtell.core.status import StreamStatus
from plugandtell.logservice import Throttle, get_logger
from plugandtell.server.discards import Discarded
from plugandtell.server.past import end_of, holder_of, notice_of
from plugandtell.server.placing import Saved
from plugandtell.server.settling import Settling, Unsettled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from plugandtell.server.past import Past
    from plugandtell.server.recorder import Recorder
    from plugandtell.server.recording import Recording
    from plugandtell.server.settling import Notice

_ACK_EVERY_S = 0.5
_SETTLE_WITHIN_S = 10.0
_ACKS_PER_S, _ACKS_AT_ONCE = 2500.0, 4
_PROGRESS_LINES_PER_S = 4.0  # of 500 streams, a line each a second would cost as much as a sixth of their audio


class Peer(Protocol):
    """The connection a session speaks through at the moment."""

    @property
    def holder(self) -> str | None:
        """Whose token it was opened with; None without one."""

    def send(self, message: ServerMessage) -> None:
        """Send a message, or drop it if the connection is gone: what matters is repeated to the next one."""

    async def is_alive(self) -> bool:
        """Whether the other end answers."""

    async def abort(self) -> None:
        """Drop the connection without waiting for the other end."""


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """What sessions need of the server's settings, in seconds and bytes.

    Attributes:
        progress: How much all streams together may log of how they get on.
        acks: How many acknowledgements of audio all streams together may send. Streams that began together would send
            theirs in the same few milliseconds of each half second, and audio would wait for them.
        counts: Of the process.
    """

    silence_s: float
    max_duration_s: float
    resume_window_s: float
    gaps: GapPolicy
    max_message_bytes: int
    progress: Allowance = field(default_factory=lambda: Allowance(_PROGRESS_LINES_PER_S))
    acks: Allowance = field(default_factory=lambda: Allowance(_ACKS_PER_S, _ACKS_AT_ONCE))
    counts: Counts = field(default_factory=Counts)


class Session:
    """One stream. `receive` is the path of every message from the socket to the file, and never awaits.

    Args:
        hello: The client's first introduction.
        recorder: Where recordings go.
        settings: When they end.
        monotonic: A clock in seconds for the log and for time-outs; no rule about audio reads it.
        past: What earlier lives of the server left of the stream, in order: the stream goes on behind it.

    Attributes:
        holder: Whose token the stream belongs to; None if it was opened without one.
    """

    def __init__(
        self,
        hello: Hello,
        recorder: Recorder,
        settings: SessionSettings,
        monotonic: Callable[[], float],
        past: Sequence[Past] = (),
    ) -> None:
        self.hello = hello
        self.peer: Peer | None = None
        self.holder = holder_of(past)
        self.heard_at = monotonic()
        self._audio = AudioFormat(hello.sample_rate, hello.channels)
        self._recorder = recorder
        self._settings = settings
        self._monotonic = monotonic
        self._recording: Recording | None = None
        self._previous: tuple[UUID, EndReason] | None = None
        self._written_to = 0
        self._acked_to = self._seen_to = 0
        self._committer = recorder.committer
        self._committed_to = 0
        self._uncommitted: list[Recording] = []
        self._committing: list[Recording] = []
        self._commit_error: WriteFailed | None = None
        self._commit_over: asyncio.Event | None = None  # made for the first who waits: most streams are idle
        self._bytes_per_sample = self._audio.bytes_per_sample
        self._ack_samples = self._audio.samples_from_s(_ACK_EVERY_S)
        self._throttle = Throttle(shared=settings.progress)
        self._is_closed = False
        self._log = get_logger().bind(stream_id=str(hello.stream_id), client=hello.label)
        self._counts = settings.counts
        self._settling = Settling(self._tell, monotonic, self._log, self._counts)
        self._restore(past)
        self._committed_to = self._written_to
        self._segmenter = self._new_segmenter(self._written_to)

    @property
    def is_recording(self) -> bool:
        """Whether a segment is open."""
        return self._recording is not None

    @property
    def is_shut_down(self) -> bool:
        """Whether it takes nothing any more, because the server stops."""
        return self._is_closed

    @property
    def is_blank(self) -> bool:
        """Whether nothing of the stream was stored, so that nobody misses what the server knows of it."""
        return not (self._written_to or self._recording)

    @property
    def is_behind(self) -> bool:
        """Whether segments end faster than they are saved and told, so that the client must wait for `catch_up`."""
        return self._settling.is_behind

    @property
    def is_settled(self) -> bool:
        """Whether all segments that ended are in place and told."""
        return self._settling.is_over

    @property
    def unsaved_samples(self) -> int:
        """Length of the recordings that ended and are not in place yet."""
        return self._settling.unsaved_samples

    @property
    def growing_samples(self) -> int:
        """Audio of the open segment, which is counted when it ends."""
        return 0 if self._recording is None else self._recording.heard_samples

    @property
    def status(self) -> StreamStatus:
        """What it does now, for whoever looks."""
        is_connected, label = self.peer is not None, self.hello.label
        if self._recording is None:
            return StreamStatus(label, is_connected)
        silence_s = self._audio.seconds_from(self._segmenter.quiet_samples)
        seconds = self._audio.seconds_from(self._recording.samples)
        return StreamStatus(label, is_connected, self._recording.path.name, seconds, silence_s)

    def greeting(self) -> list[ServerMessage]:
        """What a new connection is told first: where to go on, and what was saved while it was away."""
        silence_ms = round(self._settings.silence_s * 1000)
        stored_to = self._written_to if self._committer is None else self._committed_to
        welcome = Welcome(self.hello.stream_id, stored_to, silence_ms, self._settings.max_message_bytes)
        self._acked_to = stored_to
        return [welcome, *self._settling.notices]

    def greet(self, hello: Hello) -> None:
        """Take what the client knows of the stream: another server may have recorded it meanwhile."""
        if hello.continues is not None and not self._knows(hello.continues):
            self._previous = (hello.continues, EndReason.DISCONNECT)

    def receive(self, message: Audio | Position | End) -> list[ServerMessage]:
        """Take a message; returns what to tell the client.

        Raises:
            WriteFailed: The audio could not be written; it is not acknowledged, and the stream must be closed.
        """
        if self._is_closed:
            return []
        if self._commit_error is not None:
            error, self._commit_error = self._commit_error, None
            raise error
        self.heard_at = self._monotonic()
        match message:
            case Audio(start, pcm):
                events = self._segmenter.feed(start, pcm)
            case Position(index, voiced_to):
                events = self._segmenter.advance(index, voiced_to)
                self._log_silence(index)
            case End():
                events = self._segmenter.close(EndReason.END)
        replies = self._carry_out(events)
        return replies + self._acknowledge(at_once=not isinstance(message, Audio))

    def receive_audio(self, start: int, raw: bytes) -> Sequence[ServerMessage]:
        """Take a binary message, whose PCM begins at byte `INDEX_BYTES`, as `receive` does.

        Raises:
            WriteFailed: As `receive` does.
        """
        pcm = memoryview(raw)[INDEX_BYTES:]
        samples = len(pcm) // self._bytes_per_sample
        recording = self._recording
        is_plain = recording is not None and not self._is_closed and self._commit_error is None
        if not is_plain or not self._segmenter.extend(start, samples):
            return self.receive(Audio(start, pcm))
        assert recording is not None
        self.heard_at = self._monotonic()
        try:
            recording.write(pcm)
        except WriteFailed:
            self._give_up_recording([])
            raise
        self._written_to = start + samples
        if self._written_to - self._acked_to < self._ack_samples:
            return ()
        self._log_transfer(recording)
        return self._acknowledge(at_once=False)

    def shut_down(self) -> None:
        """End the open segment, and take nothing from now on. `settle` waits until all is in place and told."""
        self._is_closed = True
        self._carry_out(self._segmenter.close(EndReason.SHUTDOWN))
        self._settling.retry(at_once=True)
        for reply in self._acknowledge(at_once=True):
            self._tell(reply)

    def drop(self, reason: EndReason) -> None:
        """End the open segment while nobody is connected."""
        self._carry_out(self._segmenter.close(reason))

    def refresh(self) -> None:
        """Bring the header of the open recording up to date, for whoever reads it while it grows."""
        if self._recording is None:
            return
        seen, self._seen_to = self._seen_to, self._written_to
        if seen != self._written_to:  # as long as audio comes, the recording sees to it itself
            return
        try:
            self._recording.patch_header()
        except WriteFailed as error:
            self._log.error("write_failed", error=str(error))
            self._give_up_recording([])

    def retry_unsaved(self) -> None:
        """Try again to settle what could not be, once the pause after the last try is over."""
        self._settling.retry()

    async def settle(self) -> None:
        """Wait until every segment that ended is in place and told, or could not be for now."""
        await self._settling.wait()
        while self._committer is not None and self._committed_to < self._written_to and self._commit_error is None:
            over = self._commit_over = self._commit_over or asyncio.Event()
            over.clear()
            self._committer.want(self)
            await over.wait()
        await self._settling.wait()

    async def settle_all(self) -> None:
        """Wait until every segment that ended is in place and told.

        Raises:
            WriteFailed: Some could not be in this time; they are kept and tried again. The client may ask again.
        """
        await self._settling.wait_for_all(_SETTLE_WITHIN_S)
        await self.settle()

    async def catch_up(self) -> None:
        """Wait until so few segments are pending that more may come."""
        await self._settling.catch_up()
        self.heard_at = self._monotonic()

    def begin_commit(self) -> tuple[Sequence[Recording], int]:
        """The recordings that were written to since the last commit, and how far."""
        self._committing = self._uncommitted
        self._uncommitted = [] if self._recording is None else [self._recording]
        return self._committing, self._written_to

    def committed(self, index: int) -> None:
        """Everything below the index is on the disk: acknowledge it."""
        self._committed_to = max(self._committed_to, index)
        self._end_wait()
        if index > self._acked_to:
            self._acked_to = index
            self._counts.acks += 1
            self._tell(Ack(index))

    def commit_failed(self, error: WriteFailed) -> None:
        """The disk did not take it: the recording ends where it did, and the stream is closed at its next word."""
        self._log.error("commit_failed", error=str(error))
        if self._recording is not None:
            heard = self._recording.heard_samples
            self._written_to = self._recording.cut_back()
            self._counts.recorded_samples += heard - self._recording.heard_samples
            self._give_up_recording([])
        self._uncommitted = list(dict.fromkeys([*self._committing, *self._uncommitted]))
        self._commit_error = error
        self._end_wait()

    def _end_wait(self) -> None:
        if self._commit_over is not None:
            self._commit_over.set()

    def _knows(self, segment_id: UUID) -> bool:
        if self._recording is not None and self._recording.origin.segment_id == segment_id:
            return True
        return self._settling.knows(segment_id)

    def _restore(self, past: Sequence[Past]) -> None:
        for segment in past:
            self._written_to = max(self._written_to, end_of(segment))
            match segment:
                case Discarded(_, segment_id, start_index, end_index):
                    self._settling.note(SegmentDiscarded(segment_id, start_index, end_index))
                    self._previous = None
                    continue
                case Saved():
                    self._settling.note(notice_of(segment))
                case _:
                    segment_id = segment.origin.segment_id
                    settle = partial(self._move_into_place, segment.finish, segment_id)
                    self._settling.add_failed(
                        Unsettled(segment_id, str(segment.path), segment.samples, segment.ended.reason, settle)
                    )
            self._previous = (segment.origin.segment_id, segment.ended.reason)

    def _carry_out(self, events: list[Event]) -> list[ServerMessage]:
        replies: list[ServerMessage] = []
        left = iter(events)
        try:
            for event in left:
                match event:
                    case Write(pcm):
                        self._write(pcm)
                    case Started(start_index):
                        replies.append(self._start(start_index))
                    case Gap():
                        self._note_gap(event)
                    case Ended():
                        self._end(event)
        except WriteFailed:
            self._give_up_recording(left)
            raise
        return replies

    def _start(self, start_index: int) -> SegmentStarted:
        self._settling.check()
        previous, reason = self._previous or (None, None)
        origin = Origin(
            segment_id=uuid4(),
            stream_id=self.hello.stream_id,
            continues=previous if reason in CUT_OFF else None,
            client=self.hello.client,
            label=self.hello.label,
            labels=self.hello.labels,
            started_at=time_at(self.hello.started_at, start_index, self._audio),
            start_index=start_index,
            audio=self._audio,
            gap_policy=self._settings.gaps,
            token_name=self.holder,
        )
        self._recording = self._recorder.start(origin)
        if self._committer is not None:
            self._uncommitted.append(self._recording)
        self._written_to = start_index
        at_s = self._audio.seconds_from(start_index)
        self._log.info("voice_detected", segment_id=str(origin.segment_id), at_s=at_s)
        return SegmentStarted(origin.segment_id, start_index)

    def _write(self, pcm: memoryview) -> None:
        assert self._recording is not None
        self._recording.write(pcm)
        self._written_to += self._audio.samples_in(len(pcm))
        self._log_transfer(self._recording)

    def _log_transfer(self, recording: Recording) -> None:
        if self._throttle.is_due("transfer_in_progress", self.heard_at):
            samples = recording.samples
            size_bytes, seconds = self._audio.bytes_in(samples), self._audio.seconds_from(samples)
            self._log_progress("transfer_in_progress", bytes=size_bytes, seconds=seconds)

    def _note_gap(self, gap: Gap) -> None:
        assert self._recording is not None
        self._recording.note_gap(gap)
        self._written_to += gap.samples

    def _end(self, ended: Ended) -> None:
        assert self._recording is not None
        recording, self._recording = self._recording, None
        self._counts.recorded_samples += recording.heard_samples
        self._log.info(
            "segment_ended",
            segment_id=str(recording.origin.segment_id),
            reason=ended.reason.value,
            seconds=self._audio.seconds_from(recording.samples),
        )
        is_kept = _is_kept(recording.origin, ended)
        self._previous = (recording.origin.segment_id, ended.reason) if is_kept else None
        segment_id = recording.origin.segment_id
        settle: Callable[[], Notice] = partial(self._discard, recording, ended)
        if is_kept:
            settle = partial(self._move_into_place, partial(recording.finish, ended), segment_id)
        self._settling.add(Unsettled(segment_id, str(recording.path), recording.samples, ended.reason, settle))

    def _move_into_place(self, finish: Callable[[], Saved], segment_id: UUID) -> SegmentSaved:
        """Off the event loop."""
        saved = finish()
        self._recorder.note_saved(saved)
        seconds = self._audio.seconds_from(saved.samples)
        self._log.info("segment_saved", segment_id=str(segment_id), file=str(saved.path), seconds=seconds)
        return notice_of(saved)

    def _discard(self, recording: Recording, ended: Ended) -> SegmentDiscarded:
        """Leave no file of what holds no voice. Off the event loop."""
        segment_id = recording.origin.segment_id
        self._recorder.discard(recording, ended)
        self._log.info("segment_discarded", segment_id=str(segment_id), cause="it holds no voice")
        return SegmentDiscarded(segment_id, ended.start_index, ended.end_index)

    def _tell(self, message: ServerMessage) -> None:
        if self.peer is not None:
            self.peer.send(message)

    def _acknowledge(self, *, at_once: bool) -> list[ServerMessage]:
        news = self._written_to - self._acked_to
        if news <= 0 or (not at_once and not self._is_ack_due(news)):
            return []
        if self._committer is not None:
            self._committer.want(self)
            return []
        self._acked_to = self._written_to
        self._counts.acks += 1
        return [Ack(self._written_to)]

    def _is_ack_due(self, news: int) -> bool:
        """Whether so much is news enough: a half second may wait for its turn, but no longer than another."""
        if news < self._ack_samples:
            return False
        return news >= 2 * self._ack_samples or self._settings.acks.take(self.heard_at)

    def _give_up_recording(self, left: Iterable[Event]) -> None:
        """Close the recording with what it holds. The client still has the rest, and may send it again.

        Args:
            left: The events that were not carried out. The first end among them is that of this recording.
        """
        self._counts.write_errors += 1
        ends = [event for event in [*left, *self._segmenter.close(EndReason.DISCONNECT)] if isinstance(event, Ended)]
        self._segmenter = self._new_segmenter(self._written_to)
        if self._recording is None:
            return
        if not self._recording.samples:
            empty, self._recording = self._recording, None
            try:
                empty.discard()
            except WriteFailed as error:  # its parts hold nothing: the server's next start removes them
                self._log.error("write_failed", error=str(error))
            return
        length = self._written_to - ends[0].start_index
        voiced = min(ends[0].voiced_samples, length)
        self._end(replace(ends[0], end_index=self._written_to, reason=EndReason.DISCONNECT, voiced_samples=voiced))

    def _new_segmenter(self, stored_to: int) -> Segmenter:
        settings = SegmenterSettings(
            silence_samples=self._audio.samples_from_s(self._settings.silence_s),
            max_samples=self._audio.samples_from_s(self._settings.max_duration_s),
        )
        return Segmenter(settings, self._audio, stored_to, self._counts)

    def _log_silence(self, index: int) -> None:
        if self._recording is not None and self._throttle.is_due("silence_growing", self.heard_at):
            silence_s = self._audio.seconds_from(max(0, index - self._segmenter.voiced_to))
            self._log_progress("silence_growing", silence_s=silence_s, ends_at_s=self._settings.silence_s)

    def _log_progress(self, event: str, **fields: float) -> None:
        assert self._recording is not None
        self._log.info(event, segment_id=str(self._recording.origin.segment_id), **fields)


def _is_kept(origin: Origin, ended: Ended) -> bool:
    """Whether the segment leaves a file: not one that was silent from its onset to its end.

    One that was cut off, or that continues another, is part of something longer: it may lie within a pause, or end
    before the voice that its pre-roll announces.
    """
    return ended.voiced_samples > 0 or ended.reason in CUT_OFF or origin.continues is not None
