"""The microphone, by way of PortAudio. Nothing else imports sounddevice.

PortAudio calls back on a thread of its own. The callback copies the block, hands it over and returns; the event
loop looks every `POLL_S` for what has come. A device that goes away is noticed in two ways, as PortAudio reports
neither as an error: the stream says it has finished, or the callbacks just stop.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import queue
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

import numpy as np

from plugandtell.client.converter import FULL_SCALE, Converter
from plugandtell.core.audio import SPEECH, AudioFormat
from plugandtell.core.errors import MicrophoneLost, NoMicrophone

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence

T = TypeVar("T")

BLOCK_MS = 20
POLL_S = 0.05
BACKLOG_S = 60.0
FIRST_AUDIO_S = 3.0  # a wireless headset takes its time to wake
NO_AUDIO_S = 1.0  # a live device calls back every BLOCK_MS, in silence too

INSTALL_HINT = (
    "install it (Debian, Ubuntu: apt install libportaudio2; Fedora: dnf install portaudio; macOS: brew install "
    "portaudio), or read a file with --input"
)
CONNECT_HINT = "connect a microphone and allow programs to use it, or read a file with --input"
CHOOSE_HINT = "choose one of these with --device"


class InputStream(Protocol):
    """An open stream of sounddevice."""

    def start(self) -> None:
        """Begin to call back."""

    def abort(self) -> None:
        """Stop calling back, without waiting."""

    def close(self) -> None:
        """Release the device."""


class SoundLibrary(Protocol):
    """The part of the sounddevice module that is used; a test stands in for a device here."""

    @property
    def PortAudioError(self) -> type[Exception]:  # noqa: N802
        """What the other members raise."""

    @property
    def RawInputStream(self) -> Callable[..., InputStream]:  # noqa: N802
        """Opens a stream."""

    @property
    def query_devices(self) -> Callable[..., Any]:
        """All devices, or with `kind="input"` the default one."""

    @property
    def query_hostapis(self) -> Callable[..., Any]:
        """One sound system of the machine, by index."""


@dataclass(frozen=True, slots=True)
class InputDevice:
    """A device that can record.

    Attributes:
        index: Its number, as `--device` takes it.
        name: Its name.
        host_api: The sound system it was found through, such as ALSA or Core Audio.
        channels: How many channels it records at most.
        sample_rate: Its own rate.
        is_default: It is the one used where no device is named.
    """

    index: int
    name: str
    host_api: str
    channels: int
    sample_rate: int
    is_default: bool

    def __str__(self) -> str:
        default = ", default" if self.is_default else ""
        return f"{self.index}: {self.name}, {self.host_api} ({self.channels} in, {self.sample_rate} Hz{default})"


def load_sound_library() -> SoundLibrary:
    """Import sounddevice, which loads and starts PortAudio: this takes up to a few seconds.

    Raises:
        OSError: PortAudio is not installed.
    """
    import sounddevice  # noqa: PLC0415

    # At exit it would stop the last stream and PortAudio, which hangs the program when a device is stuck.
    atexit.unregister(sounddevice._exit_handler)  # noqa: SLF001
    return cast("SoundLibrary", sounddevice)


def list_input_devices(load: Callable[[], SoundLibrary] = load_sound_library) -> tuple[InputDevice, ...]:
    """The devices that can record; none where there are none.

    Raises:
        NoMicrophone: PortAudio is missing, or it cannot list them.
    """
    library = _load(load)
    try:
        return _input_devices(library)
    except library.PortAudioError as exc:
        raise NoMicrophone(f"the input devices cannot be listed ({exc})", hint=CONNECT_HINT) from exc


def choose_device(devices: Sequence[InputDevice], wanted: str | int | None) -> InputDevice:
    """Pick the input device that the user means.

    Args:
        devices: Those there are.
        wanted: An index; or a part of the name (or of `name, host API`) in any case, an exact name going first;
            or None for the default. A text of digits that is no device's exact name is an index.

    Raises:
        NoMicrophone: None fits, or several do; the input devices are listed.
    """
    listed = tuple(str(device) for device in devices)
    if not devices:
        raise NoMicrophone("no input device was found", hint=CONNECT_HINT)
    matches = _matches(devices, wanted)
    if len(matches) == 1:
        return matches[0]
    if wanted is None:
        raise NoMicrophone("no input device is the default one", listed, CHOOSE_HINT)
    count = f"{len(matches)} input devices match" if matches else "no input device matches"
    raise NoMicrophone(f"{count} {wanted!r}", listed, CHOOSE_HINT)


def _matches(devices: Sequence[InputDevice], wanted: str | int | None) -> list[InputDevice]:
    if wanted is None:
        return [device for device in devices if device.is_default]
    if isinstance(wanted, int):
        return [device for device in devices if device.index == wanted]
    text = wanted.strip().casefold()
    exact = [device for device in devices if text in _names(device)]
    if exact or not text:
        return exact
    if text.isascii() and text.isdigit():
        return _matches(devices, int(text))
    return [device for device in devices if any(text in name for name in _names(device))]


def _names(device: InputDevice) -> tuple[str, str]:
    name = device.name.casefold()
    return name, f"{name}, {device.host_api.casefold()}"


def _load(load: Callable[[], SoundLibrary]) -> SoundLibrary:
    try:
        return load()
    except OSError as exc:
        raise NoMicrophone("the sound library PortAudio was not found", hint=INSTALL_HINT) from exc
    except Exception as exc:  # its error class is in the module that failed to import
        raise NoMicrophone(f"the sound library does not start ({exc})", hint=CONNECT_HINT) from exc


def _input_devices(library: SoundLibrary) -> tuple[InputDevice, ...]:
    found: Iterable[Mapping[str, Any]] = library.query_devices()
    inputs = [device for device in found if device["max_input_channels"] > 0]
    default = None
    with contextlib.suppress(library.PortAudioError):  # what it raises where there is no default
        default = library.query_devices(kind="input")["index"]
    return tuple(
        InputDevice(
            index=device["index"],
            name=device["name"],
            host_api=library.query_hostapis(device["hostapi"])["name"],
            channels=device["max_input_channels"],
            sample_rate=round(device["default_samplerate"]),
            is_default=device["index"] == default,
        )
        for device in inputs
    )


class Capture:
    """What one stream has heard and nobody has taken yet.

    Written by PortAudio's thread and read by the event loop, without a lock: each counter has one writer. It
    holds `BACKLOG_S` of audio; once full, the newest is dropped and counted.

    Attributes:
        audio_format: What the stream delivers.
        heard_samples: Samples that the device delivered, dropped ones included.
        dropped_samples: Samples dropped because the backlog was full.
        overflows: How often PortAudio reported that it lost audio before we got it.
        finished: The stream will call back no more.
    """

    def __init__(self, audio_format: AudioFormat) -> None:
        self.audio_format = audio_format
        self.heard_samples = 0
        self.dropped_samples = 0
        self.overflows = 0
        self.finished = False
        self._taken_samples = 0
        self._limit_samples = audio_format.samples_from_s(BACKLOG_S)
        self._blocks: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def hear(self, block: Any, samples: int, _when: object, status: Any) -> None:
        """PortAudio's callback: copies, hands over, returns."""
        if status and status.input_overflow:
            self.overflows += 1
        held_samples = self.heard_samples - self.dropped_samples - self._taken_samples
        if held_samples + samples > self._limit_samples:
            self.dropped_samples += samples
        else:
            self._blocks.put(bytes(block))
        self.heard_samples += samples

    def finish(self) -> None:
        """PortAudio's last callback."""
        self.finished = True

    def take(self) -> bytes:
        """The oldest audio held, at most about a second of it; empty when nothing is."""
        taken: list[bytes] = []
        size_bytes = 0
        while size_bytes < self.audio_format.bytes_in(self.audio_format.sample_rate):
            try:
                taken.append(self._blocks.get_nowait())
            except queue.Empty:
                break
            size_bytes += len(taken[-1])
        self._taken_samples += self.audio_format.samples_in(size_bytes)
        return b"".join(taken)


