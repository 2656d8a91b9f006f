"""What leaves in one message, and when: a detector that hears whatever is not zero, and a line that is never behind."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from itertools import pairwise
from math import ceil
from typing import TYPE_CHECKING, cast
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugandtell.client.feed import Feed
from plugandtell.client.reporter import Reporter
from plugandtell.client.source import Hole, Losses
from plugandtell.core.audio import SPEECH
from plugandtell.core.batch import batch_of
from plugandtell.core.gate import AudioGate, GateSettings
from plugandtell.core.protocol.client import ClientStream
from plugandtell.core.protocol.messages import Audio, ClientInfo, ClientMessage, End, Hello, Position, Welcome
from plugandtell.core.store import MemoryStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from plugandtell.client.uplink import Uplink

HELLO = Hello(UUID(int=1), SPEECH.sample_rate, 1, datetime(2026, 1, 1, tzinfo=UTC), ClientInfo("test", "1"), {})
WEBRTC, SILERO = 320, 512


class AnySound:
    def __init__(self, frame_samples: int) -> None:
        self.frame_samples = frame_samples

    def probability(self, frame: bytes) -> float:
        return float(any(frame))


class Microphone:
    """Yields the blocks, and lets the line send what is due before the next."""

    name = "scripted"
    is_live = True
    losses = Losses()

    def __init__(self, pieces: Sequence[bytes | Hole], stream: ClientStream) -> None:
        self._pieces = pieces
        self._stream = stream
        self.sent: list[list[ClientMessage]] = []

    async def open(self) -> None: ...

    async def chunks(self) -> AsyncIterator[bytes | Hole]:
        for piece in self._pieces:
            yield piece
            self.send()

    def send(self) -> None:
        self.sent.append(list(iter(self._stream.next_message, None)))

    def stop(self) -> None: ...

    async def close(self) -> None: ...


class Line:
    def wake(self) -> None: ...


def sent(
    pieces: Sequence[bytes | Hole], batch_ms: int, frame_samples: int, hangover_ms: int = 400
) -> list[list[ClientMessage]]:
    """What is sent after each piece, and after the end."""
    stream = ClientStream(
        HELLO, SPEECH, batch_of(batch_ms, frame_samples).message_samples, MemoryStore(SPEECH, 50_000_000)
    )
    stream.receive(Welcome(HELLO.stream_id, 0, 3000, 1_048_576))
    source = Microphone(pieces, stream)
    gate_settings = GateSettings(frame_samples=frame_samples, hangover_samples=SPEECH.samples_from_ms(hangover_ms))
    reporter = Reporter(lambda _saved: None, lambda: 0.0)
    gate = AudioGate(AnySound(frame_samples), gate_settings)
    assert asyncio.run(Feed(source, gate, stream, cast("Uplink", Line()), reporter).run()) is None
    source.send()
    return source.sent


def blocks(batch_ms: int, frame_samples: int, *stretches: tuple[str, float]) -> list[bytes]:
    """What a microphone hands over of voice and silence, each so many seconds."""
    pcm = b"".join(
        (b"\1\2" if what == "voice" else bytes(2)) * SPEECH.samples_from_s(length) for what, length in stretches
    )
    size = SPEECH.bytes_in(batch_of(batch_ms, frame_samples).block_samples)
    return [pcm[at : at + size] for at in range(0, len(pcm), size)]


def lengths_ms(messages: Sequence[ClientMessage]) -> list[int]:
    return [SPEECH.ms_from(SPEECH.samples_in(len(item.pcm))) for item in messages if isinstance(item, Audio)]


@pytest.mark.parametrize(
    ("batch_ms", "frame_samples", "message_ms"),
    [(20, WEBRTC, 20), (20, SILERO, 32), (100, WEBRTC, 100), (100, SILERO, 96), (250, WEBRTC, 240), (250, SILERO, 256)],
)
def test_while_somebody_speaks_messages_are_as_long_as_asked_for(
    batch_ms: int, frame_samples: int, message_ms: int
) -> None:
    first, *later = [
        messages
        for messages in sent(blocks(batch_ms, frame_samples, ("voice", 5)), batch_ms, frame_samples)
        if messages
    ]
    assert len(lengths_ms(first)) == 1
    assert {length for messages in later[:-1] for length in lengths_ms(messages)} == {message_ms}
    assert all(len(messages) == 1 for messages in later[:-1])


@pytest.mark.parametrize("batch_ms", [20, 100, 250, 1000])
def test_an_onset_leaves_in_one_message_with_all_that_led_to_it_as_soon_as_it_is_known(batch_ms: int) -> None:
    pieces = blocks(batch_ms, SILERO, ("silence", 2), ("voice", 3))
    first = next(messages for messages in sent(pieces, batch_ms, SILERO) if lengths_ms(messages))
    audio = next(item for item in first if isinstance(item, Audio))
    block_ms = SPEECH.ms_from(batch_of(batch_ms, SILERO).block_samples)
    assert SPEECH.ms_from(audio.start) in range(1600 - 32, 1600 + 32)  # the pre-roll
    # Three frames decide. What follows waits for the end of its block at most, unless it is short of a batch.
    assert lengths_ms(first)[0] <= max(400 + 4 * 32 + block_ms, batch_ms + block_ms)


@pytest.mark.parametrize("hangover_ms", [0, 100, 240, 400])
@pytest.mark.parametrize("batch_ms", [20, 100, 250, 1000])
def test_nothing_waits_for_more_once_a_pause_begins(batch_ms: int, hangover_ms: int) -> None:
    steps = sent(blocks(batch_ms, SILERO, ("voice", 1.28), ("silence", 2.0)), batch_ms, SILERO, hangover_ms)
    shuts_ms = 1280 + hangover_ms // 32 * 32 + 32  # with the first frame that ends behind the hangover
    block_ms = SPEECH.ms_from(batch_of(batch_ms, SILERO).block_samples)
    until_it_shuts = [item for messages in steps[: ceil(shuts_ms / block_ms)] for item in messages]
    assert sum(lengths_ms(until_it_shuts)) == sum(lengths_ms([item for messages in steps for item in messages]))
    assert isinstance(until_it_shuts[-1], Position)


def test_nothing_waits_for_more_at_the_end_or_when_the_microphone_goes_away() -> None:
    voice = blocks(1000, WEBRTC, ("voice", 1.1))
    assert lengths_ms(sent(voice, 1000, WEBRTC)[-1])
    assert isinstance(sent(voice, 1000, WEBRTC)[-1][-1], End)
    hole = Hole(SPEECH.samples_from_ms(500), "unplugged")
    after_hole = sent([*voice, hole], 1000, WEBRTC)[len(voice)]
    assert lengths_ms(after_hole)
    assert isinstance(after_hole[-1], Position)


words = st.lists(st.tuples(st.sampled_from(["voice", "silence"]), st.floats(0.02, 1.5)), min_size=1, max_size=6)


@settings(max_examples=60, deadline=None)
@given(words, st.integers(20, 1000), st.integers(20, 1000), st.sampled_from([WEBRTC, SILERO]))
def test_any_batch_gives_the_same_recording(
    stretches: list[tuple[str, float]], batch_ms: int, other_ms: int, frame_samples: int
) -> None:
    assert recorded(stretches, batch_ms, frame_samples) == recorded(stretches, other_ms, frame_samples)


def recorded(stretches: list[tuple[str, float]], batch_ms: int, frame_samples: int) -> list[tuple[int, bytes]]:
    """The contiguous stretches that a server would be sent."""
    steps = sent(blocks(batch_ms, frame_samples, *stretches), batch_ms, frame_samples)
    runs: list[tuple[int, bytes]] = []
    for item in (item for messages in steps for item in messages if isinstance(item, Audio)):
        if runs and runs[-1][0] + SPEECH.samples_in(len(runs[-1][1])) == item.start:
            runs[-1] = (runs[-1][0], runs[-1][1] + bytes(item.pcm))
        else:
            runs.append((item.start, bytes(item.pcm)))
    assert all(before[0] < after[0] for before, after in pairwise(runs))
    return runs
