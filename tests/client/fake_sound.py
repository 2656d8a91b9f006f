"""A stand-in for sounddevice: a machine with the devices that a test gives it."""

from __future__ import annotations

import threading
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

STUDIO = (("Built-in", 2, 44_100), ("Speakers", 0, 48_000), ("USB Desk", 1, 48_000), ("USB Desk Pro", 2, 48_000))


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
        status = SimpleNamespace(input_overflow=overflow)
        samples = len(pcm) // 2 // self.settings["channels"]
        self.settings["callback"](memoryview(pcm), samples, None, status)

    def finish(self) -> None:
        self.settings["finished_callback"]()


class FakeSound(ModuleType):
    """A machine with these devices: (name, input channels, rate)."""

    PortAudioError = SoundError

    def __init__(self, *devices: tuple[str, int, int], default: int = 0) -> None:
        super().__init__("sounddevice")
        self.devices = devices
        self.default = default
        self.streams: list[FakeStream] = []
        self.start_fails = False
        self.accepts: Callable[[int, int], bool] = lambda _rate, _channels: True

    def query_devices(self, device: str | int | None = None, kind: str | None = None) -> Any:
        listed = [
            {"index": i, "name": name, "hostapi": 0, "max_input_channels": channels, "default_samplerate": float(rate)}
            for i, (name, channels, rate) in enumerate(self.devices)
        ]
        if kind is None:
            return listed
        index = self.default if device is None else device
        if isinstance(index, str):
            matches = [info for info in listed if index in str(info["name"]) and info["max_input_channels"]]
        else:
            matches = listed[index : index + 1] if index >= 0 else []
        if not matches:
            raise SoundError(f"Error querying device {index}")
        if len(matches) > 1 or not matches[0]["max_input_channels"]:
            raise ValueError(f"Multiple or no input devices found for {index!r}:\n[2] USB Desk")
        return matches[0]

    def query_hostapis(self, index: int) -> dict[str, str]:
        return {"name": ["ALSA"][index]}

    def RawInputStream(self, **settings: Any) -> FakeStream:  # noqa: N802
        if not self.accepts(settings["samplerate"], settings["channels"]):
            raise SoundError("Invalid sample rate")
        self.streams.append(FakeStream(settings, start_fails=self.start_fails))
        return self.streams[-1]
