from __future__ import annotations

import asyncio
import sys
import threading
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import numpy as np
import pytest

from plugandtell.client.capture import BACKLOG_BLOCKS
from plugandtell.client.input_devices import input_devices
from plugandtell.client.microphone import Microphone, load_sound_library
from plugandtell.client.source import Losses
from plugandtell.client.watchdog import FIRST_AUDIO_S, LOOK_EVERY_S, NO_AUDIO_S
from plugandtell.core.audio import SPEECH
from plugandtell.core.errors import MicrophoneLost, NoMicrophone
from tests.client.audio import PATIENCE_S, gather
from tests.client.audio import noise as noise_values
from tests.client.fake_sound import STUDIO, FakeSound, FakeStream, SoundError
from tests.support.virtual_microphone import SECOND, VirtualMicrophone, virtual_microphone

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

needs_pulseaudio = pytest.mark.skipif(
    sys.platform != "linux", reason="the virtual microphone is made by PulseAudio, which only Linux has"
)


def noise(seconds: float, seed: int) -> bytes:
    return noise_values(SPEECH.samples_from_s(seconds), seed).tobytes()


# ---------------------------------------------------------------- a real PortAudio stream


@pytest.fixture(scope="module")
def virtual() -> Iterator[VirtualMicrophone]:
    with virtual_microphone() as microphone:
        yield microphone


@pytest.fixture
def doomed() -> Iterator[VirtualMicrophone]:
    """One of its own, for a test that breaks it."""
    with virtual_microphone() as microphone:
        yield microphone


@asynccontextmanager
async def playing(command: list[str], audio: bytes) -> AsyncIterator[None]:
    player = await asyncio.create_subprocess_exec(*command, stdin=asyncio.subprocess.PIPE)
    feeding = asyncio.create_task(player.communicate(audio))
    try:
        yield
        await feeding
    finally:
        if player.returncode is None:
            player.kill()
        await asyncio.wait([feeding])


async def heard_by(microphone: Microphone, signal: bytes) -> bytes:
    """All that is heard until the signal was, or for 5 s of audio."""
    heard = bytearray()
    async for chunk in microphone.chunks():
        assert len(chunk) % SPEECH.bytes_per_sample == 0
        heard += chunk
        if signal in heard or len(heard) > SPEECH.bytes_in(SPEECH.samples_from_s(5)):
            microphone.stop()
    return bytes(heard)


async def hear(device: str | int | None, command: list[str], name: str) -> None:
    signal = noise(0.2, seed=7)
    microphone = Microphone(device)
    async with asyncio.timeout(PATIENCE_S):
        await microphone.open()
        assert microphone.name == name
        async with playing(command, signal):
            heard = await heard_by(microphone, signal)
        await microphone.close()
        await microphone.close()
    at = heard.find(signal)
    assert at >= 0, "the signal was not heard sample by sample"
    assert at % SPEECH.bytes_per_sample == 0
    assert not any(heard[:at]), "something was heard before the signal"
    assert microphone.losses == Losses()


def hear_default(virtual: VirtualMicrophone) -> None:
    asyncio.run(hear(None, virtual.player(), "default"))


def hear_by_name(virtual: VirtualMicrophone) -> None:
    asyncio.run(hear("SECO", virtual.player(SECOND), SECOND))


def hear_by_index(virtual: VirtualMicrophone) -> None:
    (index,) = (device.index for device in input_devices(load_sound_library()) if device.name == SECOND)
    asyncio.run(hear(index, virtual.player(SECOND), SECOND))


def misname(_virtual: VirtualMicrophone) -> None:
    for name in ("no such name", "", "-7"):
        with pytest.raises(NoMicrophone, match="does not name one input device") as error:
            asyncio.run(Microphone(name).open())
        assert any(SECOND in device for device in error.value.devices)


@needs_pulseaudio
def test_a_name_that_fits_none_or_several_lists_the_devices(virtual: VirtualMicrophone) -> None:
    virtual.run(misname)


@needs_pulseaudio
@pytest.mark.parametrize("work", [hear_default, hear_by_name, hear_by_index])
def test_every_sample_is_heard_as_it_was_played(
    virtual: VirtualMicrophone, work: Callable[[VirtualMicrophone], None]
) -> None:
    virtual.run(work)


async def lose(breaks: Callable[[], None]) -> str:
    """Hear something, break the device, hear what is left. Gives the cause of the end."""
    microphone = Microphone()
    async with asyncio.timeout(PATIENCE_S):
        await microphone.open()
        chunks = aiter(microphone.chunks())
        assert await anext(chunks)
        breaks()
        with pytest.raises(MicrophoneLost) as lost:
            async for _ in chunks:
                pass
        await microphone.close()
        await microphone.close()
    return lost.value.cause


