"""The client's machine at 1 Hz, so that the longest jump is sixty samples; a letter is a sample."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from plugandtell.core.audio import AudioFormat
from plugandtell.core.errors import ProtocolError
from plugandtell.core.gate import AudioGate, GateSettings, Output, Passed, Quiet
from plugandtell.core.protocol.client import ClientStream
from plugandtell.core.protocol.codec import decode_server, encode
from plugandtell.core.protocol.messages import (
    Ack,
    Audio,
    ClientInfo,
    ClientMessage,
    CloseCode,
    End,
    EndReason,
    Error,
    Hello,
    Position,
    SegmentSaved,
    SegmentStarted,
    ServerMessage,
    Welcome,
)
from plugandtell.core.protocol.server import ServerConnection, ServerLimits
from plugandtell.core.segmenter import Ended, Gap, Segmenter, SegmenterSettings, Started, Write
from plugandtell.core.store import AudioStore, MemoryStore

AUDIO = AudioFormat(1, 1)
HELLO = Hello(UUID(int=1), 1, 1, datetime(2026, 1, 1, tzinfo=UTC), ClientInfo("test", "1"))
BATCH = 4


def pcm(letters: str) -> bytes:
    return letters.encode("utf-16-le")


def letters(data: bytes | memoryview) -> str:
    return bytes(data).decode("utf-16-le")


def welcome(resume_from: int = 0, max_message_bytes: int = 1_000_000) -> Welcome:
    return Welcome(HELLO.stream_id, resume_from, 10, max_message_bytes)


def saved(start: int, end: int) -> SegmentSaved:
    return SegmentSaved(UUID(int=2), "a.wav", start, end, end - start, EndReason.SILENCE)


def new_stream(store: AudioStore | None = None) -> ClientStream:
    return ClientStream(HELLO, AUDIO, BATCH, store or MemoryStore(AUDIO, 1_000_000))


def connected(resume_from: int = 0, max_message_bytes: int = 1_000_000) -> ClientStream:
    stream = new_stream()
    stream.receive(welcome(resume_from, max_message_bytes))
    return stream


def told(stream: ClientStream) -> list[str]:
    """Everything the stream has to tell at the moment, readable."""
    found: list[str] = []
    while (message := stream.next_message()) is not None:
        match message:
            case Audio(start, data):
                found.append(f"{start} {letters(data)}")
            case Position(index, voiced_to):
                found.append(f"quiet {voiced_to}-{index}")
            case End(index):
                found.append(f"end {index}")
            case Hello():
                found.append("hello")
    return found


def test_nothing_is_told_before_the_welcome() -> None:
    stream = new_stream()
    stream.add_audio(0, pcm("abcdefgh"))
    assert told(stream) == []
    stream.receive(welcome())
    assert told(stream) == ["0 abcdefgh"]


def test_audio_is_gathered_into_batches_while_the_line_keeps_up() -> None:
    stream = connected()
    batches = []
    for index, letter in enumerate("abcdefghij"):
        stream.add_audio(index, pcm(letter))
        batches += told(stream)
    assert batches == ["0 abcd", "4 efgh"]


@pytest.mark.parametrize("rest", ["quiet 1-6", "end 6", "9 wxyz"])
def test_what_is_short_of_a_batch_goes_out_when_something_follows(rest: str) -> None:
    stream = connected()
    stream.add_audio(0, pcm("ab"))
    assert told(stream) == []
    if rest.startswith("quiet"):
        stream.add_position(6, 1)
    elif rest.startswith("end"):
        stream.end(6)
    else:
        stream.add_audio(9, pcm("wxyz"))
    assert told(stream) == ["0 ab", rest]


def test_a_line_that_has_fallen_behind_catches_up_in_large_messages() -> None:
    stream = connected(max_message_bytes=8 + 2 * 10)
    for index in range(25):
        stream.add_audio(index, pcm("a"))
    stream.add_position(30, 25)
    stream.add_audio(40, pcm("bc"))
    stream.end(42)
    assert told(stream) == ["0 " + 10 * "a", "10 " + 10 * "a", "20 aaaaa", "quiet 25-30", "40 bc", "end 42"]


@pytest.mark.parametrize("max_message_bytes", [10, 11, 8 + 2 * 3])
def test_no_message_is_longer_than_the_server_takes(max_message_bytes: int) -> None:
    stream = connected(max_message_bytes=max_message_bytes)
    stream.add_audio(0, pcm("abcdefg"))
    stream.end(7)
    sizes = []
    while (message := stream.next_message()) is not None:
        sizes.append(len(encode(message)) if isinstance(message, Audio) else 0)
    assert max(sizes) <= max_message_bytes
    assert stream.is_told


def test_no_message_is_longer_than_64_kib_whatever_the_server_takes() -> None:
    stream = connected(max_message_bytes=2**30)
    stream.add_audio(0, bytes(200_000))
    message = stream.next_message()
    assert message is not None
    assert len(encode(message)) == 65_536


def test_a_position_takes_the_place_of_the_one_before_it() -> None:
    stream = connected()
    stream.add_audio(0, pcm("ab"))
    stream.add_position(5, 1)
    stream.add_position(9, 1)
    assert told(stream) == ["0 ab", "quiet 1-9"]
    stream.add_position(13, 1)
    assert told(stream) == ["quiet 1-13"]


def test_a_position_is_told_again_until_audio_behind_it_was_stored() -> None:
    stream = connected()
    stream.add_audio(0, pcm("ab"))
    stream.add_position(5, 1)
    assert told(stream) == ["0 ab", "quiet 1-5"]
    stream.receive(Ack(2))
    stream.disconnected()
    stream.receive(welcome(2))
    assert told(stream) == ["quiet 1-5"]
    stream.add_audio(9, pcm("wxyz"))
    assert told(stream) == ["9 wxyz"]
    stream.receive(Ack(10))
    stream.disconnected()
    stream.receive(welcome(10))
    stream.end(13)
    assert told(stream) == ["10 xyz", "end 13"]


def test_audio_before_a_held_pause_is_let_go_even_while_the_pause_is_stored_in_part() -> None:
    """The position at 9 lies inside the pause that was sent after all."""
    stream = connected()
    stream.add_audio(0, pcm("abc"))
    stream.add_position(9, 2)
    stream.add_audio(3, pcm("defghijklm"))
    assert told(stream) == ["0 abc", "quiet 2-9", "3 defghijklm"]
    stream.receive(Ack(5))
    assert stream.unacknowledged_samples == 8


def test_a_silence_longer_than_an_index_may_jump_is_told_in_steps() -> None:
    stream = connected()
    stream.add_audio(0, pcm("abcd"))
    stream.add_position(200, 3)
    assert told(stream) == ["0 abcd", "quiet 3-64", "quiet 3-124", "quiet 3-184", "quiet 3-200"]
    stream.add_position(260, 3)
    assert told(stream) == ["quiet 3-260"]


def test_a_hole_without_a_word_is_told_in_steps_too() -> None:
    stream = connected()
    stream.add_audio(0, pcm("abcd"))
    stream.add_audio(100, pcm("wxyz"))
    stream.end(300)
    assert told(stream) == [
        "0 abcd",
        "quiet None-64",
        "100 wxyz",
        "quiet None-164",
        "quiet None-224",
        "quiet None-284",
        "end 300",
    ]


def test_a_held_pause_does_not_turn_the_clock_back() -> None:
    stream = connected()
    stream.add_audio(0, pcm("abcd"))
    stream.add_position(50, 3)
    stream.add_audio(4, pcm("e"))
    stream.end(110)
    assert told(stream) == ["0 abcd", "quiet 3-50", "4 e", "end 110"]


def test_the_first_message_of_a_connection_needs_no_steps() -> None:
    stream = connected()
    stream.add_position(1000, 0)
    assert told(stream) == ["quiet 0-1000"]
    stream.disconnected()
    stream.add_position(5000, 0)
    stream.receive(welcome())
    assert told(stream) == ["quiet 0-5000"]


def test_steps_begin_anew_at_each_connection() -> None:
    stream = connected()
    stream.add_audio(0, pcm("abcd"))
    stream.add_position(200, 3)
    for _ in range(3):
        assert stream.next_message() is not None
    stream.disconnected()
    stream.receive(welcome(2))
    assert told(stream) == ["2 cd", "quiet 3-64", "quiet 3-124", "quiet 3-184", "quiet 3-200"]


def test_after_a_reconnection_it_goes_on_in_the_middle_of_a_message() -> None:
    stream = connected()
    stream.add_audio(0, pcm("abcdefgh"))
    assert told(stream) == ["0 abcdefgh"]
    stream.disconnected()
    assert told(stream) == []
    stream.add_audio(8, pcm("ij"))
    stream.receive(welcome(5))
    assert stream.unacknowledged_samples == 5
    assert told(stream) == ["5 fghij"]


def test_a_server_that_knows_nothing_gets_what_there_still_is() -> None:
    stream = connected()
    stream.add_audio(0, pcm("abcdefgh"))
    told(stream)
    stream.receive(Ack(6))
    stream.disconnected()
    stream.receive(welcome(0))
    stream.end(8)
    assert told(stream) == ["6 gh", "end 8"]
    stream.receive(Ack(8))
    stream.receive(saved(6, 8))
    assert (stream.unsaved_samples, stream.elsewhere_samples) == (
        0,
        6,
    )  # the first server acknowledged it: it lies there
    assert stream.is_complete


def test_an_older_acknowledgement_changes_nothing() -> None:
    stream = connected()
    stream.add_audio(0, pcm("abcdefgh"))
    told(stream)
    for stored_to, left in ((3, 5), (2, 5), (8, 0), (7, 0)):
        stream.receive(Ack(stored_to))
        assert stream.unacknowledged_samples == left


def test_it_is_complete_when_all_is_told_acknowledged_and_saved() -> None:
    stream = connected()
    stream.add_audio(3, pcm("ab"))
    stream.add_position(8, 4)
    stream.end(8)
    states = [(stream.is_told, stream.is_complete)]
    told(stream)
    for message in (None, Ack(5), saved(3, 5)):
        if message is not None:
            stream.receive(message)
        states.append((stream.is_told, stream.is_complete))
    assert states == [(False, False), (True, False), (True, False), (True, True)]


def test_a_stream_without_voice_is_complete_once_the_end_is_told() -> None:
    stream = connected()
    stream.end(100)
    states = [stream.is_complete]
    assert told(stream) == ["end 100"]
    states.append(stream.is_complete)
    stream.disconnected()
    states.append(stream.is_complete)
    assert states == [False, True, False]


@pytest.mark.parametrize(
    ("start", "end", "left"),
    [(0, 8, 0), (0, 3, 5), (3, 8, 3), (2, 5, 5), (8, 9, 8), (0, 0, 8), (100, 200, 8)],
)
def test_what_is_saved_is_taken_off_by_index(start: int, end: int, left: int) -> None:
    stream = connected()
    stream.add_audio(0, pcm("abcdefgh"))
    stream.receive(saved(start, end))
    stream.receive(saved(start, end))
    assert stream.unsaved_samples == left


def test_one_recording_may_cover_several_stretches() -> None:
    stream = connected()
    stream.add_audio(0, pcm("abc"))
    stream.add_audio(5, pcm("de"))
    stream.add_audio(50, pcm("f"))
    stream.receive(saved(0, 7))
    assert stream.unsaved_samples == 1


@pytest.mark.parametrize("message", [Ack(1), SegmentStarted(UUID(int=1), 0), saved(0, 1)])
def test_a_server_that_speaks_before_its_welcome_is_refused(message: ServerMessage) -> None:
    stream = new_stream()
    with pytest.raises(ProtocolError, match=f"{type(message).__name__} came before Welcome") as caught:
        stream.receive(message)
    assert caught.value.close_code == CloseCode.PROTOCOL_ERROR


def test_a_welcome_for_another_stream_or_a_second_one_is_refused() -> None:
    stream = new_stream()
    with pytest.raises(ProtocolError, match=f"welcomed the stream {UUID(int=7)}, not {UUID(int=1)}"):
        stream.receive(replace(welcome(), stream_id=UUID(int=7)))
    stream.receive(welcome())
    with pytest.raises(ProtocolError, match="welcome twice"):
        stream.receive(welcome())


def test_an_error_is_for_others_to_judge() -> None:
    stream = new_stream()
    stream.receive(Error("server_full", "later"))
    stream.receive(welcome())
    stream.receive(Error("idle", "too long"))
    stream.receive(SegmentStarted(UUID(int=1), 0))
    assert not stream.is_told


# From here on: both ends, and a line between them that breaks at any point.


class Server:
    """What a server does with a stream, in memory: one segmenter over all connections."""

    def __init__(self) -> None:
        self.segments: list[tuple[Ended, bytes]] = []
        self.stored: list[tuple[int, int]] = []  # index and sample of everything written, silence in gaps left out
        self._segmenter = Segmenter(SegmenterSettings(silence_samples=10, max_samples=45), AUDIO)
        self._written = bytearray()
        self._written_to = 0
        self._notices: list[ServerMessage] = []
        self._connection = ServerConnection(ServerLimits(sample_rates=(1,)))

    def receive(self, raw: str | bytes) -> list[ServerMessage]:
        match self._connection.receive(raw):
            case Hello(stream_id):
                return [Welcome(stream_id, self._written_to, 10, 8 + 2 * 12), *self._notices]
            case Audio(start, data):
                events = self._segmenter.feed(start, data)
            case Position(index, voiced_to):
                events = self._segmenter.advance(index, voiced_to)
            case End():
                events = self._segmenter.close(EndReason.END)
        replies: list[ServerMessage] = []
        for event in events:
            match event:
                case Started(start):
                    self._written = bytearray()
                    self._written_to = start
                case Write(data):
                    self.stored += [(self._written_to + n, value) for n, value in enumerate(data.cast("h"))]
                    self._written += data
                    self._written_to += AUDIO.samples_in(len(data))
                case Gap(_, samples):
                    self._written += bytes(AUDIO.bytes_in(samples))
                    self._written_to += samples
                case Ended(start, end):
                    self.segments.append((event, bytes(self._written)))
                    replies.append(saved(start, end))
        self._notices += replies
        return [Ack(self._written_to), *replies]

    def hang_up(self) -> None:
        self._connection = ServerConnection(ServerLimits(sample_rates=(1,)))

    def heard(self) -> list[tuple[int, int, EndReason, int, bytes]]:
        """What does not depend on how often it was sent."""
        return [
            (ended.start_index, ended.end_index, ended.reason, ended.voiced_samples, data)
            for ended, data in self.segments
        ]


class Line:
    """A client and a server, and what is under way between them."""

    def __init__(self, store: AudioStore | None = None) -> None:
        self.stream = new_stream(store)
        self.server = Server()
        self.is_up = False
        self.up: deque[str | bytes] = deque()
        self.down: deque[str] = deque()

    def connect(self) -> None:
        self.is_up = True
        self.up.append(encode(HELLO))

    def cut(self) -> None:
        self.is_up = False
        self.up.clear()
        self.down.clear()
        self.stream.disconnected()
        self.server.hang_up()

    def send(self) -> None:
        if (message := self.stream.next_message()) is not None:
            self.up.append(encode(message))

    def deliver(self) -> None:
        if self.up:
            encoded = [encode(reply) for reply in self.server.receive(self.up.popleft())]
            self.down.extend(text for text in encoded if isinstance(text, str))

    def hear(self) -> None:
        if self.down:
            self.stream.receive(decode_server(self.down.popleft()))

    def take(self, outputs: list[Output]) -> None:
        for output in outputs:
            if isinstance(output, Passed):
                self.stream.add_audio(output.start, output.pcm)
            elif isinstance(output, Quiet):
                self.stream.add_position(output.index, output.voiced_to)

    def settle(self) -> None:
        """Let everything arrive."""
        for _ in range(10_000):
            self.send()
            if not self.up and not self.down:
                return
            self.deliver()
            self.hear()
        raise AssertionError("they never stop talking")


class FirstByte:
    """A detector that reads the answer from the sample."""

    frame_samples = 1

    def probability(self, frame: bytes) -> float:
        return frame[0] == 1


GATE = GateSettings(
    frame_samples=1,
    pre_roll_samples=3,
    hangover_samples=2,
    hold_samples=10,
    position_samples=4,
    start_voiced=2,
    start_window=3,
    keep_voiced=1,
    keep_window=2,
)


def new_gate() -> AudioGate:
    return AudioGate(FirstByte(), GATE, AUDIO)


class BrokenLine(RuleBasedStateMachine):
    """Whatever breaks, and whenever, the recordings are those of a line that holds."""

    def __init__(self) -> None:
        super().__init__()
        self.line = Line()
        self.gate = new_gate()
        self.captured = bytearray()
        self.passed: list[Passed] = []

    @rule(voiced=st.booleans(), samples=st.integers(1, 20))
    def capture(self, voiced: bool, samples: int) -> None:
        start = len(self.captured) // 2
        chunk = b"".join(bytes([voiced, index % 256]) for index in range(start, start + samples))
        self.captured += chunk
        self._take(self.gate.feed(chunk))

    @rule(samples=st.integers(50, 200))
    def be_silent(self, samples: int) -> None:
        self.capture(voiced=False, samples=samples)

    @precondition(lambda self: not self.line.is_up)
    @rule()
    def connect(self) -> None:
        self.line.connect()

    @precondition(lambda self: self.line.is_up)
    @rule()
    def cut(self) -> None:
        self.line.cut()

    @rule(times=st.integers(1, 8))
    def send(self, times: int) -> None:
        for _ in range(times):
            self.line.send()

    @rule(times=st.integers(1, 8))
    def deliver(self, times: int) -> None:
        for _ in range(times):
            self.line.deliver()

    @rule(times=st.integers(1, 8))
    def hear(self, times: int) -> None:
        for _ in range(times):
            self.line.hear()

    @invariant()
    def it_is_not_complete_before_its_end(self) -> None:
        assert not self.line.stream.is_complete

    @invariant()
    def the_client_holds_what_the_server_has_not_confirmed_and_no_more(self) -> None:
        passed = sum(AUDIO.samples_in(len(item.pcm)) for item in self.passed)
        assert 0 <= self.line.stream.unacknowledged_samples <= passed
        assert 0 <= self.line.stream.unsaved_samples <= passed

    def teardown(self) -> None:
        self._take(self.gate.flush())
        self.line.stream.end(len(self.captured) // 2)
        if not self.line.is_up:
            self.line.connect()
        self.line.settle()
        assert self.line.stream.is_complete
        assert self.line.stream.unacknowledged_samples == 0
        assert self.line.stream.unsaved_samples == 0
        assert self.line.server.heard() == self._unbroken().heard()
        recorded = b"".join(data for _, data in self.line.server.segments)
        assert recorded == b"".join(item.pcm for item in self.passed)

    def _take(self, outputs: list[Output]) -> None:
        self.passed += [item for item in outputs if isinstance(item, Passed)]
        self.line.take(outputs)

    def _unbroken(self) -> Server:
        line, gate = Line(), new_gate()
        line.connect()
        for index in range(0, len(self.captured), 2):
            line.take(gate.feed(bytes(self.captured[index : index + 2])))
            line.settle()
        line.take(gate.flush())
        line.stream.end(len(self.captured) // 2)
        line.settle()
        return line.server


TestBrokenLine = BrokenLine.TestCase
TestBrokenLine.settings = settings(max_examples=150, stateful_step_count=40)


@pytest.mark.parametrize(("sent", "delivered"), [(2, 2), (3, 2), (5, 2), (4, 4), (9, 5)])
def test_a_line_that_breaks_every_few_messages_loses_and_doubles_nothing(sent: int, delivered: int) -> None:
    """No answer arrives but those to the hello: everything is learned from the next welcome."""
    spoken = "##......##...##............##.#.##" + "." * 80 + "###"
    chunks = [bytes([letter == "#", index]) for index, letter in enumerate(spoken)]
    broken, whole = Line(), Line()
    for line in (broken, whole):
        gate = new_gate()
        for chunk in chunks:
            line.take(gate.feed(chunk))
        line.take(gate.flush())
        line.stream.end(len(chunks))
    whole.connect()
    whole.settle()
    for _ in range(100):
        broken.connect()
        broken.deliver()
        while broken.down:
            broken.hear()
        for _ in range(sent):
            broken.send()
        for _ in range(delivered):
            broken.deliver()
        if broken.stream.is_complete:
            break
        broken.cut()
    assert broken.stream.is_complete
    assert broken.server.heard() == whole.server.heard()


def test_a_message_that_is_read_twice_reads_the_same() -> None:
    """A message is made from the queue, and must not change when the queue does."""
    stream = connected()
    stream.add_audio(0, pcm("abcd"))
    message: ClientMessage | None = stream.next_message()
    stream.receive(Ack(3))
    stream.add_audio(4, pcm("efgh"))
    assert message == Audio(0, pcm("abcd"))
