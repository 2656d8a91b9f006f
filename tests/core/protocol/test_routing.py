from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugandtell.core.protocol.routing import LONGEST_HEAD_BYTES, Routing, stream_of

STREAM = UUID("7f0c4f2e-6f5e-4b13-9f5e-0d6f4d1f3a10")
REQUEST = (
    b"GET /v1/stream HTTP/1.1\r\nHost: localhost:3000\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"X-PlugAndTell-Stream: 7f0c4f2e-6f5e-4b13-9f5e-0d6f4d1f3a10\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
TLS_HELLO = bytes.fromhex("160301020001")


def test_the_header_says_whose_it_is() -> None:
    assert stream_of(REQUEST) == STREAM
    assert stream_of(REQUEST.replace(b"X-PlugAndTell-Stream: ", b"x-plugandtell-STREAM:")) == STREAM


@given(st.integers(0, len(REQUEST)))
def test_a_request_is_awaited_until_it_tells(length: int) -> None:
    told_at = REQUEST.index(b"Sec-WebSocket-Version")
    assert stream_of(REQUEST[:length]) == (STREAM if length >= told_at else Routing.UNDECIDED)


@pytest.mark.parametrize(
    "head",
    [
        TLS_HELLO,
        b"POST",
        b"\0" * 100,
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nX-PlugAndTell-Stream: 7f0c\r\n\r\n",
        b"GET / HTTP/1.1\r\nX-PlugAndTell-Stream: ------------------------------------\r\n\r\n",
        b"GET / HTTP/1.1\r\nX-PlugAndTell-Stream: \xff\r\n\r\n",
        b"GET /" + b"a" * LONGEST_HEAD_BYTES,
    ],
)
def test_what_tells_nothing(head: bytes) -> None:
    assert stream_of(head) is Routing.UNKNOWN


@given(st.binary(max_size=200))
def test_whatever_comes_is_judged(head: bytes) -> None:
    assert isinstance(stream_of(head), UUID | Routing)
