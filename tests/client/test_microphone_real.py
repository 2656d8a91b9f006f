"""The microphone on real PortAudio streams of a virtual device."""

from __future__ import annotations

import asyncio
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from plugandtell.client.clocks import system_clocks
from plugandtell.client.input_devices import input_devices
from plugandtell.client.microphone import Machine, Microphone, MicrophoneSettings
from plugandtell.client.source import Hole, Losses
from plugandtell.core.audio import SPEECH
from plugandtell.core.errors import NoMicrophone
from plugandtell.portaudio import load_sound_library
from tests.client.audio import PATIENCE_S
from tests.client.audio import noise as noise_values
from tests.support.virtual_microphone import SECOND, VirtualMicrophone, virtual_microphone

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

needs_pulseaudio = pytest.mark.skipif(
    sys.platform != "linux", reason="the virtual microphone is made by PulseAudio, which only Linux has"
)


def noise(seconds: float, seed: int) -> bytes:
    return noise_values(SPEECH.samples_from_s(seconds), seed).tobytes()


def the_microphone(device: str | int | None = None) -> Microphone:
    return Microphone(MicrophoneSettings(device), Machine(system_clocks()))


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
        assert isinstance(chunk, bytes)
        assert len(chunk) % SPEECH.bytes_per_sample == 0
        heard += chunk
        if signal in heard or len(heard) > SPEECH.bytes_in(SPEECH.samples_from_s(5)):
            microphone.stop()
    return bytes(heard)


async def hear(device: str | int | None, command: list[str], name: str) -> None:
    signal = noise(0.2, seed=7)
    microphone = the_microphone(device)
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
            asyncio.run(the_microphone(name).open())
        assert any(SECOND in device for device in error.value.devices)


@needs_pulseaudio
def test_a_name_that_fits_none_or_several_lists_the_devices(virtual: VirtualMicrophone) -> None:
    assert not virtual.failure_of(misname)


@needs_pulseaudio
@pytest.mark.parametrize("work", [hear_default, hear_by_name, hear_by_index])
def test_every_sample_is_heard_as_it_was_played(
    virtual: VirtualMicrophone, work: Callable[[VirtualMicrophone], None]
) -> None:
    assert not virtual.failure_of(work)


async def stop_without(breaks: Callable[[], None], cause: str) -> None:
    """Hear something, break the device, and stop once it is known to be lost."""
    microphone = the_microphone()
    async with asyncio.timeout(PATIENCE_S):
        await microphone.open()
        chunks = aiter(microphone.chunks())
        assert isinstance(await anext(chunks), bytes)
        breaks()
        async for piece in chunks:
            if isinstance(piece, Hole):
                assert piece.cause == cause
                microphone.stop()
        await microphone.close()
        await microphone.close()


def lose_the_daemon(doomed: VirtualMicrophone) -> None:
    asyncio.run(stop_without(doomed.kill, "the device was disconnected"))


def suspend_the_source(doomed: VirtualMicrophone) -> None:
    asyncio.run(stop_without(doomed.suspend, "the device delivers no more audio"))


@needs_pulseaudio
@pytest.mark.parametrize("work", [lose_the_daemon, suspend_the_source])
def test_nothing_hangs_when_a_device_goes_away_for_good(
    doomed: VirtualMicrophone, work: Callable[[VirtualMicrophone], None]
) -> None:
    assert not doomed.failure_of(work)


def find_nothing(doomed: VirtualMicrophone) -> None:
    doomed.kill()
    with pytest.raises(NoMicrophone):
        asyncio.run(the_microphone().open())


@needs_pulseaudio
def test_a_sound_server_that_is_gone_before_the_start(doomed: VirtualMicrophone) -> None:
    assert not doomed.failure_of(find_nothing)
