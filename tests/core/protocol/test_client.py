"""What the client tells, and in which messages."""

from __future__ import annotations

import pytest

from plugandtell.core.protocol.codec import encode
from plugandtell.core.protocol.messages import (
    Ack,
    Audio,
    ClientMessage,
)
from tests.support.client_stream import connected, new_stream, pcm, told, welcome


def test_nothing_is_told_before_the_welcome() -> None:
    stream = new_stream()
    stream.add_audio(0, pcm("abcdefgh"))
    assert told(stream) == []
    stream.receive(welcome())
    assert told(stream) == ["0 abcdefgh"]


def test_audio_is_gathered_into_batches_while_the_line_keeps_up() -> None:
    stream = connected()
    batches = []
    for index, letter in enumerate("abcdefghij"):
        stream.add_audio(index, pcm(letter))
        batches += told(stream)
    assert batches == ["0 abcd", "4 efgh"]


@pytest.mark.parametrize("rest", ["quiet 1-6", "end 6", "9 wxyz"])
def test_what_is_short_of_a_batch_goes_out_when_something_follows(rest: str) -> None:
    stream = connected()
    stream.add_audio(0, pcm("ab"))
    assert told(stream) == []
    if rest.startswith("quiet"):
        stream.add_position(6, 1)
    elif rest.startswith("end"):
        stream.end(6)
    else:
        stream.add_audio(9, pcm("wxyz"))
    assert told(stream) == ["0 ab", rest]


def test_a_line_that_has_fallen_behind_catches_up_in_large_messages() -> None:
    stream = connected(max_message_bytes=8 + 2 * 10)
    for index in range(25):
        stream.add_audio(index, pcm("a"))
    stream.add_position(30, 25)
    stream.add_audio(40, pcm("bc"))
    stream.end(42)
    assert told(stream) == ["0 " + 10 * "a", "10 " + 10 * "a", "20 aaaaa", "quiet 25-30", "40 bc", "end 42"]


@pytest.mark.parametrize("max_message_bytes", [10, 11, 8 + 2 * 3])
def test_no_message_is_longer_than_the_server_takes(max_message_bytes: int) -> None:
    stream = connected(max_message_bytes=max_message_bytes)
    stream.add_audio(0, pcm("abcdefg"))
    stream.end(7)
    sizes = []
    while (message := stream.next_message()) is not None:
        sizes.append(len(encode(message)) if isinstance(message, Audio) else 0)
    assert max(sizes) <= max_message_bytes
    assert stream.is_told


def test_no_message_is_longer_than_64_kib_whatever_the_server_takes() -> None:
    stream = connected(max_message_bytes=2**30)
    stream.add_audio(0, bytes(200_000))
    message = stream.next_message()
    assert message is not None
    assert len(encode(message)) == 65_536


def test_a_position_takes_the_place_of_the_one_before_it() -> None:
    stream = connected()
    stream.add_audio(0, pcm("ab"))
    stream.add_position(5, 1)
    stream.add_position(9, 1)
    assert told(stream) == ["0 ab", "quiet 1-9"]
    stream.add_position(13, 1)
    assert told(stream) == ["quiet 1-13"]


def test_a_position_is_told_again_until_audio_behind_it_was_stored() -> None:
    stream = connected()
    stream.add_audio(0, pcm("ab"))
    stream.add_position(5, 1)
    assert told(stream) == ["0 ab", "quiet 1-5"]
    stream.receive(Ack(2))
    stream.disconnected()
    stream.receive(welcome(2))
    assert told(stream) == ["quiet 1-5"]
    stream.add_audio(9, pcm("wxyz"))
    assert told(stream) == ["9 wxyz"]
    stream.receive(Ack(10))
    stream.disconnected()
    stream.receive(welcome(10))
    stream.end(13)
    assert told(stream) == ["10 xyz", "end 13"]


def test_audio_before_a_held_pause_is_let_go_even_while_the_pause_is_stored_in_part() -> None:
    """The position at 9 lies inside the pause that was sent after all."""
    stream = connected()
    stream.add_audio(0, pcm("abc"))
    stream.add_position(9, 2)
    stream.add_audio(3, pcm("defghijklm"))
    assert told(stream) == ["0 abc", "quiet 2-9", "3 defghijklm"]
    stream.receive(Ack(5))
    assert stream.unacknowledged_samples == 8


def test_a_silence_longer_than_an_index_may_jump_is_told_in_steps() -> None:
    stream = connected()
    stream.add_audio(0, pcm("abcd"))
    stream.add_position(200, 3)
    assert told(stream) == ["0 abcd", "quiet 3-64", "quiet 3-124", "quiet 3-184", "quiet 3-200"]
    stream.add_position(260, 3)
    assert told(stream) == ["quiet 3-260"]


def test_a_hole_without_a_word_is_told_in_steps_too() -> None:
    stream = connected()
    stream.add_audio(0, pcm("abcd"))
    stream.add_audio(100, pcm("wxyz"))
    stream.end(300)
    assert told(stream) == [
        "0 abcd",
        "quiet None-64",
        "100 wxyz",
        "quiet None-164",
        "quiet None-224",
        "quiet None-284",
        "end 300",
    ]


def test_a_held_pause_does_not_turn_the_clock_back() -> None:
    stream = connected()
    stream.add_audio(0, pcm("abcd"))
    stream.add_position(50, 3)
    stream.add_audio(4, pcm("e"))
    stream.end(110)
    assert told(stream) == ["0 abcd", "quiet 3-50", "4 e", "end 110"]


def test_the_first_message_of_a_connection_needs_no_steps() -> None:
    stream = connected()
    stream.add_position(1000, 0)
    assert told(stream) == ["quiet 0-1000"]
    stream.disconnected()
    stream.add_position(5000, 0)
    stream.receive(welcome())
    assert told(stream) == ["quiet 0-5000"]


def test_steps_begin_anew_at_each_connection() -> None:
    stream = connected()
    stream.add_audio(0, pcm("abcd"))
    stream.add_position(200, 3)
    for _ in range(3):
        assert stream.next_message() is not None
    stream.disconnected()
    stream.receive(welcome(2))
    assert told(stream) == ["2 cd", "quiet 3-64", "quiet 3-124", "quiet 3-184", "quiet 3-200"]


def test_a_message_that_is_read_twice_reads_the_same() -> None:
    """A message is made from the queue, and must not change when the queue does."""
    stream = connected()
    stream.add_audio(0, pcm("abcd"))
    message: ClientMessage | None = stream.next_message()
    stream.receive(Ack(3))
    stream.add_audio(4, pcm("efgh"))
    assert message == Audio(0, pcm("abcd"))
