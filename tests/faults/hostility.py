"""What a hostile or broken client may send to a listening socket: a seed makes an attack, the same one every time."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import TYPE_CHECKING

from tests.faults import raw
from tests.faults.mutation import any_value, mutated_bytes, mutated_fields
from tests.faults.raw import HANDSHAKE, Op, frame

if TYPE_CHECKING:
    from collections.abc import Callable


class Ending(StrEnum):
    """What the attacker does when all is sent."""

    LISTEN = "listen"
    HALF_CLOSE = "half_close"
    RESET = "reset"


@dataclass(frozen=True, slots=True)
class Attack:
    """What is sent, and how.

    Attributes:
        kind: Its name.
        parts: What is sent.
        pause_s: The pause after each part.
        waits: Whether the attacker waits for the answer to its handshake, as it should.
        reads: Whether the attacker reads what is answered while it sends.
        ending: What it does then.
    """

    kind: str
    parts: tuple[bytes, ...]
    pause_s: float
    waits: bool
    reads: bool
    ending: Ending


def make_attack(seed: int) -> Attack:
    """The attack of this seed."""
    dice = Random(seed)
    kind = dice.choice(tuple(_ATTACKS))
    parts = _ATTACKS[kind](dice)
    slow = kind.startswith("slow")
    return Attack(
        kind=kind,
        parts=tuple(parts),
        pause_s=dice.choice((0.0005, 0.005)) if slow else 0.0,
        waits=dice.random() < 0.8,
        reads=kind != "deaf" and dice.random() < 0.8,
        ending=dice.choice(tuple(Ending)),
    )


def _random_bytes(dice: Random) -> list[bytes]:
    return [dice.randbytes(dice.choice((1, 10, 1000, 100_000)))]


def _random_frames(dice: Random) -> list[bytes]:
    return [HANDSHAKE, dice.randbytes(dice.choice((1, 10, 1000, 20_000)))]


def _broken_handshake(dice: Random) -> list[bytes]:
    return [
        dice.choice(
            (
                HANDSHAKE[: dice.randrange(len(HANDSHAKE))],
                mutated_bytes(dice, HANDSHAKE),
                HANDSHAKE.replace(b"GET", dice.choice((b"POST", b"HEAD", b"G\x00T", b"A" * 9000))),
                HANDSHAKE.replace(b"Version: 13", b"Version: 12"),
                HANDSHAKE.replace(b"/v1/stream", dice.choice((b"/", b"/../x", b"*", b"http://x/v1/stream", b"/\xff"))),
                b"GET / HTTP/1.1\r\n\r\n",
                b"GET / HTTP/0.9\r\n\r\n",
                b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                bytes([0x16, 3, 1, 2, 0, 1, 0, 1, 0xFC, 3, 3]) + dice.randbytes(500),
            )
        )
    ]


def _large_handshake(dice: Random) -> list[bytes]:
    start = HANDSHAKE[:-2]
    return dice.choice(
        (
            [start, b"X: " + b"a" * 200_000],
            [start, *(b"X-%d: y\r\n" % number for number in range(5000)), b"\r\n"],
            [b"GET /" + b"a" * 500_000],
            [start.replace(b"\r\n", b"\r\n" * 2), b"Content-Length: 1000000000\r\n\r\n", bytes(100_000)],
        )
    )


def _mutated_session(dice: Random) -> list[bytes]:
    return [HANDSHAKE, mutated_bytes(dice, b"".join(raw.session(dice)))]


def _spliced_session(dice: Random) -> list[bytes]:
    messages = raw.session(dice) + raw.session(dice)
    dice.shuffle(messages)
    return [HANDSHAKE, *messages[: dice.randint(1, len(messages))]]


def _wrong_frames(dice: Random) -> list[bytes]:
    messages = raw.session(dice)[:-1]
    pcm = raw.audio(0, 100)
    wrong = (
        frame(Op.TEXT, b"{}", mask=None),
        frame(Op.PING, bytes(200)),
        frame(Op.PING, b"x", final=False),
        frame(Op.CONTINUATION, b"x"),
        frame(Op.TEXT, b"{", final=False) + frame(Op.TEXT, b"}"),
        frame(Op.TEXT, b"{", final=False) + frame(Op.PING) + frame(Op.CONTINUATION, b"}"),
        frame(dice.choice((3, 4, 5, 6, 7, 11, 15)), b"x"),
        frame(Op.BINARY, bytes(10), reserved=dice.randint(1, 7)),
        frame(Op.BINARY, bytes(100), declared=dice.choice((2**17, 2**31, 2**40, 2**63 - 1, 2**63, 2**64 - 1))),
        frame(Op.TEXT, b"\xff\xfe\x80"),
        frame(Op.CLOSE, b"\x03"),
        frame(Op.CLOSE, dice.choice((999, 1005, 1006, 1015, 2999, 5000, 65_535)).to_bytes(2, "big")),
        frame(Op.CLOSE, b"\x03\xe8\xff\xff"),
        frame(Op.CLOSE, b"\x03\xe8") + pcm,
        frame(Op.PONG, b"nobody asked"),
        frame(Op.TEXT, b""),
        frame(Op.BINARY, bytes(dice.randrange(8))),
    )
    return [HANDSHAKE, *messages, *dice.sample(wrong, dice.randint(1, 3))]


def _wrong_messages(dice: Random) -> list[bytes]:
    hello = raw.hello_fields(dice)
    index = dice.choice((0, 1, 2**48 - 1, 2**48, 2**63))
    wrong = (
        raw.text(mutated_fields(dice, hello)),
        raw.text(mutated_fields(dice, {"type": "position", "index": 5, "voiced_to": 4})),
        raw.text(mutated_fields(dice, {"type": "end", "index": 5})),
        raw.text({"type": any_value(dice)}),
        raw.text("[" * dice.choice((10, 100_000))),
        raw.text('{"type":"end","index":' + "9" * 10_000 + "}"),
        frame(Op.BINARY, (index % 2**64).to_bytes(8, "little") + bytes(dice.randrange(20))),
        frame(Op.BINARY, bytes(8) + bytes(70_000)),
        raw.text({"type": "end", "index": 0}),
        raw.text(hello),
    )
    greeting = [raw.text(hello)] if dice.random() < 0.8 else []
    return [HANDSHAKE, *greeting, *dice.sample(wrong, dice.randint(1, 4))]


def _fragments(dice: Random) -> list[bytes]:
    """One message in thousands of fragments, whole or never ended, allowed or far too large."""
    size = dice.choice((0, 1, 20, 2000))
    count = dice.choice((100, 3000))
    parts = [frame(Op.BINARY, bytes(8), final=False), *([frame(Op.CONTINUATION, bytes(size), final=False)] * count)]
    end = [frame(Op.CONTINUATION, b"", final=True)] if dice.random() < 0.5 else []
    return [HANDSHAKE, raw.text(raw.hello_fields(dice)), *parts, *end]


def _slow_handshake(dice: Random) -> list[bytes]:
    count = dice.randint(1, len(HANDSHAKE))
    return [HANDSHAKE[place : place + 1] for place in range(count)]


def _slow_session(dice: Random) -> list[bytes]:
    data = b"".join(raw.session(dice))[: dice.randint(1, 600)]
    return [HANDSHAKE, *(data[place : place + 1] for place in range(len(data)))]


def _deaf(dice: Random) -> list[bytes]:
    """Makes the server talk, and does not listen."""
    noise = [frame(Op.PING, bytes(125))] * dice.choice((10, 20_000))
    talk = [
        raw.audio(index, 1) + raw.text({"type": "position", "index": index + 64_000})
        for index in range(0, 10**8, 80_000)
    ]
    return [HANDSHAKE, raw.text(raw.hello_fields(dice)), b"".join(dice.choice((noise, talk[:200])))]


def _nothing(dice: Random) -> list[bytes]:
    return [[], [HANDSHAKE], [HANDSHAKE, frame(Op.TEXT, b"", final=False)]][dice.randrange(3)]


_ATTACKS: dict[str, Callable[[Random], list[bytes]]] = {
    "random_bytes": _random_bytes,
    "random_frames": _random_frames,
    "broken_handshake": _broken_handshake,
    "large_handshake": _large_handshake,
    "mutated_session": _mutated_session,
    "spliced_session": _spliced_session,
    "wrong_frames": _wrong_frames,
    "wrong_messages": _wrong_messages,
    "fragments": _fragments,
    "slow_handshake": _slow_handshake,
    "slow_session": _slow_session,
    "deaf": _deaf,
    "nothing": _nothing,
}
