"""What is known of each input device without listening to it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from plugandtell.client.input_devices import CONNECT_HINT, InputDevice, choose_device, input_devices
from plugandtell.core.audio import SPEECH
from plugandtell.core.errors import NoMicrophone
from plugandtell.core.safe_text import foreign

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

_LONGEST_NAME: Final = 60


@dataclass(frozen=True, slots=True)
class DeviceReport:
    """An input device.

    Attributes:
        device: What it says of itself.
        is_default: Whether it is the one that is used unless another is chosen.
        refusal: Why it does not record at 16 kHz, or None if it does; audio at its own rate is converted.
    """

    device: InputDevice
    is_default: bool
    refusal: str | None

    def fields(self) -> dict[str, Any]:
        """For scripts."""
        takes_speech = self.refusal is None
        return asdict(self.device) | {
            "is_default": self.is_default,
            "takes_16_khz": takes_speech,
            "refusal": self.refusal,
        }


def report_on_devices(library: ModuleType) -> tuple[DeviceReport, ...]:
    """Ask for all input devices.

    Raises:
        NoMicrophone: There are none.
    """
    devices = input_devices(library)
    if not devices:
        raise NoMicrophone("no input device was found", hint=CONNECT_HINT)
    try:
        default = choose_device(library, None).index
    except NoMicrophone:
        default = None
    return tuple(DeviceReport(one, one.index == default, _refusal(library, one)) for one in devices)


def table(reports: Sequence[DeviceReport]) -> str:
    """Lines for people, under a line that says what they tell."""
    names = [foreign(one.device.full_name, _LONGEST_NAME) for one in reports]
    width = max(len("NAME"), *map(len, names))
    lines = [f"   ID  {'NAME':{width}}  CHANNELS       RATE  16 KHZ"]
    for one, name in zip(reports, names, strict=True):
        mark = "*" if one.is_default else " "
        takes = "yes" if one.refusal is None else "no, converted"
        rate = f"{one.device.sample_rate} Hz"
        lines.append(f" {mark}{one.device.index:>3}  {name:{width}}  {one.device.channels:>8}  {rate:>9}  {takes}")
    default = "* is used unless --device names another" if any(one.is_default for one in reports) else _NO_DEFAULT
    return "\n".join([*lines, "", default])


_NO_DEFAULT: Final = "none of them is the default one: choose with --device"


def _refusal(library: ModuleType, device: InputDevice) -> str | None:
    try:
        library.check_input_settings(
            device=device.index, channels=SPEECH.channels, dtype="int16", samplerate=SPEECH.sample_rate
        )
    except (ValueError, library.PortAudioError) as exc:
        return str(exc)
    return None
