from __future__ import annotations

import asyncio
import sys
import threading
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from plugandtell.client.microphone import (
    BACKLOG_S,
    FIRST_AUDIO_S,
    NO_AUDIO_S,
    POLL_S,
    Deadlines,
    InputDevice,
    Microphone,
    Watchdog,
    choose_device,
    list_input_devices,
)
from plugandtell.core.audio import SPEECH
from plugandtell.core.errors import MicrophoneLost, NoMicrophone
from tests.support.virtual_microphone import SECOND, VirtualMicrophone, virtual_microphone

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

needs_pulseaudio = pytest.mark.skipif(
    sys.platform != "linux", reason="the virtual microphone is made by PulseAudio, which only Linux has"
)
PATIENCE_S = 10.0  # far beyond what each wait takes: it bounds a hang, nothing else


def noise(seconds: float, seed: int) -> bytes:
    values = np.random.default_rng(seed).integers(-(2**15), 2**15, SPEECH.samples_from_s(seconds))
    return values.astype("<i2").tobytes()


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
    signal = noise(0.5, seed=7)
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
    assert (microphone.dropped_samples, microphone.overflows) == (0, 0)


def hear_default(virtual: VirtualMicrophone) -> None:
    asyncio.run(hear(None, virtual.player(), "default"))


def hear_by_name(virtual: VirtualMicrophone) -> None:
    asyncio.run(hear("SECO", virtual.player(SECOND), SECOND))


def hear_by_index(virtual: VirtualMicrophone) -> None:
    (index,) = (device.index for device in list_input_devices() if device.name == SECOND)
    asyncio.run(hear(index, virtual.player(SECOND), SECOND))


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


class SoundError(Exception):
    """Stands for PortAudio's."""


class FakeStream:
    """A stream that hears what the test says."""

    def __init__(self, settings: dict[str, Any], *, start_fails: bool = False) -> None:
        self.settings = settings
        self.start_fails = start_fails
        self.closed = threading.Event()
        self.may_close = threading.Event()
        self.may_close.set()

    def start(self) -> None:
        if self.start_fails:
            raise SoundError("Device unavailable")

    def abort(self) -> None:
        self.may_close.wait()

    def close(self) -> None:
        self.closed.set()

    def hear(self, pcm: bytes, *, overflow: bool = False) -> None:
        status = SimpleNamespace(input_overflow=True) if overflow else None
        samples = len(pcm) // 2 // self.settings["channels"]
        self.settings["callback"](memoryview(pcm), samples, None, status)

    def finish(self) -> None:
        self.settings["finished_callback"]()


class FakeSound:
    """A machine with these devices: (name, input channels, rate)."""

    PortAudioError = SoundError

    def __init__(self, *devices: tuple[str, int, int], default: int = 0) -> None:
        self.devices = devices
        self.default = default
        self.streams: list[FakeStream] = []
        self.start_fails = False
        self.accepts: Callable[[int, int], bool] = lambda _rate, _channels: True

    def query_devices(self, kind: str | None = None) -> Any:
        listed = [
            {"index": i, "name": name, "hostapi": 0, "max_input_channels": channels, "default_samplerate": float(rate)}
            for i, (name, channels, rate) in enumerate(self.devices)
        ]
        if kind is None:
            return listed
        if self.default < 0:
            raise SoundError("Error querying device -1")
        return listed[self.default]

    def query_hostapis(self, index: int) -> dict[str, str]:
        return {"name": ["ALSA"][index]}

    def RawInputStream(self, **settings: Any) -> FakeStream:  # noqa: N802
        if not self.accepts(settings["samplerate"], settings["channels"]):
            raise SoundError("Invalid sample rate")
        self.streams.append(FakeStream(settings, start_fails=self.start_fails))
        return self.streams[-1]


