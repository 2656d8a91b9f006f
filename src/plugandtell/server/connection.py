"""One WebSocket connection at the server: bytes in, messages out, and its end.

What bytes mean is decided by `websockets`, through its documented protocol without I/O. It is bypassed for one kind of
frame, of which there are 50 a second from each client that sends 20 ms at a time: a whole, masked binary message that
lies between two frames. Nothing about such a frame changes the state of the protocol, so that leaving it out is no news
to the library, whose generator and objects would cost more than all that we do with the audio. Everything else,
well-formed or not, goes to the library frame by frame, so that it always stands between two frames when it is bypassed.
"""

from __future__ import annotations

import asyncio
from enum import Enum
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol, TypeAlias, cast

from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import State
from websockets.server import ServerProtocol

from plugandtell.core.protocol.frames import WHOLE_BINARY, read_head
from plugandtell.server.masking import find_unmask

if TYPE_CHECKING:
    from collections.abc import Callable

    from plugandtell.server.masking import Unmask

__all__ = ["Connection", "Later", "Message", "Request", "Response", "User"]

Message: TypeAlias = str | bytes

_MESSAGES_IN_A_ROW = 32
_LONGEST_REQUEST_BYTES = 64 * 1024
_REQUEST_END = b"\r\n\r\n"
_LONGEST_REASON_BYTES = 123  # RFC 6455, section 5.5: a control frame carries 125 bytes, two of which are the code
_TWO_BYTE_LENGTH = 0x80 | 126  # second byte of a masked frame of 126 to 65,535 bytes
_HEAD_BYTES = 8  # of such a frame
_WHOLE_TEXT, _SHORT_BYTES = 0x81, 125
_HELD, _STUCK, _RESTING = 1, 2, 4
_DATA = (Opcode.TEXT, Opcode.BINARY, Opcode.CONT)
_UNMASK = find_unmask()


class Later(Enum):
    """The user answers a request when it can."""

    LATER = "later"


class User(Protocol):
    """Whom a connection is for."""

    def made(self, connection: Connection) -> None:
        """The other end is there."""

    def judge(self, request: Request) -> Response | Later | None:
        """Answer the request for an upgrade with something else, or None: let the handshake go its way.

        Who answers later holds the connection until `answer`.
        """

    def opened(self) -> None:
        """The handshake is done: messages will follow."""

    def received(self, message: Message) -> None:
        """A whole message came."""

    def lost(self) -> None:
        """Nothing will follow any more."""


