"""A microphone that is lost is had again, and each sample heard afterwards lies where it was spoken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs

from plugandtell.client.source import Hole
from plugandtell.core.audio import SPEECH
from plugandtell.core.errors import MicrophoneLost
from tests.client.fake_sound import FakeSound
from tests.client.room import LOOK_S, Room, Tape, taped

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    Lines = list[MutableMapping[str, Any]]

UNPLUGGED = "the device was disconnected"
MUTE = "the device delivers no more audio"
BUILT_IN = ("Built-in", 2, 44_100)
USB = ("USB Desk", 1, 48_000)


def finish(room: Room) -> None:
    room.stream.finish()


def unplug(room: Room) -> None:
    """The device goes, and takes its stream with it."""
    room.sound.devices = ()
    room.stream.finish()


def swap(room: Room, *devices: tuple[str, int, int]) -> None:
    """The device goes, and these are there."""
    unplug(room)
    plug_in(room, *devices)


def plug_in(room: Room, *devices: tuple[str, int, int]) -> None:
    room.sound.devices = devices or (BUILT_IN,)


def said(lines: Lines, event: str) -> Lines:
    return [line for line in lines if line["event"] == event]


async def test_a_microphone_that_comes_back_goes_on_with_a_hole_as_long_as_it_was_away() -> None:
    room = Room()
    room.at(2, lambda: unplug(room))
    room.at(4, lambda: plug_in(room))
    with capture_logs() as lines:
        tape = await taped(room, 10)
    ((start_s, end_s),) = tape.hole_s
    assert start_s == 2 - LOOK_S
    assert 4 <= end_s <= 6
    assert tape.is_true_to_time
    assert len(tape.samples) == 10 * SPEECH.sample_rate
    assert tape.holes[0][2] == UNPLUGGED
    (lost,) = said(lines, "microphone_lost")
    assert (lost["microphone"], lost["cause"]) == ("Built-in", UNPLUGGED)
    (back,) = said(lines, "microphone_reopened")
    assert (back["microphone"], back["hole_s"]) == ("Built-in", pytest.approx(end_s - start_s))


async def test_the_first_try_is_made_at_once() -> None:
    room = Room()
    room.at(2, lambda: finish(room))
    tape = await taped(room, 3)
    assert tape.hole_s == [(2 - LOOK_S, 2 + LOOK_S)]
    assert tape.is_true_to_time


async def test_callbacks_that_just_stop_are_noticed_within_a_second() -> None:
    room = Room()

    def silence() -> None:
        room.stream.is_mute = True

    room.at(2, silence)
    tape = await taped(room, 4)
    ((start_s, end_s),) = tape.hole_s
    assert start_s == 2 - LOOK_S
    assert end_s <= 3
    assert tape.holes[0][2] == MUTE
    assert tape.is_true_to_time


async def test_a_suspended_source_that_opens_but_says_nothing_is_waited_for() -> None:
    room = Room()

    def suspend() -> None:
        room.sound.opens_mute = room.stream.is_mute = True

    def resume() -> None:
        room.sound.opens_mute = False

    room.at(2, suspend)
    room.at(20, resume)
    with capture_logs() as lines:
        tape = await taped(room, 40)
    ((start_s, end_s),) = tape.hole_s
    assert start_s == 2 - LOOK_S
    assert 20 <= end_s <= 28
    assert tape.is_true_to_time
    assert len(said(lines, "microphone_lost")) == len(said(lines, "microphone_reopened")) == 1


async def test_the_hole_is_told_of_while_it_lasts() -> None:
    room = Room()
    room.at(1, lambda: unplug(room))
    microphone = await room.microphone()
    told = 0
    room.at(30, microphone.stop)
    async for piece in microphone.chunks():
        told += piece.samples if isinstance(piece, Hole) else SPEECH.samples_in(len(piece))
        assert 0 <= SPEECH.samples_from_s(room.now_s) - told < SPEECH.sample_rate
    assert told == SPEECH.samples_from_s(room.now_s)


async def test_waiting_says_little_and_tries_at_most_every_five_seconds() -> None:
    room = Room()
    room.at(1, lambda: unplug(room))
    with capture_logs() as lines:
        await taped(room, 101)
    assert len(said(lines, "microphone_lost")) == 1
    assert 9 <= len(said(lines, "microphone_away")) <= 11
    assert {line["trouble"] for line in said(lines, "microphone_away")} == {"no input device was found"}
    assert 20 <= room.sound.restarts <= 26


async def test_the_default_is_whatever_it_is_afterwards_and_that_is_said() -> None:
    room = Room(FakeSound(BUILT_IN, USB))
    room.at(2, lambda: swap(room, USB))
    with capture_logs() as lines:
        tape = await taped(room, 4)
    assert len(tape.holes) == 1
    (back,) = said(lines, "microphone_reopened")
    assert (back["microphone"], back["instead_of"]) == ("USB Desk", "Built-in")


@pytest.mark.parametrize("device", ["USB", 1])
async def test_one_that_was_named_is_waited_for(device: str | int) -> None:
    """A number is no name: it may be another device's afterwards."""
    room = Room(FakeSound(BUILT_IN, USB))
    room.at(2, lambda: swap(room, BUILT_IN, ("Headset", 1, 16_000)))
    room.at(10, lambda: plug_in(room, USB, BUILT_IN))
    with capture_logs() as lines:
        tape = await taped(room, 20, device=device)
    ((_, end_s),) = tape.hole_s
    assert 10 <= end_s <= 15
    assert said(lines, "microphone_reopened")[0]["microphone"] == "USB Desk"
    assert room.stream.settings["device"] == 0