class Watchdog:
    """Says when a device has been mute for too long.

    Time counts only while somebody looks: a look that comes late, because the event loop was busy or the machine
    asleep, is no proof against the device.
    """

    def __init__(self, now_s: float) -> None:
        self._looked_s = now_s
        self._mute_s = 0.0
        self._heard_samples = 0

    def look(self, now_s: float, heard_samples: int) -> bool:
        """Whether the device is to be given up, having delivered so many samples by now."""
        passed_s = min(now_s - self._looked_s, 2 * POLL_S)
        self._looked_s = now_s
        self._mute_s = self._mute_s + passed_s if heard_samples == self._heard_samples else 0.0
        self._heard_samples = heard_samples
        return self._mute_s >= (NO_AUDIO_S if heard_samples else FIRST_AUDIO_S)


@dataclass(frozen=True, slots=True)
class Deadlines:
    """How long a device may take: opening includes the start of PortAudio, closing is done while the user waits."""

    open_s: float = 10.0
    close_s: float = 2.0


class Microphone:
    """A `Source` that listens to an input device.

    Opened at 16 kHz, mono; a device that refuses is opened at its own rate and converted.

    Args:
        device: See `choose_device`.
        load: Where sounddevice comes from.
        clock: A monotonic clock, in seconds.
        sleep: Sleeps for so many seconds.
        deadlines: How long the device may take to open and to close.
    """

    def __init__(
        self,
        device: str | int | None = None,
        *,
        load: Callable[[], SoundLibrary] = load_sound_library,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        deadlines: Deadlines = Deadlines(),
    ) -> None:
        self._wanted = device
        self._load = load
        self._clock = clock
        self._sleep = sleep
        self._deadlines = deadlines
        self._stopped = False
        self._opened: _Opened | None = None
        self._closed = False

    @property
    def name(self) -> str:
        """The device's name; until it is open, what was asked for."""
        if self._opened is not None:
            return self._opened.device.name
        return "default" if self._wanted is None else str(self._wanted)

    @property
    def dropped_samples(self) -> int:
        """Samples dropped because nobody took them for `BACKLOG_S`, in the `SPEECH` format."""
        if self._opened is None:
            return 0
        capture = self._opened.capture
        return SPEECH.samples_from_s(capture.audio_format.seconds_from(capture.dropped_samples))

    @property
    def overflows(self) -> int:
        """How often the sound system lost audio before it reached us."""
        return 0 if self._opened is None else self._opened.capture.overflows

    async def open(self) -> None:
        """Find the device and start listening.

        Raises:
            NoMicrophone: It cannot be found or opened.
        """
        try:
            self._opened = await _in_daemon_thread(
                lambda: _open(self._load, self._wanted), self._deadlines.open_s, when_late=_close
            )
        except TimeoutError as exc:
            cause = f"the microphone {self.name!r} did not open within {self._deadlines.open_s:.0f} s"
            hint = "plug it in again, or choose another with --device"
            raise NoMicrophone(cause, hint=hint) from exc

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield what is heard, about every `POLL_S`.

        Raises:
            MicrophoneLost: The device went away; what was heard was yielded before.
        """
        if self._opened is None:
            raise RuntimeError("open() comes before chunks()")
        capture = self._opened.capture
        converter = None
        if capture.audio_format != SPEECH:
            converter = Converter(capture.audio_format.sample_rate)
        watchdog = Watchdog(self._clock())
        end: str | None = None
        while end is None:
            end = self._end(capture, watchdog)  # first, so that all that was heard before is taken below
            while block := capture.take():
                if audio := _converted(block, capture.audio_format, converter):
                    yield audio
            if end is None:
                await self._sleep(POLL_S)
        if converter is not None and (audio := converter.flush()):
            yield audio
        if end:
            raise MicrophoneLost(self.name, end)

    def stop(self) -> None:
        """Listen no longer."""
        self._stopped = True

    async def close(self) -> None:
        """Release the device. One that does not answer is left behind once its deadline has passed."""
        self.stop()
        if self._opened is None or self._closed:
            return
        self._closed = True
        opened = self._opened
        with contextlib.suppress(TimeoutError):
            await _in_daemon_thread(lambda: _close(opened), self._deadlines.close_s)

    def _end(self, capture: Capture, watchdog: Watchdog) -> str | None:
        """Why listening ends now: empty when stopped, None when it goes on."""
        if self._stopped:
            return ""
        if capture.finished:
            return "the device was disconnected"
        if watchdog.look(self._clock(), capture.heard_samples):
            return "the device delivers no more audio" if capture.heard_samples else "the device delivers no audio"
        return None


@dataclass(frozen=True, slots=True)
class _Opened:
    device: InputDevice
    capture: Capture
    stream: InputStream


def _open(load: Callable[[], SoundLibrary], wanted: str | int | None) -> _Opened:
    devices = list_input_devices(load)
    device = choose_device(devices, wanted)
    library = _load(load)
    own_mono = AudioFormat(device.sample_rate, 1)
    own = AudioFormat(device.sample_rate, device.channels)
    refusal: Exception | None = None
    for audio_format in dict.fromkeys((SPEECH, own_mono, own)):
        try:
            return _open_stream(library, device, audio_format)
        except library.PortAudioError as exc:
            refusal = exc
    hint = "close other programs that use it, or choose another with --device"
    listed = tuple(str(other) for other in devices)
    raise NoMicrophone(f"the microphone {device.name!r} cannot be opened ({refusal})", listed, hint) from refusal


def _open_stream(library: SoundLibrary, device: InputDevice, audio_format: AudioFormat) -> _Opened:
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


def _converted(block: bytes, audio_format: AudioFormat, converter: Converter | None) -> bytes:
    if converter is None:
        return block
    values = np.frombuffer(block, np.int16).reshape(-1, audio_format.channels)
    return converter.feed(values.astype(np.float32) / np.float32(FULL_SCALE))


async def _in_daemon_thread(work: Callable[[], T], timeout_s: float, when_late: Callable[[T], None] | None = None) -> T:
    """Run `work`, which may never return, without holding up the event loop or the end of the program.

    Raises:
        TimeoutError: It took longer than `timeout_s`; a result that comes later is given to `when_late`.
    """
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, failure: Exception | None) -> None:
        if failure is not None and not outcome.done():
            outcome.set_exception(failure)
        elif failure is None and not outcome.done():
            outcome.set_result(cast("T", result))
        elif failure is None and when_late is not None:
            threading.Thread(target=when_late, args=(result,), daemon=True).start()

    def run() -> None:
        result, failure = None, None
        try:
            result = work()
        except Exception as exc:  # noqa: BLE001  (raised again where it is awaited)
            failure = exc
        with contextlib.suppress(RuntimeError):  # the loop is closed: the program is ending
            loop.call_soon_threadsafe(settle, result, failure)

    threading.Thread(target=run, name="audio device", daemon=True).start()
    async with asyncio.timeout(timeout_s):
        return await outcome