class Connection(asyncio.Protocol):
    """A connection from its first byte to its last.

    While the other end leaves too much unread, nothing is read from it: who never reads cannot make us write more.

    Args:
        protocol: Of the library, fresh.
        user: Told of everything.
        max_message_bytes: What the protocol takes; at least 65,535.
        close_within_s: How long the other end may take to close.
        unmask: Takes the mask off a payload; without one, every frame goes through the library.

    Attributes:
        arrivals: How often bytes came.
        surplus: How many more messages than that were taken; negative if they came in pieces.
        stuck_since: When the other end began to leave too much unread, on the loop's clock; None if it does not.
        received: Takes each whole message: the user's `received`, or what the user puts in its place.
    """

    __slots__ = (
        "_answered",
        "_asking",
        "_close_within_s",
        "_deadline",
        "_fragments",
        "_freed",
        "_holds",
        "_is_deaf",
        "_is_ending",
        "_is_fragmented",
        "_is_given_over",
        "_is_plain",
        "_lost",
        "_max_message_bytes",
        "_pinged",
        "_protocol",
        "_rest",
        "_transport",
        "_unmask",
        "_user",
        "arrivals",
        "received",
        "stuck_since",
        "surplus",
    )

    def __init__(
        self,
        protocol: ServerProtocol,
        user: User,
        max_message_bytes: int,
        close_within_s: float,
        unmask: Unmask | None = _UNMASK,
    ) -> None:
        self.received: Callable[[Message], None] = user.received
        self.stuck_since: float | None = None
        self.arrivals = self.surplus = 0
        self._protocol = protocol
        self._user = user
        self._max_message_bytes = max_message_bytes
        self._close_within_s = close_within_s
        self._unmask = unmask
        self._transport = cast("asyncio.Transport", None)  # until connection_made, which comes first
        self._rest: bytearray | None = None  # what came and was not taken; it begins where a frame does
        self._fragments: tuple[Opcode, bytearray] | None = None
        self._holds = self._freed = 0  # why nothing is read, and which of that is over with the loop's next round
        self._is_plain = False  # whether a whole binary frame may bypass the library just now
        self._is_fragmented = False
        self._is_given_over = False  # whether the library gets everything as it comes
        self._is_deaf = False  # whether what is said to us does not matter any more
        self._is_ending = False
        self._deadline: asyncio.TimerHandle | None = None
        self._pinged = self._answered = 0
        self._asking: dict[int, asyncio.Future[None]] | None = None
        self._lost: asyncio.Event | None = None

    # What the transport tells.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)
        self._user.made(self)

    def data_received(self, data: bytes) -> None:
        """Take bytes: at best, one whole frame of audio."""
        self.arrivals += 1
        if (
            self._is_plain
            and len(data) > _HEAD_BYTES
            and data[0] == WHOLE_BINARY
            and data[1] == _TWO_BYTE_LENGTH
            and (data[2] << 8 | data[3]) + _HEAD_BYTES == len(data)
        ):
            self.received(self._unmask(data[8:], data[4:8]))  # type: ignore[misc]  # plain means that there is one
        elif self._is_given_over:
            self.surplus -= 1
            self._hand_over(data)
        else:
            self.surplus -= 1
            if self._rest is None:
                self._rest = bytearray()
            self._rest += data
            self._work()

    def eof_received(self) -> None:
        """The other end will say no more: the transport closes."""
        self._protocol.receive_eof()
        self._flush()
        self.set_deadline(self._close_within_s, self.abort)  # it does so when all is written, which may never be

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over."""
        self.set_deadline(None)
        self._is_plain = False
        self._rest = None
        self._protocol.receive_eof()
        self._user.lost()
        for asking in (self._asking or {}).values():
            if not asking.done():
                asking.cancel()
        if self._lost is not None:
            self._lost.set()

    def pause_writing(self) -> None:
        """The other end does not read."""
        self.stuck_since = asyncio.get_running_loop().time()
        self._hold(_STUCK)

    def resume_writing(self) -> None:
        """It does again."""
        self.stuck_since = None
        self._release(_STUCK)

    # What its user may ask and want.

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of the other end; empty if it was gone before it could be asked."""
        host, port, *_ = self._transport.get_extra_info("peername") or ("", 0)
        return host, port

    @property
    def subprotocol(self) -> str | None:
        """What was agreed on."""
        return self._protocol.subprotocol

    @property
    def is_open(self) -> bool:
        """Whether messages may be sent."""
        return self._protocol.state is State.OPEN

    @property
    def is_lost(self) -> bool:
        """Whether the other end is gone."""
        return self._transport.is_closing()

    @property
    def is_held(self) -> bool:
        """Whether nothing is read, because of us or because the other end does not read.

        Who says so much that others must have their turn in between is read from, and is not held.
        """
        return bool(self._holds & ~_RESTING)

    @property
    def is_answering(self) -> bool:
        """Whether the last ping was answered."""
        return self._answered == self._pinged

    @property
    def was_closed(self) -> bool:
        """Whether the other end said goodbye."""
        return self._protocol.close_rcvd is not None

    @property
    def close_code(self) -> int | None:
        """The code that it said goodbye with; 1006 if it did not, None as long as it is there."""
        return self._protocol.close_code

    def respond(self, status: HTTPStatus, text: str) -> Response:
        """An answer over HTTP to a request for an upgrade."""
        return self._protocol.reject(status, text)

    def send(self, text: str) -> None:
        """Send a text message, or drop it if the other end is gone or going."""
        if not self.is_open:
            return
        data = text.encode()
        if len(data) <= _SHORT_BYTES:
            self._write(bytes((_WHOLE_TEXT, len(data))) + data)
        else:
            self._protocol.send_text(data)
            self._flush()

    def ping(self) -> int:
        """Ask for a sign of life; returns the number of the question."""
        self._pinged += 1
        if self.is_open:
            self._protocol.send_ping(self._pinged.to_bytes(8, "big"))
            self._flush()
        return self._pinged

    async def answers(self, within_s: float) -> bool:
        """Whether the other end answers a ping in time."""
        if self.is_lost:
            return False
        asking = asyncio.get_running_loop().create_future()
        if self._asking is None:
            self._asking = {}
        number = self.ping()
        self._asking[number] = asking
        try:
            async with asyncio.timeout(within_s):
                await asyncio.wait({asking})
                return not asking.cancelled()
        except TimeoutError:
            return False
        finally:
            del self._asking[number]

    def hold(self) -> None:
        """Read nothing until `release`; what has come already waits."""
        if not self._is_deaf:
            self._hold(_HELD)

    def release(self) -> None:
        """Go on reading."""
        self._release(_HELD)

    def set_deadline(self, within_s: float | None, then: Callable[[], None] = lambda: None) -> None:
        """Let something happen in so many seconds, instead of what was to happen; None for nothing."""
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = None if within_s is None else asyncio.get_running_loop().call_later(within_s, then)

    def close(self, code: int, reason: str) -> None:
        """Say why, and close; the connection is dropped if the other end does not do so too, in time.

        What comes meanwhile is read, for the other end's goodbye may lie behind it, and ignored.
        """
        if self.is_open:
            self._protocol.send_close(code, reason.encode()[:_LONGEST_REASON_BYTES].decode(errors="ignore"))
            self._flush()
        self._is_deaf = True
        self._is_plain = False
        self.release()

    def go_on(self, frames: bytes) -> None:
        """Begin with a connection on which another process has shaken hands, and what came after that."""
        self._user.opened()
        self.data_received(frames)

    def surrender(self) -> tuple[asyncio.Transport, bytes]:
        """Let somebody else have the transport, which is held; returns it, and what came and was not taken."""
        self.set_deadline(None)
        rest, self._rest = bytes(self._rest or b""), None
        return self._transport, rest

    def abort(self) -> None:
        """Drop the connection without a word."""
        self._transport.abort()

    async def wait_lost(self) -> None:
        """Wait until it is over."""
        if self._protocol.state is not State.CLOSED:
            self._lost = self._lost or asyncio.Event()
            await self._lost.wait()

    # Frames.

    def _work(self) -> None:
        """Take what is there, frame by frame; after some of them, let others have their turn."""
        rest, at = self._rest, 0
        frames = 0
        while rest is not None and not (self._holds or self._is_given_over or self._transport.is_closing()):
            end = self._take_next(rest, at)
            if end is None:
                break
            at = end
            frames += 1
            if frames == _MESSAGES_IN_A_ROW:
                self._hold(_RESTING)
                self._release(_RESTING)
        if rest is None or self._rest is None:
            return
        del rest[:at]
        if self._is_given_over:
            self._hand_over(rest)
            rest.clear()
        if not rest:
            self._rest = None
        self._see_whether_plain()

    def _take_next(self, rest: bytearray, at: int) -> int | None:
        """Take the frame or the request that begins at `at`; returns where it ends, None if it is not all there."""
        if self._protocol.state is State.CONNECTING:
            return self._take_request(rest, at)
        head = read_head(rest, at)
        if head is None:
            return None
        if not head.is_of_client or head.payload_bytes > self._room_bytes:
            self._is_given_over = True  # the end of such a frame is not worth waiting for
            return None
        if len(rest) < head.end:
            return None
        if head.first == WHOLE_BINARY and self._may_bypass:
            payload_at, end = head.payload_at, head.end
            self.surplus += 1
            self.received(self._unmask(rest[payload_at:end], rest[payload_at - 4 : payload_at]))  # type: ignore[misc]
        else:
            self._is_fragmented = head.leaves_fragments(before=self._is_fragmented)
            self._hand_over(rest[at : head.end])
        return head.end

    def _take_request(self, rest: bytearray, at: int) -> int | None:
        found = rest.find(_REQUEST_END, at)
        if found >= 0:
            end = found + len(_REQUEST_END)
            self._hand_over(rest[at:end])
            return end
        if len(rest) - at > _LONGEST_REQUEST_BYTES:
            text = f"The request is longer than {_LONGEST_REQUEST_BYTES} bytes.\n"
            self._protocol.send_response(self.respond(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, text))
        elif not rest[at : at + 1].isalpha():  # who begins to encrypt waits for an answer, and ends no line
            self._protocol.receive_eof()
        else:
            return None
        self._flush()
        self._is_given_over = True
        rest.clear()
        return None

    @property
    def _room_bytes(self) -> int:
        """How long the next fragment may be."""
        return self._max_message_bytes - (0 if self._fragments is None else len(self._fragments[1]))

    @property
    def _may_bypass(self) -> bool:
        return self._unmask is not None and self.is_open and not (self._is_fragmented or self._is_deaf)

    def _see_whether_plain(self) -> None:
        self._is_plain = self._may_bypass and not self._holds and self._rest is None and not self._is_given_over

    def _hand_over(self, data: bytes | bytearray) -> None:
        """Let the library take it, and carry out what it says."""
        if self._protocol.state is State.CLOSED:
            return
        self._protocol.receive_data(data)
        self._flush()
        for event in self._protocol.events_received():
            if isinstance(event, Request):
                self._answer(event)
            elif isinstance(event, Frame):
                self._take_frame(event)
        if self.was_closed:  # all that follows is thrown away; before that, a flood would keep others waiting
            self._is_given_over = True

    def _answer(self, request: Request) -> None:
        verdict = self._user.judge(request)
        if verdict is not Later.LATER:
            self.answer(verdict or self._protocol.accept(request))

    def answer(self, response: Response) -> None:
        """Answer the request, if somebody is still there to read it."""
        if self.is_lost:
            return
        self._protocol.send_response(response)
        self._flush()
        if self.is_open:
            self._user.opened()
            self._forget_handshake()
        else:
            self._is_given_over = True

    def _forget_handshake(self) -> None:
        """Go on with a fresh protocol, whose parser does not keep the request for as long as the connection lives."""
        if self.is_open:
            subprotocol = self._protocol.subprotocol
            self._protocol = ServerProtocol(state=State.OPEN, max_size=self._max_message_bytes)
            self._protocol.subprotocol = subprotocol

    def _take_frame(self, frame: Frame) -> None:
        if frame.opcode is Opcode.PONG:
            self._note_answer(int.from_bytes(frame.data[:9], "big"))
        elif frame.opcode in _DATA and not self._is_deaf:
            opcode, data = self._fragments or (frame.opcode, bytearray())
            data += frame.data
            self._fragments = None if frame.fin else (opcode, data)
            if frame.fin:
                self._take_message(opcode, bytes(data))

    def _take_message(self, opcode: Opcode, data: bytes) -> None:
        self.surplus += 1
        if opcode is Opcode.BINARY:
            self.received(data)
            return
        try:
            text = data.decode()
        except UnicodeDecodeError as exc:
            self._protocol.fail(1007, f"{exc.reason} at position {exc.start}")
            self._flush()
            return
        self.received(text)

    def _note_answer(self, number: int) -> None:
        """An answer to a later ping answers those before it too (RFC 6455, section 5.5.3)."""
        if not self._answered < number <= self._pinged:
            return
        self._answered = number
        for asked, asking in (self._asking or {}).items():
            if asked <= number and not asking.done():
                asking.set_result(None)

    def _flush(self) -> None:
        """Write what the library has to say."""
        for data in self._protocol.data_to_send():
            self._write(data)
        if self._protocol.close_expected() and not self._is_ending:
            self._is_ending = True
            self.set_deadline(self._close_within_s, self.abort)

    def _write(self, data: bytes) -> None:
        """Write bytes, or none for the end."""
        if self._transport.is_closing():
            return
        try:
            if data:
                self._transport.write(data)
            elif self._transport.can_write_eof():
                self._transport.write_eof()
            else:  # TLS knows no end in one direction only
                self._transport.close()
        except (OSError, RuntimeError):  # the other end has reset the connection: the transport is about to say so
            self._transport.abort()

    def _hold(self, why: int) -> None:
        self._is_plain = False
        if not self._holds and not self._transport.is_closing():
            self._transport.pause_reading()
        self._holds |= why
        self._freed &= ~why

    def _release(self, why: int) -> None:
        """Go on in the loop's next round: whoever releases may be called from what we are about to do."""
        if self._holds & ~self._freed & why:
            self._freed |= why
            asyncio.get_running_loop().call_soon(self._go_on, why)

    def _go_on(self, why: int) -> None:
        if not self._freed & why:  # it is held again
            return
        self._freed &= ~why
        self._holds &= ~why
        self._work()
        if not (self._holds or self._transport.is_closing()):
            self._transport.resume_reading()
            self._see_whether_plain()
