from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugandtell.core.journal import Record, record, scan
from plugandtell.core.protocol.messages import Ack, Audio, End, Position

indexes = st.integers(0, 2**48 - 1)
records = st.lists(
    st.one_of(
        st.builds(Audio, indexes, st.binary(max_size=50)),
        st.builds(Position, indexes, st.none() | indexes),
        st.builds(End, indexes),
        st.builds(Ack, indexes),
    ),
    max_size=8,
)


def written(messages: list[Record]) -> bytes:
    return b"".join(record(message) for message in messages)


@given(records)
def test_what_is_written_is_read(messages: list[Record]) -> None:
    data = written(messages)
    found = scan(data)
    assert found.records == messages
    assert (found.end, found.damage) == (len(data), [])


@given(records, st.data())
def test_wherever_it_is_torn_all_whole_records_are_read(messages: list[Record], draw: st.DataObject) -> None:
    data = written(messages)
    length = draw.draw(st.integers(0, len(data)))
    found = scan(data[:length])
    assert found.records == messages[: len(found.records)]
    assert found.end == len(written(found.records)) <= length
    assert found.damage == []
    if len(found.records) < len(messages):
        assert length < found.end + len(record(messages[len(found.records)]))


@given(records, st.data())
def test_damage_costs_the_records_that_it_hits_and_no_others(messages: list[Record], draw: st.DataObject) -> None:
    data = bytearray(written(messages))
    if not data:
        return
    place = draw.draw(st.integers(0, len(data) - 1))
    data[place] ^= draw.draw(st.integers(1, 255))
    found = scan(bytes(data))
    ends = [len(written(messages[: number + 1])) for number in range(len(messages))]
    hit = next(number for number, end in enumerate(ends) if place < end)
    assert found.records == messages[:hit] + messages[hit + 1 :]
    assert len(found.damage) == (hit < len(messages) - 1)


@given(st.binary(max_size=300))
def test_what_is_no_journal_holds_nothing(data: bytes) -> None:
    assert scan(data).records == []


@pytest.mark.parametrize("message", [Position(1, 1), Position(9, None), End(2**47), Ack(0)])
def test_what_is_no_audio_is_of_one_size(message: Record) -> None:
    assert len(record(message)) == len(record(End(0)))


def test_the_layout_is_the_one_that_is_written_down() -> None:
    assert record(Audio(5, b"\1\2")).hex() == ("50545331010000000200000005000000000000000000000000000000a9fa50f20102")