async def test_another_rate_afterwards_is_converted() -> None:
    room = Room()

    def replace() -> None:
        room.sound.accepts = lambda rate, channels: (rate, channels) == (48_000, 1)
        swap(room, USB)

    room.at(2, replace)
    tape = await taped(room, 6)
    ((start_s, end_s),) = tape.hole_s
    assert (start_s, end_s) == (2 - LOOK_S, 2 + LOOK_S)
    assert len(tape.samples) == 6 * SPEECH.sample_rate
    assert room.stream.settings["samplerate"] == 48_000


async def test_tries_that_fail_are_no_end() -> None:
    room = Room()

    def break_down() -> None:
        room.sound.start_fails = True
        room.stream.finish()

    def mend() -> None:
        room.sound.start_fails = False

    room.at(2, break_down)
    room.at(7, mend)
    with capture_logs() as lines:
        tape = await taped(room, 20)
    ((_, end_s),) = tape.hole_s
    assert 7 <= end_s <= 12
    assert "cannot be opened" in said(lines, "microphone_away")[0]["trouble"]


async def test_a_sound_system_that_does_not_start_again_is_started_later() -> None:
    room = Room()

    def break_down() -> None:
        room.sound.restart_fails = True
        room.stream.finish()

    def mend() -> None:
        room.sound.restart_fails = False

    room.at(2, break_down)
    room.at(5, mend)
    tape = await taped(room, 20)
    ((_, end_s),) = tape.hole_s
    assert 5 <= end_s <= 10
    assert tape.is_true_to_time


async def test_a_stream_that_does_not_close_is_left_behind_and_nothing_pulled_from_under_it() -> None:
    room = Room()

    def get_stuck() -> None:
        room.stream.close_hangs = True
        room.stream.finish()

    room.at(2, get_stuck)
    tape = await taped(room, 10)
    ((_, end_s),) = tape.hole_s
    assert end_s == pytest.approx(4, abs=0.2)
    assert room.sound.restarts == 0
    assert tape.is_true_to_time


async def test_streams_left_behind_are_few() -> None:
    room = Room()
    room.at(2, lambda: finish(room))

    def stick_to_the_last() -> None:
        for stream in room.sound.streams:
            stream.close_hangs = stream.is_mute = True
        room.sound.opens_mute = True

    for second in range(2, 60):
        room.at(second, stick_to_the_last)

    def let_go() -> None:
        for stream in room.sound.streams:
            stream.close_hangs = False
        room.sound.opens_mute = False
        room.threads.release()

    room.at(60, let_go)
    with capture_logs() as lines:
        tape = await taped(room, 80)
    assert any("3 streams do not close" in line["trouble"] for line in said(lines, "microphone_away"))
    assert len(room.sound.streams) <= 6
    assert room.stream.settings["device"] == 0
    ((_, end_s),) = tape.hole_s
    assert 60 <= end_s <= 66
    assert tape.is_true_to_time


async def test_a_sound_system_that_is_stuck_is_waited_for_by_one_thread() -> None:
    room = Room()

    def get_stuck() -> None:
        room.sound.restart_hangs = True
        room.stream.finish()

    def let_go() -> None:
        room.sound.restart_hangs = False
        room.threads.release()

    room.at(2, get_stuck)
    room.at(30, let_go)
    with capture_logs() as lines:
        tape = await taped(room, 40)
    assert "does not answer" in said(lines, "microphone_away")[0]["trouble"]
    ((_, end_s),) = tape.hole_s
    assert end_s == pytest.approx(30, abs=0.2)
    assert room.sound.restarts == 1
    assert tape.is_true_to_time


async def test_a_device_that_flickers_is_not_tried_without_a_pause() -> None:
    room = Room()

    def flicker() -> None:
        if room.stream.is_live:
            room.stream.finish()

    for tick in range(200):
        room.at(2 + tick / 10, flicker)
    tape = await taped(room, 30)
    assert len(room.sound.streams) <= 10
    assert tape.is_true_to_time


@pytest.mark.parametrize("stuck", [False, True])
async def test_who_stops_while_it_is_away_goes_at_once_with_all_that_was_heard(stuck: bool) -> None:
    room = Room()

    def lose() -> None:
        room.sound.restart_hangs = stuck
        unplug(room)

    room.at(2, lose)
    tape = await taped(room, 3.01, close_within_s=0.01)
    assert room.now_s < 3.1
    assert tape.is_true_to_time
    assert tape.hole_s == [(2 - LOOK_S, 3 + LOOK_S)]


async def test_a_stream_that_opens_after_the_end_is_closed_again() -> None:
    room = Room()

    def lose() -> None:
        room.sound.restart_hangs = True
        room.stream.finish()

    room.at(2, lose)
    await taped(room, 3, close_within_s=0.01)
    room.sound.restart_hangs = False
    room.threads.release()
    assert len(room.sound.streams) == 2
    room.threads.release()
    assert room.stream.closed.is_set()


async def test_who_would_not_wait_for_ever_gets_an_error_and_what_was_heard() -> None:
    room = Room()
    room.at(2, lambda: unplug(room))
    microphone = await room.microphone(give_up_after_s=5)
    tape = Tape()
    with pytest.raises(MicrophoneLost, match=f"'Built-in' stopped: {UNPLUGGED}"):
        await tape.record(microphone)
    assert 7 <= room.now_s <= 7.2
    assert tape.is_true_to_time
    assert tape.hole_s[0][0] == 2 - LOOK_S
