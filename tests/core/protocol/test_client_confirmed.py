"""What the server confirms, and what is left to do then."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from plugandtell.core.errors import ProtocolError
from plugandtell.core.protocol.messages import (
    Ack,
    CloseCode,
    Error,
    SegmentStarted,
    ServerMessage,
)
from tests.support.client_stream import connected, new_stream, pcm, saved, told, welcome


def test_after_a_reconnection_it_goes_on_in_the_middle_of_a_message() -> None:
    stream = connected()
    stream.add_audio(0, pcm("abcdefgh"))
    assert told(stream) == ["0 abcdefgh"]
    stream.disconnected()
    assert told(stream) == []
    stream.add_audio(8, pcm("ij"))
    stream.receive(welcome(5))
    assert stream.unacknowledged_samples == 5
    assert told(stream) == ["5 fghij"]


def test_a_server_that_knows_nothing_gets_what_there_still_is() -> None:
    stream = connected()
    stream.add_audio(0, pcm("abcdefgh"))
    told(stream)
    stream.receive(Ack(6))
    stream.disconnected()
    stream.receive(welcome(0))
    stream.end(8)
    assert told(stream) == ["6 gh", "end 8"]
    stream.receive(Ack(8))
    stream.receive(saved(6, 8))
    assert (stream.unsaved_samples, stream.elsewhere_samples) == (
        0,
        6,
    )  # the first server acknowledged it: it lies there
    assert stream.is_complete


def test_an_older_acknowledgement_changes_nothing() -> None:
    stream = connected()
    stream.add_audio(0, pcm("abcdefgh"))
    told(stream)
    for stored_to, left in ((3, 5), (2, 5), (8, 0), (7, 0)):
        stream.receive(Ack(stored_to))
        assert stream.unacknowledged_samples == left


def test_it_is_complete_when_all_is_told_acknowledged_and_saved() -> None:
    stream = connected()
    stream.add_audio(3, pcm("ab"))
    stream.add_position(8, 4)
    stream.end(8)
    states = [(stream.is_told, stream.is_complete)]
    told(stream)
    for message in (None, Ack(5), saved(3, 5)):
        if message is not None:
            stream.receive(message)
        states.append((stream.is_told, stream.is_complete))
    assert states == [(False, False), (True, False), (True, False), (True, True)]


def test_a_stream_without_voice_is_complete_once_the_end_is_told() -> None:
    stream = connected()
    stream.end(100)
    states = [stream.is_complete]
    assert told(stream) == ["end 100"]
    states.append(stream.is_complete)
    stream.disconnected()
    states.append(stream.is_complete)
    assert states == [False, True, False]


@pytest.mark.parametrize(
    ("start", "end", "left"),
    [(0, 8, 0), (0, 3, 5), (3, 8, 3), (2, 5, 5), (8, 9, 8), (0, 0, 8), (100, 200, 8)],
)
def test_what_is_saved_is_taken_off_by_index(start: int, end: int, left: int) -> None:
    stream = connected()
    stream.add_audio(0, pcm("abcdefgh"))
    stream.receive(saved(start, end))
    stream.receive(saved(start, end))
    assert stream.unsaved_samples == left


def test_one_recording_may_cover_several_stretches() -> None:
    stream = connected()
    stream.add_audio(0, pcm("abc"))
    stream.add_audio(5, pcm("de"))
    stream.add_audio(50, pcm("f"))
    stream.receive(saved(0, 7))
    assert stream.unsaved_samples == 1


@pytest.mark.parametrize("message", [Ack(1), SegmentStarted(UUID(int=1), 0), saved(0, 1)])
def test_a_server_that_speaks_before_its_welcome_is_refused(message: ServerMessage) -> None:
    stream = new_stream()
    with pytest.raises(ProtocolError, match=f"{type(message).__name__} came before Welcome") as caught:
        stream.receive(message)
    assert caught.value.close_code == CloseCode.PROTOCOL_ERROR


def test_a_welcome_for_another_stream_or_a_second_one_is_refused() -> None:
    stream = new_stream()
    with pytest.raises(ProtocolError, match=f"welcomed the stream {UUID(int=7)}, not {UUID(int=1)}"):
        stream.receive(replace(welcome(), stream_id=UUID(int=7)))
    stream.receive(welcome())
    with pytest.raises(ProtocolError, match="welcome twice"):
        stream.receive(welcome())


def test_an_error_is_for_others_to_judge() -> None:
    stream = new_stream()
    stream.receive(Error("server_full", "later"))
    stream.receive(welcome())
    stream.receive(Error("idle", "too long"))
    stream.receive(SegmentStarted(UUID(int=1), 0))
    assert not stream.is_told
