"""A stand-in for sounddevice: a machine with the devices that a test gives it."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

STUDIO = (("Built-in", 2, 44_100), ("Speakers", 0, 48_000), ("USB Desk", 1, 48_000), ("USB Desk Pro", 2, 48_000))


class SoundError(Exception):
    """Stands for PortAudio's."""


class Hangs(BaseException):
    """Raised where the real thing would not return, past whoever handles errors: see `FakeThreads`."""


class FakeThreads:
    """Runs work at once. What hangs stays undone until it is released."""

    def __init__(self) -> None:
        self._stuck: list[Callable[[], None]] = []

    def __call__(self, work: Callable[[], T], /) -> Future[T]:
        outcome: Future[T] = Future()
        outcome.set_running_or_notify_cancel()

        def run() -> None:
            try:
                outcome.set_result(work())
            except Hangs:
                self._stuck.append(run)
            except Exception as exc:  # noqa: BLE001  (raised again where it is awaited)
                outcome.set_exception(exc)

        run()
        return outcome

    def release(self) -> None:
        """What hung goes on, if it no longer has to hang."""
        stuck, self._stuck = self._stuck, []
        for run in stuck:
            run()


class FakeStream:
    """A stream that hears what the test says."""

    def __init__(self, settings: dict[str, Any], *, start_fails: bool = False) -> None:
        self.settings = settings
        self.start_fails = start_fails
        self.is_started = False
        self.is_mute = False
        self.is_finished = False
        self.close_hangs = False
        self.closed = threading.Event()
        self.may_close = threading.Event()
        self.may_close.set()

    @property
    def is_live(self) -> bool:
        """Whether it would call back."""
        return self.is_started and not (self.is_mute or self.is_finished or self.closed.is_set())

    def start(self) -> None:
        if self.start_fails:
            raise SoundError("Device unavailable")
        self.is_started = True

    def abort(self) -> None:
        if self.close_hangs:
            raise Hangs
        self.may_close.wait()

    def close(self) -> None:
        self.closed.set()

    def hear(self, pcm: bytes, *, overflow: bool = False) -> None:
        status = SimpleNamespace(input_overflow=overflow)
        samples = len(pcm) // 2 // self.settings["channels"]
        self.settings["callback"](memoryview(pcm), samples, None, status)

    def finish(self) -> None:
        self.is_finished = True
        self.settings["finished_callback"]()


class FakeSound(ModuleType):
    """A machine with these devices: (name, input channels, rate). It looks for them when it is started."""

    PortAudioError = SoundError

    def __init__(self, *devices: tuple[str, int, int], default: int = 0) -> None:
        super().__init__("sounddevice")
        self.devices = devices
        self.default = default
        self.streams: list[FakeStream] = []
        self.start_fails = False
        self.opens_mute = False
        self.restart_fails = False
        self.restart_hangs = False
        self.restarts = 0
        self.accepts: Callable[[int, int], bool] = lambda _rate, _channels: True
        self._initialized = 1
        self._listed = devices

    def _terminate(self) -> None:
        if self.restart_hangs:
            raise Hangs
        if self._initialized == 0:
            raise SoundError("PortAudio not initialized")
        assert all(stream.closed.is_set() for stream in self.streams), "PortAudio would be pulled from under a stream"
        self._initialized = 0

    def _initialize(self) -> None:
        if self.restart_fails:
            raise SoundError("Error initializing PortAudio")
        assert self._initialized == 0
        self._initialized = 1
        self._listed = self.devices
        self.restarts += 1

    def query_devices(self, device: str | int | None = None, kind: str | None = None) -> Any:
        listed = [
            {"index": i, "name": name, "hostapi": 0, "max_input_channels": channels, "default_samplerate": float(rate)}
            for i, (name, channels, rate) in enumerate(self._listed)
        ]
        if kind is None:
            return listed
        index = self.default if device is None else device
        if isinstance(index, str):
            named = [info for info in listed if f"{info['name']}, ALSA" == index and info["max_input_channels"]]
            matches = named or [info for info in listed if index in str(info["name"]) and info["max_input_channels"]]
        else:
            matches = listed[index : index + 1] if index >= 0 else []
        if not matches:
            raise SoundError(f"Error querying device {index}")
        if len(matches) > 1 or not matches[0]["max_input_channels"]:
            raise ValueError(f"Multiple or no input devices found for {index!r}:\n[2] USB Desk")
        return matches[0]

    def query_hostapis(self, index: int) -> dict[str, str]:
        return {"name": ["ALSA"][index]}

    def check_input_settings(self, *, device: int, channels: int, dtype: str, samplerate: int) -> None:
        assert (self.devices[device][1] > 0, dtype) == (True, "int16")
        if not self.accepts(samplerate, channels):
            raise SoundError("Invalid sample rate")

    def RawInputStream(self, **settings: Any) -> FakeStream:  # noqa: N802
        if not self.accepts(settings["samplerate"], settings["channels"]):
            raise SoundError("Invalid sample rate")
        self.streams.append(FakeStream(settings, start_fails=self.start_fails))
        self.streams[-1].is_mute = self.opens_mute
        return self.streams[-1]
