"""Both ends of a stream, in memory, and a line between them that breaks at any point."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from plugandtell.core.gate import AudioGate, GateSettings, Output, Passed, Quiet
from plugandtell.core.protocol.codec import decode_server, encode
from plugandtell.core.protocol.messages import Ack, Audio, End, EndReason, Hello, Position, ServerMessage, Welcome
from plugandtell.core.protocol.server import ServerConnection, ServerLimits
from plugandtell.core.segmenter import Ended, Gap, Segmenter, SegmenterSettings, Started, Write
from tests.support.client_stream import AUDIO, HELLO, new_stream, saved

if TYPE_CHECKING:
    from plugandtell.core.store import AudioStore


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


class LineRules(RuleBasedStateMachine):
    """A client whose line breaks at any point; what it captures and what must hold is for others to say."""

    def __init__(self, store: AudioStore | None = None) -> None:
        super().__init__()
        self.line = Line(store)
        self.gate = new_gate()
        self.index = 0
        self.passed: list[Passed] = []

    def speak(self, voiced: bool, samples: int) -> bytes:
        """Capture so many samples; each tells its index, as far as a byte goes. Returns them."""
        chunk = b"".join(bytes([voiced, index % 256]) for index in range(self.index, self.index + samples))
        self.index += samples
        self.take(self.gate.feed(chunk))
        return chunk

    def take(self, outputs: list[Output]) -> None:
        """What came out of the gate."""
        self.passed += [item for item in outputs if isinstance(item, Passed)]
        self.line.take(outputs)

    @precondition(lambda self: not self.line.is_up)
    @rule()
    def connect(self) -> None:
        """The line comes up."""
        self.line.connect()

    @precondition(lambda self: self.line.is_up)
    @rule()
    def cut(self) -> None:
        """It breaks."""
        self.line.cut()

    @rule(times=st.integers(1, 8), step=st.sampled_from(["send", "deliver", "hear"]))
    def pass_on(self, times: int, step: str) -> None:
        """Some of what is under way gets a step further."""
        for _ in range(times):
            getattr(self.line, step)()

    def settle(self) -> None:
        """Let everything arrive in the end."""
        if not self.line.is_up:
            self.line.connect()
        self.line.settle()

    def passed_samples(self) -> list[tuple[int, int]]:
        """Index and value of every sample that passed the gate."""
        return [
            (item.start + number, value)
            for item in self.passed
            for number, value in enumerate(memoryview(item.pcm).cast("h"))
        ]
