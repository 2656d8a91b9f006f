"""Bytes of a WebSocket client, right or wrong: a handshake, frames, and whole sessions (RFC 6455)."""

from __future__ import annotations

import json
import struct
from enum import IntEnum
from typing import TYPE_CHECKING, Any
from uuid import UUID

from plugandtell.core.protocol.messages import PATH, SUBPROTOCOL
from tests.support.wire import pcm

if TYPE_CHECKING:
    from random import Random

HANDSHAKE = (
    f"GET {PATH} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    f"Sec-WebSocket-Protocol: {SUBPROTOCOL}\r\n\r\n"
).encode()
_SHORT, _MEDIUM = 125, 0xFFFF


class Op(IntEnum):
    """Opcodes."""

    CONTINUATION = 0
    TEXT = 1
    BINARY = 2
    CLOSE = 8
    PING = 9
    PONG = 10


def frame(
    opcode: int,
    payload: bytes = b"",
    *,
    final: bool = True,
    reserved: int = 0,
    mask: bytes | None = b"\x37\xfa\x21\x3d",
    declared: int | None = None,
) -> bytes:
    """A frame; `declared` lies about the length of the payload."""
    length = len(payload) if declared is None else declared
    masked = 0x80 if mask is not None else 0
    head = bytes([(0x80 if final else 0) | (reserved << 4) | opcode])
    if length <= _SHORT:
        head += bytes([masked | length])
    elif length <= _MEDIUM:
        head += bytes([masked | 126]) + struct.pack("!H", length)
    else:
        head += bytes([masked | 127]) + struct.pack("!Q", length)
    if mask is None:
        return head + payload
    whole, rest = divmod(len(payload), 4)
    key = mask * whole + mask[:rest]
    scrambled = int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")
    return head + mask + scrambled.to_bytes(len(payload), "big")


def text(fields: dict[str, Any] | str) -> bytes:
    """A text message."""
    return frame(Op.TEXT, (fields if isinstance(fields, str) else json.dumps(fields)).encode("utf-8", "surrogatepass"))


def audio(start: int, samples: int) -> bytes:
    """A message of audio in which each sample tells its index."""
    return frame(Op.BINARY, start.to_bytes(8, "little") + pcm(start, samples))


def hello_fields(dice: Random) -> dict[str, Any]:
    """A hello that any server takes."""
    return {
        "type": "hello",
        "stream_id": str(UUID(int=dice.getrandbits(128))),
        "sample_rate": 16_000,
        "channels": 1,
        "encoding": "pcm_s16le",
        "started_at": "2026-11-23T15:35:00Z",
        "client": {"name": "raw", "version": "1"},
        "labels": {"name": "raw"},
    }


def session(dice: Random) -> list[bytes]:
    """A valid session behind the handshake, message by message."""
    messages, index = [text(hello_fields(dice))], 0
    for _ in range(dice.randint(1, 12)):
        samples = dice.randint(1, 2000)
        messages.append(audio(index, samples))
        index += samples
        if dice.random() < 0.3:
            index += dice.randint(0, 100_000)
            messages.append(text({"type": "position", "index": index}))
    return [*messages, text({"type": "end", "index": index})]


def close_code_in(answer: bytes) -> int | None:
    """The code of the close frame in what a server sent behind its handshake, if there is one."""
    data = answer.partition(b"\r\n\r\n")[2]
    while len(data) >= 2:
        opcode, length, place = data[0] & 0x0F, data[1] & 0x7F, 2
        if length > _SHORT:
            size = 2 if length == 126 else 8
            length, place = int.from_bytes(data[2 : 2 + size], "big"), 2 + size
        if opcode == Op.CLOSE:
            return int.from_bytes(data[place : place + 2], "big") if length >= 2 and len(data) >= place + 2 else None
        data = data[place + length :]
    return None
