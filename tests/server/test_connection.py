"""A connection says and does what the library alone would, however its bytes come and whichever way they take."""

from __future__ import annotations

import asyncio
import gc
import weakref
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from plugandtell.core.protocol.messages import SUBPROTOCOL
from plugandtell.server.connection import Connection, Message, Response
from plugandtell.server.masking import find_unmask
from tests.faults.raw import HANDSHAKE, Op, frame

if TYPE_CHECKING:
    from collections.abc import Callable

    from plugandtell.server.masking import Unmask

MAX_BYTES = 70_000
LONG_BYTES = 3000  # the library takes its time for each byte
UNMASK = find_unmask()


class Pipe(asyncio.Transport):
    """The transport of a connection: what is written stays here."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.has_ended = self.is_paused = False
        self.aborted = asyncio.Event()

    def write(self, data: Any) -> None:
        self.written += data

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.has_ended = True

    def is_closing(self) -> bool:
        return self.aborted.is_set()

    def abort(self) -> None:
        self.aborted.set()

    def pause_reading(self) -> None:
        self.is_paused = True

    def resume_reading(self) -> None:
        self.is_paused = False

    async def may_read(self) -> None:
        while self.is_paused:  # noqa: ASYNC110  (it ends in one of the loop's next rounds)
            await asyncio.sleep(0)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return ("127.0.0.1", 40_000) if name == "peername" else default


@dataclass
class Ear:
    """Hears what a connection has to tell."""

    messages: list[Message] = field(default_factory=list)
    is_open: bool = False
    is_lost: bool = False
    asked: weakref.ref[Request] | None = None
    connection: Connection | None = None
    then: Callable[[Connection], None] = lambda _: None

    def made(self, connection: Connection) -> None:
        self.connection = connection

    def judge(self, request: Request) -> Response | None:
        self.asked = weakref.ref(request)
        return None

    def opened(self) -> None:
        self.is_open = True

    def received(self, message: Message) -> None:
        self.messages.append(message)
        assert self.connection is not None
        self.then(self.connection)

    def lost(self) -> None:
        self.is_lost = True


@dataclass(frozen=True)
class Outcome:
    messages: list[Message]
    written: bytes
    has_ended: bool


def connection(ear: Ear, unmask: Unmask | None = UNMASK, close_within_s: float = 5.0) -> tuple[Connection, Pipe]:
    protocol = ServerProtocol(max_size=MAX_BYTES, subprotocols=[Subprotocol(SUBPROTOCOL)])
    made = Connection(protocol, ear, MAX_BYTES, close_within_s, unmask)
    pipe = Pipe()
    made.connection_made(pipe)
    return made, pipe


async def ours(pieces: list[bytes], unmask: Unmask | None) -> Outcome:
    ear = Ear()
    made, pipe = connection(ear, unmask)
    made.data_received(HANDSHAKE)
    start = len(pipe.written)
    for piece in pieces:
        await pipe.may_read()
        made.data_received(piece)
    await pipe.may_read()
    made.set_deadline(None)
    return Outcome(ear.messages, pipe.written[start:], pipe.has_ended)


def the_librarys(pieces: list[bytes]) -> Outcome:
    """What the library alone makes of it, with its messages put together in the plainest way."""
    protocol = ServerProtocol(max_size=MAX_BYTES)
    protocol.receive_data(HANDSHAKE)
    (request,) = protocol.events_received()
    assert isinstance(request, Request)
    protocol.send_response(protocol.accept(request))
    protocol.data_to_send()
    messages: list[Message] = []
    fragments: list[Frame] = []
    written: list[bytes] = []
    for piece in pieces:
        protocol.receive_data(piece)
        written += protocol.data_to_send()
        for event in protocol.events_received():
            assert isinstance(event, Frame)
            if event.opcode not in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
                continue
            fragments.append(event)
            if not event.fin:
                continue
            joined = b"".join(fragment.data for fragment in fragments)
            is_text = fragments[0].opcode is Opcode.TEXT
            fragments.clear()
            try:
                messages.append(joined.decode() if is_text else joined)
            except UnicodeDecodeError as exc:
                protocol.fail(1007, f"{exc.reason} at position {exc.start}")
                written += protocol.data_to_send()
                break
    return Outcome(messages, b"".join(written), b"" in written)


def check(data: bytes, cuts: list[int]) -> None:
    """Both ways of ours agree with the library."""
    places = [0, *sorted({cut % (len(data) + 1) for cut in cuts} - {0}), len(data)]
    pieces = [data[first:last] for first, last in pairwise(places) if last > first]
    one_by_one = [data[place : place + 1] for place in range(len(data))]
    expected = the_librarys(pieces if len(data) > LONG_BYTES else one_by_one)
    assert asyncio.run(ours(pieces, UNMASK)) == expected
    assert asyncio.run(ours(pieces, None)) == expected


payloads = st.binary(max_size=300) | st.sampled_from([125, 126, 127, 1288, 65_535, 65_536]).map(bytes)
masks = st.binary(min_size=4, max_size=4)
audio = st.builds(frame, st.just(Op.BINARY), payloads, mask=masks)
right = st.one_of(
    audio,
    audio,
    st.builds(frame, st.just(Op.TEXT), st.text(max_size=50).map(str.encode), mask=masks),
    st.builds(frame, st.sampled_from([Op.PING, Op.PONG]), st.binary(max_size=125), mask=masks),
    st.lists(st.binary(max_size=200), min_size=2, max_size=4).map(
        lambda parts: b"".join(
            frame(Op.CONTINUATION if number else Op.BINARY, part, final=number == len(parts) - 1)
            + frame(Op.PING, b"between")
            for number, part in enumerate(parts)
        )
    ),
)
short = st.lists(
    st.one_of(audio, st.builds(frame, st.just(Op.PING), st.binary(max_size=9))).filter(lambda data: len(data) < 500),
    max_size=3,
).map(b"".join)
wrong = st.one_of(
    st.builds(frame, st.integers(0, 15), st.binary(max_size=130), final=st.booleans(), reserved=st.integers(0, 7)),
    st.builds(frame, st.sampled_from(Op), st.binary(max_size=10), mask=st.none()),
    st.builds(frame, st.just(Op.TEXT), st.binary(max_size=20)),
    st.builds(frame, st.just(Op.BINARY), st.binary(max_size=20), declared=st.sampled_from([0, 30, 70_001, 2**63])),
    st.builds(frame, st.just(Op.CLOSE), st.binary(max_size=6)),
    st.binary(max_size=30),
)


@given(st.lists(right, max_size=12).map(b"".join), st.lists(st.integers(0, 10_000), max_size=12))
def test_any_split_of_right_frames_gives_the_same(data: bytes, cuts: list[int]) -> None:
    check(data, cuts)


@given(short, wrong, short, st.lists(st.integers(0, 3000), max_size=6))
def test_any_split_of_wrong_frames_gives_the_same(before: bytes, odd: bytes, after: bytes, cuts: list[int]) -> None:
    check(before + odd + after, cuts)


@pytest.mark.parametrize("step", [1, 2, 7, 648, 100_000])
def test_many_messages_at_once_are_all_taken_in_order(step: int) -> None:
    data = b"".join(frame(Op.BINARY, number.to_bytes(8, "little") * 20) for number in range(100))
    check(data, list(range(0, len(data), step)))


def test_there_is_an_unmask_in_the_release_that_is_locked() -> None:
    assert UNMASK is not None


@pytest.mark.parametrize("cut", [1, 20, len(HANDSHAKE) - 1, len(HANDSHAKE), len(HANDSHAKE) + 3])
async def test_frames_that_do_not_wait_for_the_handshake_are_taken(cut: int) -> None:
    ear = Ear()
    made, pipe = connection(ear)
    data = HANDSHAKE + frame(Op.BINARY, b"early") + frame(Op.BINARY, b"bird" * 100)
    made.data_received(data[:cut])
    made.data_received(data[cut:])
    assert pipe.written.startswith(b"HTTP/1.1 101 ")
    assert ear.messages == [b"early", b"bird" * 100]


async def test_the_request_is_gone_when_it_is_answered() -> None:
    ear = Ear()
    made, _ = connection(ear)
    made.data_received(HANDSHAKE)
    assert ear.is_open
    assert made.subprotocol == SUBPROTOCOL
    gc.collect()
    assert ear.asked is not None
    assert ear.asked() is None


async def test_a_request_without_end_is_refused() -> None:
    ear = Ear()
    made, pipe = connection(ear)
    made.data_received(b"GET / HTTP/1.1\r\n")
    while not pipe.written:
        made.data_received(b"X-Long: " + b"x" * 1000 + b"\r\n")
    assert pipe.written.startswith(b"HTTP/1.1 431 ")
    assert pipe.has_ended
    assert not ear.is_open
    made.connection_lost(None)


async def test_who_speaks_tls_to_a_server_without_it_does_not_wait_for_an_answer() -> None:
    ear = Ear()
    made, pipe = connection(ear)
    made.data_received(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
    assert (pipe.written, pipe.has_ended) == (b"", True)
    made.connection_lost(None)


@pytest.mark.parametrize("size", [10, 1000])
async def test_what_is_held_waits_and_then_comes_in_order(size: int) -> None:
    ear = Ear(then=Connection.hold)
    made, pipe = connection(ear)
    made.data_received(HANDSHAKE)
    first, second, third = (letter * size for letter in (b"a", b"b", b"c"))
    made.data_received(frame(Op.BINARY, first) + frame(Op.BINARY, second))
    made.data_received(frame(Op.BINARY, third))  # what a transport may still have had
    assert ear.messages == [first]
    assert pipe.is_paused
    for expected in ([first, second], [first, second, third]):
        made.release()
        await asyncio.sleep(0)
        assert ear.messages == expected
    made.release()
    await asyncio.sleep(0)
    assert not pipe.is_paused


async def test_what_comes_after_our_goodbye_is_ignored_up_to_theirs() -> None:
    ear = Ear()
    made, pipe = connection(ear)
    made.data_received(HANDSHAKE)
    made.close(1001, "the server shuts down")
    made.data_received(frame(Op.BINARY, b"late") + frame(Op.TEXT, b"later") + frame(Op.CLOSE, b"\x03\xe9"))
    assert ear.messages == []
    assert made.was_closed
    assert pipe.has_ended
    made.eof_received()
    made.connection_lost(None)
    assert ear.is_lost
    assert made.close_code == 1001


async def test_who_does_not_say_goodbye_is_dropped_in_time() -> None:
    made = Connection(ServerProtocol(), Ear(), MAX_BYTES, 0.01)
    pipe = Pipe()
    made.connection_made(pipe)
    made.data_received(HANDSHAKE)
    made.close(1000, "")
    async with asyncio.timeout(10):
        await pipe.aborted.wait()


async def test_who_does_not_read_is_not_read_from() -> None:
    made, pipe = connection(Ear())
    made.data_received(HANDSHAKE)
    states = []
    for change in (made.pause_writing, made.resume_writing):
        change()
        await asyncio.sleep(0)
        states.append((made.stuck_since is not None, pipe.is_paused))
    assert states == [(True, True), (False, False)]


@pytest.mark.parametrize(("answer", "expected"), [(b"", False), (b"same", True), (b"other", False)])
async def test_a_ping_is_answered_by_its_own_pong(answer: bytes, expected: bool) -> None:
    made, pipe = connection(Ear())
    made.data_received(HANDSHAKE)
    asking = asyncio.create_task(made.answers(0.05))
    await asyncio.sleep(0)
    asked = pipe.written[-8:]
    if answer:
        made.data_received(frame(Op.PONG, asked if answer == b"same" else answer))
    assert await asking is expected
    assert made.is_answering is expected


async def test_a_connection_that_is_lost_answers_nobody() -> None:
    made, pipe = connection(Ear())
    made.data_received(HANDSHAKE)
    asking = asyncio.create_task(made.answers(30))
    await asyncio.sleep(0)
    pipe.abort()
    made.connection_lost(None)
    assert await asking is False
    assert await made.answers(30) is False


@pytest.mark.parametrize("text", ["x", "x" * 125, "x" * 126, "é" * 70, "x" * 70_000])
async def test_a_text_of_any_length_is_one_frame(text: str) -> None:
    made, pipe = connection(Ear())
    made.data_received(HANDSHAKE)
    start = len(pipe.written)
    made.send(text)
    assert pipe.written[start:] == Frame(Opcode.TEXT, text.encode()).serialize(mask=False)
