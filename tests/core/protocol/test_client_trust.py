"""A client that is told of audio which it never sent believes nothing, and forgets nothing."""

from __future__ import annotations

import pytest

from plugandtell.core.audio import AudioFormat
from plugandtell.core.errors import ProtocolError
from plugandtell.core.protocol.client import ClientStream
from plugandtell.core.protocol.messages import Ack, Audio, Welcome
from plugandtell.core.store import MemoryStore
from tests.support.wire import hello

MONO = AudioFormat(10, 1)
HELLO = hello()


def stream_of(samples: int) -> ClientStream:
    stream = ClientStream(HELLO, MONO, 1, MemoryStore(MONO, 10_000))
    stream.add_audio(0, bytes(2 * samples))
    return stream


def welcome(resume_from: int) -> Welcome:
    return Welcome(HELLO.stream_id, resume_from, 3000, 65_536)


def test_an_acknowledgement_of_what_was_never_sent_is_refused() -> None:
    stream = stream_of(8)
    stream.receive(welcome(0))
    sent = stream.next_message()
    assert isinstance(sent, Audio)
    stream.add_audio(8, bytes(6))
    with pytest.raises(ProtocolError, match="up to 9, but was sent no more than 8") as caught:
        stream.receive(Ack(9))
    assert caught.value.code == "never_sent"
    assert stream.unacknowledged_samples == 11
    stream.receive(Ack(8))
    assert stream.unacknowledged_samples == 3


def test_a_welcome_that_knows_what_was_never_sent_is_refused() -> None:
    stream = stream_of(8)
    with pytest.raises(ProtocolError, match="up to 1, but was sent no more than 0"):
        stream.receive(welcome(1))
    assert stream.unacknowledged_samples == 8


def test_what_an_earlier_connection_sent_may_be_known_to_the_next() -> None:
    stream = stream_of(8)
    stream.receive(welcome(0))
    stream.next_message()
    stream.disconnected()
    stream.receive(welcome(8))
    assert stream.unacknowledged_samples == 0
