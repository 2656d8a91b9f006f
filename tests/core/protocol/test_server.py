"""The server's machine at 10 Hz and a jump of one second: ten samples."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugandtell.core.errors import ProtocolError
from plugandtell.core.protocol.codec import encode
from plugandtell.core.protocol.messages import (
    MAX_JUMP_S,
    Audio,
    ClientInfo,
    ClientMessage,
    CloseCode,
    End,
    Hello,
    Position,
)
from plugandtell.core.protocol.server import ServerConnection, ServerLimits

LIMITS = ServerLimits(sample_rates=(10, 20), channels=(1, 2), max_jump_s=1.0)
HELLO = Hello(UUID(int=1), 10, 1, datetime(2026, 1, 1, tzinfo=UTC), ClientInfo("test", "1"))


def connection(*said: ClientMessage) -> ServerConnection:
    machine = ServerConnection(LIMITS)
    for message in said:
        machine.receive(encode(message))
    return machine


def refused(machine: ServerConnection, raw: str | bytes) -> tuple[int, str]:
    with pytest.raises(ProtocolError) as caught:
        machine.receive(raw)
    assert caught.value.raw == raw
    return caught.value.close_code, caught.value.code


def test_a_stream_from_hello_to_end() -> None:
    machine = ServerConnection(LIMITS)
    for message in (HELLO, Audio(0, b"abcd"), Position(5, 1), Audio(5, b"ef"), Position(9), End(9)):
        assert not machine.is_over
        assert machine.receive(encode(message)) == message
    assert machine.is_over


@pytest.mark.parametrize("raw", [encode(Audio(0, b"ab")), b"", b"1234567"])
def test_binary_before_hello_is_refused_whatever_it_is(raw: bytes) -> None:
    assert refused(connection(), raw) == (CloseCode.UNSUPPORTED_DATA, "hello_expected")


@pytest.mark.parametrize("message", [Position(0), End(0)])
def test_another_message_before_hello_is_refused(message: ClientMessage) -> None:
    assert refused(connection(), encode(message)) == (CloseCode.PROTOCOL_ERROR, "hello_expected")


def test_garbage_before_hello_is_refused_as_garbage() -> None:
    assert refused(connection(), "GET /") == (CloseCode.INVALID_DATA, "not_json")


def test_hello_is_said_once() -> None:
    assert refused(connection(HELLO), encode(HELLO)) == (CloseCode.PROTOCOL_ERROR, "hello_repeated")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"sample_rate": 11}, "sample_rate is 11, but must be 10 or 20"),
        ({"channels": 3}, "channels is 3, but must be 1 or 2"),
        ({"encoding": "mp3"}, "encoding is 'mp3', but must be pcm_s16le"),
    ],
)
def test_a_format_that_is_not_taken_is_named_with_those_that_are(change: dict[str, int], said: str) -> None:
    raw = encode(replace(HELLO, **change))  # type: ignore[arg-type]
    with pytest.raises(ProtocolError, match=said) as caught:
        connection().receive(raw)
    assert (caught.value.close_code, caught.value.code) == (CloseCode.POLICY_VIOLATION, "format_refused")
    assert caught.value.raw == raw


def test_a_refused_hello_opens_nothing() -> None:
    machine = connection()
    refused(machine, encode(replace(HELLO, channels=3)))
    assert refused(machine, encode(Audio(0, b"ab"))) == (CloseCode.UNSUPPORTED_DATA, "hello_expected")


@pytest.mark.parametrize("size", [1, 3, 641])
def test_half_a_sample_is_refused(size: int) -> None:
    raw = bytes(8 + size)
    assert refused(connection(HELLO), raw) == (CloseCode.INVALID_AUDIO, "audio_malformed")


def test_half_a_sample_of_two_channels_is_refused() -> None:
    stereo = replace(HELLO, channels=2)
    assert refused(connection(stereo), bytes(8 + 6)) == (CloseCode.INVALID_AUDIO, "audio_malformed")
    assert connection(stereo).receive(bytes(8 + 8)) == Audio(0, bytes(8))


@pytest.mark.parametrize("message", [Audio(10**9, b"ab"), Position(10**9), End(10**9)])
def test_the_first_message_may_stand_anywhere(message: ClientMessage) -> None:
    assert connection(HELLO).receive(encode(message)) == message


@pytest.mark.parametrize("before", [Audio(98, b"abcd"), Position(100)])
@pytest.mark.parametrize("kind", [lambda index: Audio(index, b"ab"), Position, End])
def test_an_index_jumps_as_far_as_is_allowed_and_no_sample_further(
    before: ClientMessage, kind: type[Position | End]
) -> None:
    assert connection(HELLO, before).receive(encode(kind(110))) == kind(110)
    machine = connection(HELLO, before)
    assert refused(machine, encode(kind(111))) == (CloseCode.INVALID_AUDIO, "index_jumped")


def test_the_length_of_a_message_is_no_jump() -> None:
    machine = connection(HELLO, Audio(0, bytes(2 * 1000)))
    assert machine.receive(encode(Position(1010)))


def test_going_back_is_no_jump_and_does_not_turn_the_clock_back() -> None:
    machine = connection(HELLO, Position(100), Audio(3, b"ab"))
    assert machine.receive(encode(Position(110)))
    assert refused(machine, encode(Position(121))) == (CloseCode.INVALID_AUDIO, "index_jumped")


def test_the_jump_is_an_audio_time_of_the_rate_that_was_agreed() -> None:
    machine = connection(replace(HELLO, sample_rate=20), Position(0))
    assert machine.receive(encode(Position(20)))


def test_voice_cannot_reach_beyond_the_clock() -> None:
    raw = encode(Position(5, 6))
    assert refused(connection(HELLO), raw) == (CloseCode.INVALID_DATA, "field_invalid")
    assert connection(HELLO).receive(encode(Position(5, 5))) == Position(5, 5)


@pytest.mark.parametrize("message", [HELLO, Audio(9, b"ab"), Position(9), End(9)])
def test_nothing_comes_after_the_end(message: ClientMessage) -> None:
    machine = connection(HELLO, End(9))
    assert refused(machine, encode(message)) == (CloseCode.PROTOCOL_ERROR, "message_after_end")
    assert machine.is_over


def test_the_default_is_what_every_source_is_converted_to() -> None:
    limits = ServerLimits()
    assert (limits.sample_rates, limits.channels, limits.max_jump_s) == ((16_000,), (1,), MAX_JUMP_S)


messages = st.one_of(
    st.just(encode(HELLO)),
    st.builds(Audio, st.integers(0, 40), st.binary(max_size=8)).map(encode),
    st.integers(0, 40).flatmap(lambda index: st.builds(Position, st.just(index), st.integers(0, 40))).map(encode),
    st.binary(max_size=12),
    st.text(max_size=12),
)


@given(st.lists(messages, max_size=12))
def test_whatever_comes_a_message_that_passes_has_whole_samples_after_a_hello(said: list[str | bytes]) -> None:
    machine = ServerConnection(LIMITS)
    passed: list[ClientMessage] = []
    unread: list[str | bytes | None] = []
    for raw in said:
        try:
            passed.append(machine.receive(raw))
        except ProtocolError as error:
            unread.append(error.raw)
    assert len(passed) + len(unread) == len(said)
    assert None not in unread
    assert [isinstance(message, Hello) for message in passed] == [place == 0 for place in range(len(passed))]
    assert all(len(message.pcm) % 2 == 0 for message in passed if isinstance(message, Audio))
