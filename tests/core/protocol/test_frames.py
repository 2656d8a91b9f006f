"""Frames are cut where the library that sends them ends them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode

from plugandtell.core.protocol.frames import Head, read_head
from tests.faults.raw import frame

SIZES = [0, 1, 125, 126, 127, 65_535, 65_536, 70_000]


@pytest.mark.parametrize("size", SIZES)
def test_a_frame_ends_where_its_sender_says(size: int) -> None:
    sent = Frame(Opcode.BINARY, bytes(size)).serialize(mask=True)
    head = read_head(b"before" + sent + b"behind", 6)
    assert head is not None
    assert (head.end, head.payload_bytes, head.is_of_client, head.first) == (6 + len(sent), size, True, 0x82)


@given(st.sampled_from(SIZES), st.integers(0, 13))
def test_a_head_that_is_not_all_there_is_none(size: int, there: int) -> None:
    sent = frame(Opcode.TEXT, bytes(size))
    head = read_head(sent[:there])
    whole = read_head(sent)
    assert whole is not None
    assert head == (whole if there >= whole.payload_at else None)


@pytest.mark.parametrize(
    ("opcode", "final", "before", "after"),
    [
        (Opcode.BINARY, True, False, False),
        (Opcode.TEXT, False, False, True),
        (Opcode.CONT, False, True, True),
        (Opcode.CONT, True, True, False),
        (Opcode.PING, True, True, True),
        (Opcode.CLOSE, True, False, False),
    ],
)
def test_fragments_begin_and_end(opcode: int, final: bool, before: bool, after: bool) -> None:
    head = read_head(frame(opcode, final=final))
    assert head is not None
    assert head.leaves_fragments(before) is after


@pytest.mark.parametrize("first", range(256))
def test_what_a_client_may_send_is_masked_and_of_a_known_kind(first: int) -> None:
    known = first & 0x0F in (0, 1, 2, 8, 9, 10)
    assert read_head(bytes([first, 0x80, 0, 0, 0, 0])) == (
        Head(first, True, 6, 6) if known else Head(first, False, 2, 2)
    )
    assert read_head(bytes([first, 0x00])) == Head(first, False, 2, 2)
