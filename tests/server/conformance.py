"""What RFC 6455 wants of a server that echoes, case by case."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.faults.raw import Op, frame
from tests.server.echo import MAX_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.server.echo import Frame

NORMAL, WRONG, NO_TEXT, TOO_BIG = 1000, 1002, 1007, 1009  # RFC 6455, section 7.4.1
GOODBYE = frame(Op.CLOSE, b"\x03\xe8")
PING = frame(Op.PING, b"?")
PONG = (Op.PONG, b"?")
HELLO = frame(Op.TEXT, b"hello")
SAID = (Op.TEXT, b"hello")


@dataclass(frozen=True, slots=True)
class Case:
    """What is said to a server, and what it must say.

    Attributes:
        name: Of the case, in words.
        sent: Frames of the client.
        heard: Frames of the server, but for its goodbye.
        closed: Code of that goodbye; None for one without.
    """

    name: str
    sent: tuple[bytes, ...]
    heard: tuple[Frame, ...] = ()
    closed: int | None = NORMAL

    def __str__(self) -> str:
        return self.name


def right(name: str, *sent: bytes, heard: tuple[Frame, ...] = ()) -> Case:
    """Legal frames: the server answers them, and then a goodbye."""
    return Case(name, (*sent, GOODBYE), heard)


def wrong(name: str, *sent: bytes, heard: tuple[Frame, ...] = (), code: int = WRONG) -> Case:
    """Frames of which the last is a fault: it ends the connection, and nothing behind it is answered any more."""
    return Case(name, (*sent, PING, HELLO), heard, code)


def fragments(opcode: int, *parts: bytes, between: bytes = b"") -> list[bytes]:
    """A message in parts, with something between them."""
    last = len(parts) - 1
    made = [frame(Op.CONTINUATION if i else opcode, part, final=i == last) for i, part in enumerate(parts)]
    return made if not between else [piece for part in made[:-1] for piece in (part, between)] + made[-1:]


def code(number: int, reason: bytes = b"") -> bytes:
    """What a close frame carries."""
    return number.to_bytes(2, "big") + reason


def sizes() -> Iterator[Case]:
    """The borders of the three ways to tell a length."""
    for size in (0, 1, 125, 126, 127, 128, 65_535, 65_536):
        for opcode, payload in ((Op.TEXT, b"*" * size), (Op.BINARY, bytes(i % 251 for i in range(size)))):
            sent = frame(opcode, payload)
            yield right(f"{size} bytes of {opcode.name}", sent, sent, heard=((opcode, payload),) * 2)
    for mask in (bytes(4), b"\xff" * 4):
        payload = b"m" * 300
        yield right(f"a mask of {mask.hex()}", frame(Op.BINARY, payload, mask=mask), heard=((Op.BINARY, payload),))
    for size in (0, 5, 300):
        yield wrong(f"{size} bytes without a mask", HELLO, frame(Op.BINARY, b"x" * size, mask=None), heard=(SAID,))


def pings() -> Iterator[Case]:
    """Pings are answered with what they carry, pongs not at all."""
    for payload in (b"", b"ping", b"\x00\xff\xfe\xfd\xfc", b"\xfe" * 125):
        yield right(f"ping of {len(payload)} bytes", frame(Op.PING, payload), heard=((Op.PONG, payload),))
    ten = [b"%d" % i for i in range(10)]
    yield right("ten pings", *(frame(Op.PING, each) for each in ten), heard=tuple((Op.PONG, each) for each in ten))
    for payload in (b"", b"nobody asked", b"\x00" * 7 + b"\x01"):
        pong = frame(Op.PONG, payload)
        yield right(f"pong of {len(payload)} bytes that nobody asked for", pong, PING, pong, HELLO, heard=(PONG, SAID))
    for opcode in (Op.PING, Op.PONG):
        yield wrong(f"{opcode.name} of 126 bytes", frame(opcode, b"x" * 126))
        yield wrong(f"{opcode.name} in fragments", PING, frame(opcode, b"x", final=False), heard=(PONG,))


def reserved() -> Iterator[Case]:
    """What means nothing yet must not be sent."""
    for bits in range(1, 8):
        for opcode in (Op.TEXT, Op.BINARY, Op.PING, Op.CLOSE):
            sent = frame(opcode, code(NORMAL), reserved=bits)
            yield wrong(f"reserved bits {bits:03b} in {opcode.name}", HELLO, sent, heard=(SAID,))
    yield wrong("reserved bit in a long message", HELLO, frame(Op.BINARY, bytes(300), reserved=4), heard=(SAID,))
    for number in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15):
        for size in (0, 6, 200):
            sent = frame(number, b"x" * size)
            yield wrong(f"opcode {number} with {size} bytes", HELLO, sent, heard=(SAID,))


def fragmentation() -> Iterator[Case]:
    """A message may come in parts, and control frames between them, but nothing else."""
    for opcode in (Op.TEXT, Op.BINARY):
        whole = ((opcode, b"onetwothree"),)
        parts = (b"one", b"two", b"three")
        yield right(f"{opcode.name} in three", *fragments(opcode, *parts), heard=whole)
        sent = fragments(opcode, *parts, between=PING)
        yield right(f"{opcode.name} with pings between", *sent, heard=(PONG, PONG, *whole))
        sent = fragments(opcode, *parts, between=frame(Op.PONG))
        yield right(f"{opcode.name} with pongs between", *sent, heard=whole)
        sent = fragments(opcode, b"", *parts, b"")
        yield right(f"{opcode.name} with empty ends", *sent, heard=whole)
        yield right(f"{opcode.name} of nothing", *fragments(opcode, b"", b"", b""), heard=((opcode, b""),))
        sent = [*fragments(opcode, b"a" * 200, b"b" * 200), frame(Op.BINARY, bytes(200))]
        heard = ((opcode, b"a" * 200 + b"b" * 200), (Op.BINARY, bytes(200)))
        yield right(f"{opcode.name} in two, then a whole one", *sent, heard=heard)
        for other in (Op.TEXT, Op.BINARY):
            begun, late = frame(opcode, b"begun", final=False), frame(other, b"x" * 200)
            yield wrong(f"{other.name} within {opcode.name}", begun, PING, late, heard=(PONG,))
            late = frame(other, b"x" * 200, final=False)
            yield wrong(f"beginning of {other.name} within {opcode.name}", begun, late)
        sent = [*fragments(opcode, *parts), frame(Op.CONTINUATION, b"more")]
        yield wrong(f"more of {opcode.name} that is over", *sent, heard=whole)
    for final in (False, True):
        yield wrong(f"rest of nothing, final: {final}", HELLO, frame(Op.CONTINUATION, b"x", final=final), heard=(SAID,))


GOOD_TEXT = {
    "Greek": "κόσμε",
    "two to four bytes": "\x80\u07ff\u0800\uffff\U00010000\U0010ffff",
    "NUL": "a\x00b",
    "about the surrogates": "\ud7ff\ue000",
    "what is no character": "\ufffe\uffff\ufdd0\U0001fffe\U0010ffff",
    "a mark of the order of bytes": "\ufeffx",
    "beyond the first plane": "𝄞🎤",
}
BAD_TEXT = {
    "a lone continuation": b"\x80",
    "the last continuation": b"\xbf",
    "64 continuations": bytes(range(0x80, 0xC0)),
    "2 bytes cut short": b"ok\xc3",
    "3 bytes cut short": b"ok\xe2\x82",
    "4 bytes cut short": b"ok\xf0\x9f\x8e",
    "a character cut by another": b"\xe2\x82ok",
    "NUL in 2 bytes": b"\xc0\x80",
    "solidus in 2 bytes": b"\xc0\xaf",
    "solidus in 3 bytes": b"\xe0\x80\xaf",
    "solidus in 4 bytes": b"\xf0\x80\x80\xaf",
    "127 in 2 bytes": b"\xc1\xbf",
    "2047 in 3 bytes": b"\xe0\x9f\xbf",
    "65535 in 4 bytes": b"\xf0\x8f\xbf\xbf",
    "the first surrogate": b"\xed\xa0\x80",
    "the last surrogate": b"\xed\xbf\xbf",
    "a pair of surrogates": b"\xed\xa0\xb4\xed\xb4\x9e",
    "beyond the last plane": b"\xf4\x90\x80\x80",
    "5 bytes": b"\xf8\x88\x80\x80\x80",
    "6 bytes": b"\xfc\x84\x80\x80\x80\x80",
    "FE": b"\xfe",
    "FF": b"\xff",
    "a surrogate in words": "κόσμε".encode() + b"\xed\xa0\x80edited",
}


def texts() -> Iterator[Case]:
    """Text is UTF-8, which is judged when the message is whole (section 8.1 leaves open when)."""
    for name, words in GOOD_TEXT.items():
        data = words.encode()
        octets = [data[i : i + 1] for i in range(len(data))]
        yield right(f"text: {name}", frame(Op.TEXT, data), heard=((Op.TEXT, data),))
        yield right(f"text in octets: {name}", *fragments(Op.TEXT, *octets), heard=((Op.TEXT, data),))
        sent = fragments(Op.TEXT, *octets, between=PING)
        heard = (*(PONG,) * (len(octets) - 1), (Op.TEXT, data))
        yield right(f"text in octets, with pings: {name}", *sent, heard=heard)
    for name, data in BAD_TEXT.items():
        yield wrong(f"not text: {name}", HELLO, frame(Op.TEXT, data), heard=(SAID,), code=NO_TEXT)
        sent = fragments(Op.TEXT, b"so far ", data, b"", between=PING)
        yield wrong(f"not text, in fragments: {name}", *sent, heard=(PONG, PONG), code=NO_TEXT)
        yield right(f"not text, and need not be: {name}", frame(Op.BINARY, data), heard=((Op.BINARY, data),))


def goodbyes() -> Iterator[Case]:
    """A goodbye is answered by the same; what is behind it does not count."""
    for payload in (
        code(NORMAL),
        code(NORMAL, b"thank you"),
        code(NORMAL, b"y" * 122),
        code(NORMAL, b"y" * 123),
        code(NORMAL, "é".encode()),
    ):
        yield Case(f"close with {len(payload)} bytes", (frame(Op.CLOSE, payload),))
    yield Case("close with nothing", (frame(Op.CLOSE),), closed=None)
    yield Case("close with 1 byte", (frame(Op.CLOSE, b"\x03"),), closed=WRONG)
    yield Case("close with 126 bytes", (frame(Op.CLOSE, code(NORMAL, b"x" * 124)),), closed=WRONG)
    yield Case("close in fragments", (frame(Op.CLOSE, code(NORMAL), final=False),), closed=WRONG)
    for data in (b"\xff", b"\xed\xa0\x80", b"\xe2\x82"):
        yield Case(f"close with {data.hex()} for words", (frame(Op.CLOSE, code(NORMAL, data)),), closed=NO_TEXT)
    for number in (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999):
        yield Case(f"close with {number}", (HELLO, frame(Op.CLOSE, code(number))), (SAID,), number)
    for number in (0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535):
        yield Case(f"close with {number}", (HELLO, frame(Op.CLOSE, code(number))), (SAID,), WRONG)
    for name, late in {"text": HELLO, "audio": frame(Op.BINARY, bytes(300)), "ping": PING, "close": GOODBYE}.items():
        yield Case(f"{name} after close", (HELLO, GOODBYE, late), (SAID,))
    yield Case("an unknown opcode after close", (GOODBYE, frame(3)))
    yield Case("another code after close", (GOODBYE, frame(Op.CLOSE, code(4000))))


def lengths() -> Iterator[Case]:
    """A message may have so many bytes, in however many pieces, and none more."""
    for opcode in (Op.TEXT, Op.BINARY):
        most = b"L" * MAX_BYTES
        yield right(f"the longest {opcode.name}", frame(opcode, most), HELLO, heard=((opcode, most), SAID))
        yield wrong(f"a longer {opcode.name}", HELLO, frame(opcode, most + b"!"), heard=(SAID,), code=TOO_BIG)
        pieces = [most[:64]] * (MAX_BYTES // 64)
        sent = b"".join(fragments(opcode, *pieces))
        yield right(f"the longest {opcode.name}, 64 bytes each", sent, HELLO, heard=((opcode, most), SAID))
        sent = b"".join(fragments(opcode, *pieces, b"!"))
        yield wrong(f"a longer {opcode.name}, 64 bytes each", HELLO, sent, heard=(SAID,), code=TOO_BIG)
        sent = frame(opcode, b"and so on", declared=MAX_BYTES + 1)
        yield Case(f"a {opcode.name} that says it is longer", (HELLO, sent), (SAID,), TOO_BIG)


CASES = [case for kind in (sizes, pings, reserved, fragmentation, texts, goodbyes, lengths) for case in kind()]
