"""Whose connection it is, told from the first bytes that a client sends: a hint, which the `hello` confirms or not."""

from __future__ import annotations

import re
from enum import Enum
from typing import Final
from uuid import UUID

from plugandtell.core.protocol.messages import STREAM_HEADER

LONGEST_HEAD_BYTES: Final = 8192
"""What comes behind is not looked at."""

_REQUEST = b"GET "
_HEADER = re.compile(rb"\r\n%s:[ \t]*([0-9a-fA-F-]{36})[ \t]*\r\n" % STREAM_HEADER.encode(), re.IGNORECASE)


class Routing(Enum):
    """What else the first bytes may tell: that more of them are needed, or that they will not say whose they are."""

    UNDECIDED = "undecided"
    UNKNOWN = "unknown"


def stream_of(head: bytes) -> UUID | Routing:
    """The stream that a request is for, going by its header."""
    if not head.startswith(_REQUEST[: len(head)]):
        return Routing.UNKNOWN
    if found := _HEADER.search(head[:LONGEST_HEAD_BYTES]):
        return _stream_id(found[1])
    is_whole = b"\r\n\r\n" in head or len(head) >= LONGEST_HEAD_BYTES
    return Routing.UNKNOWN if is_whole else Routing.UNDECIDED


def _stream_id(text: bytes) -> UUID | Routing:
    try:
        return UUID(text.decode("ascii"))
    except ValueError:
        return Routing.UNKNOWN
