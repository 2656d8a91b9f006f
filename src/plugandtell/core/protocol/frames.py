"""Where a client's WebSocket frames begin and end (RFC 6455, section 5.2). What is in them is for others to judge."""

from __future__ import annotations

from typing import NamedTuple

WHOLE_BINARY = 0x82
"""First byte of a frame that is a whole binary message: FIN, no reserved bit, opcode 2."""

_FIN, _OPCODE = 0x80, 0x0F
_MASKED, _LENGTH = 0x80, 0x7F
_TWO_BYTES = 126
_MASK_BYTES = 4
_OPCODES = (0x0, 0x1, 0x2, 0x8, 0x9, 0xA)
_LAST_DATA_OPCODE = 0x2


class Head(NamedTuple):
    """The head of a frame, by offsets into the bytes that hold it.

    Attributes:
        first: The byte with FIN, the reserved bits and the opcode.
        is_of_client: Whether a client may send such a frame: one of a known kind, and masked. If not, its first two
            bytes are all of it that counts.
        payload_at: Where the payload begins; its mask stands in the four bytes before.
        end: Where the next frame begins, whether or not so much is there yet.
    """

    first: int
    is_of_client: bool
    payload_at: int
    end: int

    @property
    def payload_bytes(self) -> int:
        """Length of the payload."""
        return self.end - self.payload_at

    def leaves_fragments(self, before: bool) -> bool:
        """Whether a fragmented message is under way after this frame, given whether one was before it."""
        if self.first & _OPCODE > _LAST_DATA_OPCODE:  # a control frame may come between fragments
            return before
        return not self.first & _FIN


def read_head(data: bytes | bytearray, at: int = 0) -> Head | None:
    """The head that begins at `at`; None as long as not all of it is there."""
    if len(data) < at + 2:
        return None
    first, second = data[at], data[at + 1]
    if not second & _MASKED or first & _OPCODE not in _OPCODES:
        return Head(first, False, at + 2, at + 2)
    length, payload_at = second & _LENGTH, at + 2
    if length >= _TWO_BYTES:
        length_bytes = 2 if length == _TWO_BYTES else 8
        payload_at += length_bytes
        length = int.from_bytes(data[at + 2 : payload_at], "big")
    payload_at += _MASK_BYTES
    return Head(first, True, payload_at, payload_at + length) if len(data) >= payload_at else None
