"""The client's machine when another server takes over a stream."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from plugandtell.core.protocol.messages import (
    Ack,
    EndReason,
    SegmentDiscarded,
    SegmentSaved,
    SegmentStarted,
)
from tests.support.client_stream import HELLO, connected, pcm, told, welcome

SEGMENT = UUID(int=7)


def saved(reason: EndReason, segment_id: UUID = SEGMENT) -> SegmentSaved:
    return SegmentSaved(segment_id, "a.wav", 0, 4, 4, reason)


def test_a_first_hello_continues_nothing() -> None:
    assert connected().greeting == HELLO


@pytest.mark.parametrize(
    ("news", "continues"),
    [
        ([], SEGMENT),
        ([saved(EndReason.SILENCE)], None),
        ([saved(EndReason.END)], None),
        ([saved(EndReason.DISCONNECT)], SEGMENT),
        ([saved(EndReason.MAX_DURATION)], SEGMENT),
        ([saved(EndReason.SHUTDOWN)], SEGMENT),
        ([saved(EndReason.RECOVERED)], SEGMENT),
        ([SegmentDiscarded(SEGMENT, 0, 4)], None),
        ([SegmentStarted(UUID(int=8), 4), saved(EndReason.SILENCE)], UUID(int=8)),
    ],
)
def test_a_hello_names_the_segment_that_was_not_finished(
    news: list[SegmentSaved | SegmentDiscarded | SegmentStarted], continues: UUID | None
) -> None:
    stream = connected()
    stream.receive(SegmentStarted(SEGMENT, 0))
    for message in news:
        stream.receive(message)
    stream.disconnected()
    assert stream.greeting == replace(HELLO, continues=continues)


def test_what_one_server_acknowledged_is_not_asked_of_another() -> None:
    stream = connected()
    stream.add_audio(0, pcm("abcdefgh"))
    assert told(stream) == ["0 abcdefgh"]
    stream.receive(Ack(6))
    stream.disconnected()
    stream.receive(welcome(0))
    stream.end(8)
    assert told(stream) == ["6 gh", "end 8"]
    assert (stream.elsewhere_samples, stream.unsaved_samples) == (6, 2)


def test_a_server_that_knows_what_was_acknowledged_is_asked_for_all_of_it() -> None:
    stream = connected()
    stream.add_audio(0, pcm("abcdefgh"))
    told(stream)
    stream.receive(Ack(6))
    stream.disconnected()
    stream.receive(welcome(6))
    assert (stream.elsewhere_samples, stream.unsaved_samples) == (0, 8)
