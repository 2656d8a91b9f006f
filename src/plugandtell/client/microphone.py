"""The microphone, by way of PortAudio. Nothing else imports sounddevice.

PortAudio calls back on a thread of its own; the event loop looks every `LOOK_EVERY_S` for what has come. Whatever
may wait for a device runs in a daemon thread, so that one that is stuck holds up neither the loop nor the exit.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import threading
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast

from plugandtell.client.capture import BLOCK_MS, Capture
from plugandtell.client.converter import Converter
from plugandtell.client.input_devices import CONNECT_HINT, InputDevice, choose_device, input_devices
from plugandtell.client.source import Losses
from plugandtell.client.watchdog import LOOK_EVERY_S, Watchdog
from plugandtell.core.audio import SPEECH, AudioFormat
from plugandtell.core.errors import MicrophoneLost, NoMicrophone

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from types import ModuleType

T = TypeVar("T")

INSTALL_HINT = (
    "install it (Debian, Ubuntu: apt install libportaudio2; Fedora: dnf install portaudio; macOS: brew install "
    "portaudio), or read a file with --input"
)


def load_sound_library() -> ModuleType:
    """Import sounddevice, which loads and starts PortAudio: this takes up to a few seconds.

    Raises:
        OSError: PortAudio is not installed.
    """
    import sounddevice  # noqa: PLC0415

    # At exit it would stop the last stream and PortAudio, which hangs the program when a device is stuck.
    atexit.unregister(sounddevice._exit_handler)  # noqa: SLF001
    return cast("ModuleType", sounddevice)


class Microphone:
    """A `Source` that listens to an input device.

    Opened at 16 kHz, mono; a device that refuses is opened at its own rate and converted.

    Args:
        device: See `choose_device`.
        load: Where sounddevice comes from.
        sleep: Sleeps for so many seconds.
        open_within_s: How long it may take to open, the start of PortAudio included.
        close_within_s: How long it may take to close, while the user waits.
    """

    def __init__(
        self,
        device: str | int | None = None,
        *,
        load: Callable[[], ModuleType] = load_sound_library,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        open_within_s: float = 10.0,
        close_within_s: float = 2.0,
    ) -> None:
        self._wanted = device
        self._load = load
        self._sleep = sleep
        self._open_within_s = open_within_s
        self._close_within_s = close_within_s
        self._opened: _Opened | None = None
        self._stopped = False
        self._closed = False

    @property
    def name(self) -> str:
        """The device's name; until it is open, what was asked for."""
        if self._opened is not None:
            return self._opened.device.name
        return "default" if self._wanted is None else str(self._wanted)

    @property
    def is_live(self) -> bool:
        """It does not wait."""
        return True

    @property
    def losses(self) -> Losses:
        """What was heard too fast for us, in the `SPEECH` format, and how often the sound system was too slow."""
        if self._opened is None:
            return Losses()
        capture = self._opened.capture
        return Losses(dropped_samples=capture.dropped_samples, overflows=capture.overflows)

    async def open(self) -> None:
        """Find the device and start listening.

        Raises:
            NoMicrophone: It cannot be found or opened.
        """
        opening = _in_daemon_thread(lambda: _open(self._load, self._wanted))
        try:
            async with asyncio.timeout(self._open_within_s):
                self._opened = await asyncio.wrap_future(opening)
        except TimeoutError as exc:
            cause = f"the microphone {self.name!r} did not open within {self._open_within_s:.0f} s"
            hint = "plug it in again, or choose another with --device"
            raise NoMicrophone(cause, hint=hint) from exc
        finally:
            if self._opened is None:
                _in_daemon_thread(lambda: _close(opening.result()))  # it may open yet

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield what is heard, block by block.

        Raises:
            MicrophoneLost: The device went away; what was heard was yielded before.
        """
        if self._opened is None:
            raise RuntimeError("open() comes before chunks()")
        capture = self._opened.capture
        converter = Converter(capture.audio_format.sample_rate)
        watchdog = Watchdog(capture)
        while True:
            # Asked first, so that all that was heard before is taken below.
            stopped, lost = self._stopped, watchdog.look()
            while (block := capture.take()) is not None:
                if audio := converter.feed(block):
                    yield audio
            if stopped or lost:
                break
            await self._sleep(LOOK_EVERY_S)
        if audio := converter.flush():
            yield audio
        if lost and not stopped:
            raise MicrophoneLost(self.name, lost)

    def stop(self) -> None:
        """Listen no longer."""
        self._stopped = True

    async def close(self) -> None:
        """Release the device. One that does not answer is left behind once its deadline has passed."""
        self.stop()
        opened = self._opened
        if opened is None or self._closed:
            return
        self._closed = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._close_within_s):
                await asyncio.wrap_future(_in_daemon_thread(lambda: _close(opened)))


@dataclass(frozen=True, slots=True)
class _Opened:
    device: InputDevice
    capture: Capture
    stream: Any


def _open(load: Callable[[], ModuleType], wanted: str | int | None) -> _Opened:
    library = _loaded(load)
    device = choose_device(library, wanted)
    own_mono = AudioFormat(device.sample_rate, 1)
    own = AudioFormat(device.sample_rate, device.channels)
    refusal: Exception | None = None
    for audio_format in dict.fromkeys((SPEECH, own_mono, own)):
        try:
            return _open_stream(library, device, audio_format)
        except library.PortAudioError as exc:
            refusal = exc
    listed = tuple(map(str, input_devices(library)))
    hint = "close other programs that use it, or choose another with --device"
    raise NoMicrophone(f"the microphone {device.name!r} cannot be opened ({refusal})", listed, hint) from refusal


def _loaded(load: Callable[[], ModuleType]) -> ModuleType:
    try:
        return load()
    except OSError as exc:
        raise NoMicrophone("the sound library PortAudio was not found", hint=INSTALL_HINT) from exc
    except Exception as exc:  # its error class is in the module that failed to import
        raise NoMicrophone(f"the sound library does not start ({exc})", hint=CONNECT_HINT) from exc


def _open_stream(library: ModuleType, device: InputDevice, audio_format: AudioFormat) -> _Opened:
    capture = Capture(audio_format)
    stream = library.RawInputStream(
        device=device.index,
        samplerate=audio_format.sample_rate,
        channels=audio_format.channels,
        dtype="int16",
        blocksize=audio_format.samples_from_ms(BLOCK_MS),
        callback=capture.hear,
        finished_callback=capture.finish,
    )
    try:
        stream.start()
    except library.PortAudioError:
        stream.close()
        raise
    return _Opened(device, capture, stream)


def _close(opened: _Opened) -> None:
    opened.stream.abort()
    opened.stream.close()


def _in_daemon_thread(work: Callable[[], T]) -> Future[T]:
    """Run `work`, which may never return."""
    outcome: Future[T] = Future()
    outcome.set_running_or_notify_cancel()  # whoever waits may give up, but the work goes on

    def run() -> None:
        try:
            outcome.set_result(work())
        except Exception as exc:  # noqa: BLE001  (raised again where it is awaited)
            outcome.set_exception(exc)

    threading.Thread(target=run, name="audio device", daemon=True).start()
    return outcome
