"""The devices that can record, and the one that the user means. Sounddevice comes in as an argument."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from plugandtell.core.errors import NoMicrophone

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

CONNECT_HINT = "connect a microphone and allow programs to use it, or read a file with --input"
CHOOSE_HINT = "choose one of these with --device"


@dataclass(frozen=True, slots=True)
class InputDevice:
    """A device that can record.

    Attributes:
        index: Its number, as `--device` takes it.
        name: Its name.
        host_api: The sound system it was found through, such as ALSA or Core Audio.
        channels: How many channels it records at most.
        sample_rate: Its own rate.
    """

    index: int
    name: str
    host_api: str
    channels: int
    sample_rate: int

    @property
    def full_name(self) -> str:
        """What names this device and, with luck, no other."""
        return f"{self.name}, {self.host_api}"

    def __str__(self) -> str:
        return f"{self.index}: {self.full_name} ({self.channels} in, {self.sample_rate} Hz)"


def input_devices(library: ModuleType) -> tuple[InputDevice, ...]:
    """The devices that can record; none where there are none."""
    return tuple(_device(library, info) for info in library.query_devices() if info["max_input_channels"] > 0)


def choose_device(library: ModuleType, wanted: str | int | None) -> InputDevice:
    """Pick the input device that the user means.

    Args:
        library: The sounddevice module.
        wanted: An index; or words out of `name, host API` in any case, where an exact name beats a longer one; or
            None for the default.

    Raises:
        NoMicrophone: None fits, or several do; those that do are listed, or else all.
    """
    devices = input_devices(library)
    if not devices:
        raise NoMicrophone("no input device was found", hint=CONNECT_HINT)
    try:
        return _device(library, library.query_devices(wanted, kind="input"))
    except (ValueError, library.PortAudioError) as exc:
        reason = str(exc).partition("\n")[0].rstrip(":")  # without its own list, of what matches only
        cause = "no input device is the default one" if wanted is None else f"{wanted!r} does not name one input device"
        listed = tuple(str(device) for device in devices if _fits(device, wanted)) or tuple(map(str, devices))
        raise NoMicrophone(f"{cause} ({reason})", listed, CHOOSE_HINT) from exc


def _fits(device: InputDevice, wanted: str | int | None) -> bool:
    """Whether these words are in its name, in this order and any case: what sounddevice goes by."""
    rest = device.full_name.lower()
    for word in str(wanted).lower().split() if isinstance(wanted, str) else ():
        _, found, rest = rest.partition(word)
        if not found:
            return False
    return isinstance(wanted, str)


def _device(library: ModuleType, info: Mapping[str, Any]) -> InputDevice:
    return InputDevice(
        index=info["index"],
        name=info["name"],
        host_api=library.query_hostapis(info["hostapi"])["name"],
        channels=info["max_input_channels"],
        sample_rate=round(info["default_samplerate"]),
    )