def lose_the_daemon(doomed: VirtualMicrophone) -> None:
    assert asyncio.run(lose(doomed.kill)) == "the device was disconnected"


def suspend_the_source(doomed: VirtualMicrophone) -> None:
    assert asyncio.run(lose(doomed.suspend)) == "the device delivers no more audio"


@needs_pulseaudio
@pytest.mark.parametrize("work", [lose_the_daemon, suspend_the_source])
def test_a_device_that_goes_away_ends_in_an_error_and_nothing_hangs(
    doomed: VirtualMicrophone, work: Callable[[VirtualMicrophone], None]
) -> None:
    doomed.run(work)


def find_nothing(doomed: VirtualMicrophone) -> None:
    doomed.kill()
    with pytest.raises(NoMicrophone):
        asyncio.run(Microphone().open())


@needs_pulseaudio
def test_a_sound_server_that_is_gone_before_the_start(doomed: VirtualMicrophone) -> None:
    doomed.run(find_nothing)


# ---------------------------------------------------------------- a stand-in for sounddevice


class FakeSleep:
    """Counts the time slept, and lets others have their turn."""

    def __init__(self) -> None:
        self.slept_s = 0.0

    async def __call__(self, seconds: float) -> None:
        self.slept_s += seconds
        await asyncio.sleep(0)


async def opened(sound: FakeSound, device: str | int | None = None) -> tuple[Microphone, FakeStream, FakeSleep]:
    sleep = FakeSleep()
    microphone = Microphone(device, load=lambda: sound, sleep=sleep)
    await microphone.open()
    return microphone, sound.streams[-1], sleep


async def everything(microphone: Microphone) -> bytes:
    heard = bytearray()
    await gather(microphone, heard)
    return bytes(heard)


async def test_a_missing_library_says_how_to_install_it() -> None:
    def load() -> FakeSound:
        raise OSError("PortAudio library not found")

    with pytest.raises(NoMicrophone, match="apt install libportaudio2"):
        await Microphone(load=load).open()


async def test_a_library_that_does_not_start_is_told_apart() -> None:
    def load() -> FakeSound:
        raise SoundError("Error initializing PortAudio")

    with pytest.raises(NoMicrophone, match=r"does not start [(]Error initializing PortAudio"):
        await Microphone(load=load).open()


async def test_a_device_that_takes_our_format_is_passed_on_untouched() -> None:
    microphone, stream, _ = await opened(FakeSound(*STUDIO), "Desk Pro")
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
    microphone, stream, _ = await opened(sound)
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


async def test_what_was_heard_before_the_loss_is_yielded_first() -> None:
    microphone, stream, _ = await opened(FakeSound(*STUDIO))
    signal = noise(3, seed=3)
    stream.hear(signal)
    stream.finish()
    heard = bytearray()
    with pytest.raises(MicrophoneLost, match="'Built-in' stopped: the device was disconnected"):
        await gather(microphone, heard)
    assert heard == signal
    await microphone.close()


@pytest.mark.parametrize(("signal", "limit_s"), [(b"", FIRST_AUDIO_S), (bytes(640), NO_AUDIO_S)])
async def test_a_mute_device_is_given_up_in_time(signal: bytes, limit_s: float) -> None:
    microphone, stream, sleep = await opened(FakeSound(*STUDIO))
    if signal:
        stream.hear(signal)
    with pytest.raises(MicrophoneLost, match="no more audio" if signal else "no audio"):
        await everything(microphone)
    assert sleep.slept_s == pytest.approx(limit_s, abs=2 * LOOK_EVERY_S)


async def test_stop_ends_it_without_an_error() -> None:
    microphone, stream, _ = await opened(FakeSound(*STUDIO))
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
    microphone = Microphone(load=lambda: sound, close_within_s=0.01)
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

    with pytest.raises(NoMicrophone, match="'USB Desk Pro' did not open"):
        await Microphone("USB Desk Pro", load=load, open_within_s=0.01).open()
    go.set()
    async with asyncio.timeout(PATIENCE_S):
        while not sound.streams:  # noqa: ASYNC110  (the thread that opens it has no event to offer)
            await asyncio.sleep(0)
        while not sound.streams[0].closed.is_set():  # noqa: ASYNC110
            await asyncio.sleep(0)


async def test_chunks_come_after_open() -> None:
    with pytest.raises(RuntimeError, match="open"):
        await everything(Microphone(load=FakeSound))
    await Microphone(load=FakeSound).close()


async def test_losses_are_counted() -> None:
    microphone, stream, _ = await opened(FakeSound(*STUDIO))
    for _ in range(BACKLOG_BLOCKS + 1):
        stream.hear(bytes(640), overflow=True)
    assert microphone.losses.dropped_samples == 320
    assert microphone.losses.overflows == BACKLOG_BLOCKS + 1
    await microphone.close()