class FakeTime:
    """A clock that only `sleep` moves."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def clock(self) -> float:
        return self.now_s

    async def sleep(self, seconds: float) -> None:
        self.now_s += seconds
        await asyncio.sleep(0)


async def opened(sound: FakeSound, device: str | int | None = None) -> tuple[Microphone, FakeStream, FakeTime]:
    time = FakeTime()
    microphone = Microphone(device, load=lambda: sound, clock=time.clock, sleep=time.sleep)
    await microphone.open()
    return microphone, sound.streams[-1], time


async def gather(microphone: Microphone, heard: bytearray) -> None:
    async for chunk in microphone.chunks():
        heard += chunk


async def everything(microphone: Microphone) -> bytes:
    return b"".join([chunk async for chunk in microphone.chunks()])


STUDIO = (("Built-in", 2, 44_100), ("Speakers", 0, 48_000), ("USB Desk", 1, 48_000), ("USB Desk Pro", 2, 48_000))


async def test_a_missing_library_says_how_to_install_it() -> None:
    def load() -> FakeSound:
        raise OSError("PortAudio library not found")

    with pytest.raises(NoMicrophone, match="apt install libportaudio2"):
        await Microphone(load=load).open()
    with pytest.raises(NoMicrophone, match="PortAudio was not found"):
        list_input_devices(load)


async def test_a_library_that_does_not_start_is_told_apart() -> None:
    def load() -> FakeSound:
        raise SoundError("Error initializing PortAudio")

    with pytest.raises(NoMicrophone, match=r"does not start [(]Error initializing PortAudio"):
        await Microphone(load=load).open()


@pytest.mark.parametrize("devices", [(), (("Speakers", 0, 48_000),)])
async def test_a_machine_without_input_devices(devices: tuple[tuple[str, int, int], ...]) -> None:
    with pytest.raises(NoMicrophone, match=r"no input device was found: connect a microphone .* --input"):
        await opened(FakeSound(*devices, default=-1))


def test_only_input_devices_are_listed() -> None:
    listed = list_input_devices(lambda: FakeSound(*STUDIO))
    assert [device.index for device in listed] == [0, 2, 3]
    assert listed[0] == InputDevice(0, "Built-in", "ALSA", 2, 44_100, is_default=True)
    assert str(listed[0]) == "0: Built-in, ALSA (2 in, 44100 Hz, default)"


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        (None, 0),
        ("built", 0),
        ("PRO", 3),
        ("usb desk", 2),  # a part of two names, and all of one
        ("USB Desk Pro, ALSA", 3),
        (2, 2),
        (" 3 ", 3),
    ],
)
def test_a_device_is_chosen_by_index_or_part_of_its_name(wanted: str | int | None, index: int) -> None:
    assert choose_device(list_input_devices(lambda: FakeSound(*STUDIO)), wanted).index == index


@pytest.mark.parametrize(
    ("wanted", "cause"),
    [
        ("usb", "2 input devices match 'usb'"),
        ("tape", "no input device matches 'tape'"),
        ("", "no input device matches ''"),
        (1, "no input device matches 1"),  # it only plays
        (4, "no input device matches 4"),
        (-1, "no input device matches -1"),
        ("9", "no input device matches '9'"),
    ],
)
def test_a_choice_that_fits_none_or_several_lists_the_devices(wanted: str | int, cause: str) -> None:
    with pytest.raises(NoMicrophone) as error:
        choose_device(list_input_devices(lambda: FakeSound(*STUDIO)), wanted)
    assert error.value.cause == cause
    assert len(error.value.devices) == 3
    assert "  2: USB Desk, ALSA (1 in, 48000 Hz)" in str(error.value)
    assert "--device" in error.value.hint


def test_input_devices_without_a_default_are_listed() -> None:
    with pytest.raises(NoMicrophone, match="no input device is the default one"):
        choose_device(list_input_devices(lambda: FakeSound(*STUDIO, default=-1)), None)


async def test_a_device_that_takes_our_format_is_passed_on_untouched() -> None:
    microphone, stream, _ = await opened(FakeSound(*STUDIO), "desk pro")
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


async def test_a_full_backlog_drops_the_newest_and_counts_it() -> None:
    microphone, stream, _ = await opened(FakeSound(*STUDIO))
    second = noise(1, seed=2)
    for _ in range(int(BACKLOG_S)):
        stream.hear(second)
    assert microphone.dropped_samples == 0
    for _ in range(3):
        stream.hear(bytes(len(second)))
    assert microphone.dropped_samples == 3 * 16_000
    microphone.stop()
    assert await everything(microphone) == second * int(BACKLOG_S)
    stream.hear(second)  # there is room again
    assert microphone.dropped_samples == 3 * 16_000


async def test_audio_lost_before_it_reached_us_is_counted() -> None:
    microphone, stream, _ = await opened(FakeSound(*STUDIO))
    stream.hear(bytes(640), overflow=True)
    stream.hear(bytes(640))
    assert microphone.overflows == 1


async def test_what_was_heard_before_the_loss_is_yielded_first() -> None:
    microphone, stream, _ = await opened(FakeSound(*STUDIO))
    signal = noise(3, seed=3)
    stream.hear(signal)
    stream.finish()
    heard = bytearray()
    with pytest.raises(MicrophoneLost, match="'Built-in' stopped: the device was disconnected"):
        await gather(microphone, heard)
    assert heard == signal


@pytest.mark.parametrize(("signal", "limit_s"), [(b"", FIRST_AUDIO_S), (bytes(640), NO_AUDIO_S)])
async def test_a_mute_device_is_given_up_in_time(signal: bytes, limit_s: float) -> None:
    microphone, stream, time = await opened(FakeSound(*STUDIO))
    if signal:
        stream.hear(signal)
    started_s = time.now_s
    with pytest.raises(MicrophoneLost, match="no more audio" if signal else "no audio"):
        await everything(microphone)
    assert time.now_s - started_s == pytest.approx(limit_s, abs=2 * POLL_S)


def test_the_watchdog_does_not_count_what_it_slept_through() -> None:
    watchdog = Watchdog(0.0)
    assert not watchdog.look(0.05, 320)
    assert not watchdog.look(3_600.0, 320)  # the laptop was closed for an hour
    assert not watchdog.look(3_600.8, 320)
    looks = [watchdog.look(3_601.0 + i * POLL_S, 320) for i in range(20)]
    assert looks == sorted(looks)
    assert looks[-1]
    assert not Watchdog(0.0).look(0.05, 0)


async def test_stop_ends_it_without_an_error() -> None:
    microphone, stream, _ = await opened(FakeSound(*STUDIO))
    chunks = aiter(microphone.chunks())
    stream.hear(bytes(640))
    assert await anext(chunks) == bytes(640)
    stream.hear(bytes(320))
    microphone.stop()
    microphone.stop()
    assert [chunk async for chunk in chunks] == [bytes(320)]
    await microphone.close()
    await microphone.close()
    assert stream.closed.is_set()


async def test_a_device_that_does_not_close_is_left_behind() -> None:
    sound = FakeSound(*STUDIO)
    microphone = Microphone(load=lambda: sound, deadlines=Deadlines(close_s=0.01))
    await microphone.open()
    sound.streams[0].may_close.clear()
    async with asyncio.timeout(PATIENCE_S):
        await microphone.close()
    assert not sound.streams[0].closed.is_set()
    sound.streams[0].may_close.set()
    assert sound.streams[0].closed.wait(PATIENCE_S)


async def test_a_device_that_opens_too_late_is_closed_again() -> None:
    sound = FakeSound(*STUDIO)
    go = threading.Event()

    def load() -> FakeSound:
        go.wait()
        return sound

    with pytest.raises(NoMicrophone, match="'usb desk' did not open"):
        await Microphone("usb desk", load=load, deadlines=Deadlines(open_s=0.01)).open()
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
