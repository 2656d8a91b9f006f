from __future__ import annotations

import pytest

from plugandtell.client.input_devices import InputDevice, choose_device, input_devices
from plugandtell.core.errors import NoMicrophone
from tests.client.fake_sound import STUDIO, FakeSound


def test_only_input_devices_are_listed() -> None:
    devices = input_devices(FakeSound(*STUDIO))
    assert [device.index for device in devices] == [0, 2, 3]
    assert devices[0] == InputDevice(0, "Built-in", "ALSA", 2, 44_100)
    assert str(devices[0]) == "0: Built-in, ALSA (2 in, 44100 Hz)"


@pytest.mark.parametrize(("wanted", "index"), [(None, 0), ("Built", 0), ("Pro", 3), (2, 2)])
def test_a_device_is_chosen_by_index_or_part_of_its_name(wanted: str | int | None, index: int) -> None:
    assert choose_device(FakeSound(*STUDIO), wanted).index == index


@pytest.mark.parametrize("wanted", ["tape", 1, 4, -1])
def test_a_choice_that_fits_none_lists_the_devices(wanted: str | int) -> None:
    with pytest.raises(
        NoMicrophone, match=f"{wanted!r} does not name one input device .*: choose .* --device"
    ) as error:
        choose_device(FakeSound(*STUDIO), wanted)
    assert str(error.value).splitlines()[1:] == [
        "  0: Built-in, ALSA (2 in, 44100 Hz)",
        "  2: USB Desk, ALSA (1 in, 48000 Hz)",
        "  3: USB Desk Pro, ALSA (2 in, 48000 Hz)",
    ]


@pytest.mark.parametrize("wanted", ["USB", "usb d", "desk alsa"])
def test_a_choice_that_fits_several_lists_these(wanted: str) -> None:
    with pytest.raises(NoMicrophone, match=f"{wanted!r} does not name one input device") as error:
        choose_device(FakeSound(*STUDIO), wanted)
    assert [device[0] for device in error.value.devices] == ["2", "3"]


def test_input_devices_without_a_default_are_listed() -> None:
    with pytest.raises(NoMicrophone, match="no input device is the default one") as error:
        choose_device(FakeSound(*STUDIO, default=-1), None)
    assert len(error.value.devices) == 3


@pytest.mark.parametrize("devices", [(), (("Speakers", 0, 48_000),)])
def test_a_machine_without_input_devices(devices: tuple[tuple[str, int, int], ...]) -> None:
    with pytest.raises(NoMicrophone, match=r"no input device was found: connect a microphone .* --input"):
        choose_device(FakeSound(*devices, default=-1), None)
