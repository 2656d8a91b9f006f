"""What a stream that stands may lose: sleep of the computer, a full buffer; and what is no loss."""

from __future__ import annotations

import pytest

from plugandtell.client.capture import BACKLOG_S
from plugandtell.client.listening import BUFFER_FULL, SLEPT
from plugandtell.client.source import Hole, Losses
from plugandtell.core.audio import SPEECH
from tests.client.fake_sound import STUDIO
from tests.client.room import LOOK_S, LOUDEST, Room, Tape, taped


def is_true_at_its_end(tape: Tape) -> bool:
    return bool(tape.samples[-1] == (len(tape.samples) - 1) % LOUDEST + 1)


async def test_a_sleep_of_the_computer_is_a_hole_although_the_device_sounds_alive() -> None:
    room = Room()

    def sleep() -> None:
        room.asleep_s = 600

    room.at(2, sleep)
    tape = await taped(room, 10)
    ((start_s, end_s),) = tape.hole_s
    assert 2 - LOOK_S <= start_s <= 2 + LOOK_S
    assert end_s == pytest.approx(602, abs=0.11)
    assert tape.holes[0][2] == SLEPT
    assert is_true_at_its_end(tape)
    assert len(tape.samples) == 610 * SPEECH.sample_rate


async def test_a_sleep_while_it_is_away_counts() -> None:
    room = Room()

    def unplug() -> None:
        room.sound.devices = ()
        room.stream.finish()

    def sleep() -> None:
        room.asleep_s = 600
        room.sound.devices = STUDIO

    room.at(2, unplug)
    room.at(3, sleep)
    tape = await taped(room, 10, give_up_after_s=60)
    assert len(tape.holes) == 1
    assert len(tape.samples) == 610 * SPEECH.sample_rate
    assert is_true_at_its_end(tape)


async def test_a_clock_that_differs_a_little_makes_no_hole() -> None:
    """The sound card says that a second is 200 ms longer than the computer does, for a minute."""
    room = Room()
    clock = room.sleep

    async def slow(seconds: float) -> None:
        await clock(seconds)
        room.now_s += seconds / 5

    room.sleep = slow  # type: ignore[method-assign]
    tape = await taped(room, 60)
    assert tape.holes == []
    assert len(tape.samples) == pytest.approx(50 * SPEECH.sample_rate, rel=0.01)


async def test_what_a_full_buffer_dropped_is_a_hole_where_it_was() -> None:
    room = Room()
    microphone = await room.microphone()
    room.at(1, microphone.stop)
    chunks = aiter(microphone.chunks())
    await anext(chunks)  # nobody takes more, for longer than the buffer lasts
    for _ in range(round((BACKLOG_S * 2.5 + 3) / LOOK_S)):
        await room.sleep(LOOK_S)
    dropped = microphone.losses.dropped_samples
    assert dropped > 0
    held = [piece async for piece in chunks]
    assert held[-1] == Hole(dropped, BUFFER_FULL)
    whole = 800 + sum(piece.samples if isinstance(piece, Hole) else len(piece) // 2 for piece in held)
    assert whole == round(room.now_s * SPEECH.sample_rate)


async def test_losses_add_up_over_reopenings() -> None:
    room = Room()
    room.at(1, lambda: room.stream.hear(bytes(640), overflow=True))
    room.at(3, lambda: room.stream.hear(bytes(640), overflow=True))
    microphone = await room.microphone()
    room.at(2, room.stream.finish)
    room.at(4, microphone.stop)
    await Tape().record(microphone)
    assert microphone.losses == Losses(overflows=2)
