"""The microphone on a stand-in for sounddevice. What becomes of one that is lost: see test_reopening."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace

import numpy as np
import pytest

from plugandtell.client.bell import LoopBell
from plugandtell.client.capture import BACKLOG_S
from plugandtell.client.clocks import system_clocks
from plugandtell.client.device_thread import in_daemon_thread
from plugandtell.client.microphone import Machine, Microphone, MicrophoneSettings
from plugandtell.client.source import Hole
from plugandtell.client.watchdog import FIRST_AUDIO_S, NO_AUDIO_S
from plugandtell.core.audio import SPEECH
from plugandtell.core.errors import NoMicrophone
from tests.client.audio import PATIENCE_S, gather
from tests.client.audio import noise as noise_values
from tests.client.fake_sound import STUDIO, FakeSound, FakeStream, Hangs, SoundError
from tests.client.room import Room


def noise(seconds: float, seed: int) -> bytes:
    return noise_values(SPEECH.samples_from_s(seconds), seed).tobytes()


async def opened(sound: FakeSound, device: str | int | None = None) -> tuple[Microphone, FakeStream]:
    room = Room(sound)
    microphone = await room.microphone(device=device)
    room.stream.is_mute = True  # it hears what the test says, and nothing else
    return microphone, room.stream


async def everything(microphone: Microphone) -> bytes:
    heard = bytearray()
    await gather(microphone, heard)
    return bytes(heard)


async def test_a_missing_library_says_how_to_install_it() -> None:
    def load() -> FakeSound:
        raise OSError("PortAudio library not found")

    with pytest.raises(NoMicrophone, match="apt install libportaudio2"):
        await Microphone(MicrophoneSettings(), Machine(system_clocks(), load)).open()


async def test_a_library_that_does_not_start_is_told_apart() -> None:
    def load() -> FakeSound:
        raise SoundError("Error initializing PortAudio")

    with pytest.raises(NoMicrophone, match=r"does not start [(]Error initializing PortAudio"):
        await Microphone(MicrophoneSettings(), Machine(system_clocks(), load)).open()


async def test_a_device_that_takes_our_format_is_passed_on_untouched() -> None:
    microphone, stream = await opened(FakeSound(*STUDIO), "Desk Pro")
    assert microphone.name == "USB Desk Pro"
    assert (stream.settings["device"], stream.settings["samplerate"], stream.settings["channels"]) == (3, 16_000, 1)
    signal = noise(2.5, seed=1)
    for at in range(0, len(signal), 640):
        stream.hear(signal[at : at + 640])
    microphone.stop()
    assert await everything(microphone) == signal


@pytest.mark.parametrize("channels", [1, 2])
async def test_a_device_that_refuses_our_rate_is_converted(channels: int) -> None:
    sound = FakeSound(*STUDIO)
    sound.accepts = lambda rate, asked: (rate, asked) == (44_100, channels)
    microphone, stream = await opened(sound)
    seconds = np.arange(44_100) / 44_100
    tone = 12_000 * np.sin(2 * np.pi * 440 * seconds)
    sides = np.stack([tone + 3_000, tone - 3_000], axis=1) if channels == 2 else tone[:, None]  # their mean is the tone
    for block in np.array_split(np.rint(sides).astype(np.int16), 50):
        stream.hear(block.tobytes())
    microphone.stop()
    heard = np.frombuffer(await everything(microphone), "<i2")
    assert abs(len(heard) - 16_000) <= 1
    expected = 12_000 * np.sin(2 * np.pi * 440 * np.arange(len(heard)) / 16_000)
    middle = slice(1_000, -1_000)  # the ends ring: the tone is cut there
    assert np.abs(heard[middle] - expected[middle]).max() < 5


async def test_a_device_that_refuses_everything_says_what_portaudio_said() -> None:
    sound = FakeSound(*STUDIO)
    sound.accepts = lambda _rate, _channels: False
    with pytest.raises(NoMicrophone, match=r"'Built-in' cannot be opened \(Invalid sample rate\)"):
        await opened(sound)


async def test_a_stream_that_does_not_start_is_closed() -> None:
    sound = FakeSound(*STUDIO)
    sound.start_fails = True
    with pytest.raises(NoMicrophone, match="Device unavailable"):
        await opened(sound)
    assert sound.streams
    assert all(stream.closed.is_set() for stream in sound.streams)


@pytest.mark.parametrize(
    ("signal", "limit_s", "cause"),
    [
        (b"", FIRST_AUDIO_S, "the device delivers no audio"),
        (bytes(640), NO_AUDIO_S, "the device delivers no more audio"),
    ],
)
async def test_a_mute_device_is_lost_in_time(signal: bytes, limit_s: float, cause: str) -> None:
    room = Room()
    microphone = await room.microphone()
    room.stream.is_mute = True
    if signal:
        room.stream.hear(signal)
    room.sound.devices = ()
    async for piece in microphone.chunks():
        if isinstance(piece, Hole):
            assert piece.cause == cause
            microphone.stop()
    assert room.sound.streams[0].closed.is_set()
    assert limit_s - 0.11 < room.now_s < limit_s + 0.1


async def test_stop_ends_it_without_an_error() -> None:
    microphone, stream = await opened(FakeSound(*STUDIO))
    chunks = aiter(microphone.chunks())
    stream.hear(bytes(640))
    assert await anext(chunks) == bytes(640)
    stream.hear(bytes(320))
    microphone.stop()
    microphone.stop()
    stream.finish()  # what becomes of the device matters no more
    assert [chunk async for chunk in chunks] == [bytes(320)]
    await microphone.close()
    await microphone.close()
    assert stream.closed.is_set()


async def test_a_device_that_does_not_close_is_left_behind() -> None:
    sound = FakeSound(*STUDIO)
    room = Room(sound)
    in_threads = replace(room.machine(), run=in_daemon_thread)
    microphone = Microphone(MicrophoneSettings(close_within_s=0.01), in_threads)
    await microphone.open()
    sound.streams[0].may_close.clear()
    async with asyncio.timeout(PATIENCE_S):
        await microphone.close()
    assert not sound.streams[0].closed.is_set()
    assert all(thread.daemon for thread in threading.enumerate() if thread.name == "audio device")
    sound.streams[0].may_close.set()
    assert sound.streams[0].closed.wait(PATIENCE_S)


async def test_a_device_that_opens_too_late_is_closed_again() -> None:
    sound = FakeSound(*STUDIO)
    go = threading.Event()

    def load() -> FakeSound:
        go.wait()
        return sound

    settings = MicrophoneSettings("USB Desk Pro", open_within_s=0.01)
    with pytest.raises(NoMicrophone, match="'USB Desk Pro' did not open"):
        await Microphone(settings, Machine(system_clocks(), load)).open()
    go.set()
    async with asyncio.timeout(PATIENCE_S):
        while not sound.streams:  # noqa: ASYNC110  (the thread that opens it has no event to offer)
            await asyncio.sleep(0)
        while not sound.streams[0].closed.is_set():  # noqa: ASYNC110
            await asyncio.sleep(0)


async def test_chunks_come_after_open() -> None:
    with pytest.raises(RuntimeError, match="open"):
        await everything(Microphone(MicrophoneSettings(), Room().machine()))
    await Microphone(MicrophoneSettings(), Room().machine()).close()


async def test_what_is_heard_is_yielded_at_once() -> None:
    """No look is due: the clock of the room would have to be moved by hand."""
    room = Room()
    microphone = Microphone(MicrophoneSettings(block_ms=20), replace(room.machine(), bell=LoopBell()))
    await microphone.open()
    assert room.stream.settings["blocksize"] == 320
    chunks = aiter(microphone.chunks())
    signal = noise(0.02, seed=1)
    waiting = asyncio.ensure_future(anext(chunks))
    await asyncio.sleep(0)
    async with asyncio.timeout(PATIENCE_S):
        await asyncio.to_thread(room.stream.hear, signal)
        assert await waiting == signal
    await microphone.close()


async def test_losses_are_counted() -> None:
    microphone, stream = await opened(FakeSound(*STUDIO))
    blocks = SPEECH.samples_from_s(BACKLOG_S) // 320 + 1
    for _ in range(blocks):
        stream.hear(bytes(640), overflow=True)
    assert microphone.losses.dropped_samples == 320
    assert microphone.losses.overflows == blocks
    await microphone.close()


async def test_who_stops_while_it_opens_leaves_no_stream_open() -> None:
    room = Room()
    hangs = [True]

    def load() -> FakeSound:
        if hangs:
            raise Hangs
        return room.sound

    microphone = Microphone(MicrophoneSettings(close_within_s=0.01), replace(room.machine(), load=load))
    opening = asyncio.create_task(microphone.open())
    await asyncio.sleep(0)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    hangs.clear()
    room.threads.release()
    assert room.stream.closed.is_set()
