"""Finds input devices and opens streams of them.

All of it may wait for a device, and is to be called in a thread of its own: see `device_thread`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from plugandtell.client.capture import Capture
from plugandtell.client.input_devices import CONNECT_HINT, InputDevice, choose_device, input_devices
from plugandtell.core.audio import SPEECH, AudioFormat
from plugandtell.core.errors import NoMicrophone
from plugandtell.portaudio import INSTALL_HINT, stderr_silenced

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType


@dataclass(frozen=True, slots=True)
class InputStream:
    """A stream that records.

    Attributes:
        device: The device that it records from.
        capture: What it hears.
        stream: Sounddevice's own.
    """

    device: InputDevice
    capture: Capture
    stream: Any

    def close(self) -> None:
        """Release the device."""
        self.stream.abort()
        self.stream.close()


class SoundSystem:
    """Opens streams: at 16 kHz, mono; where a device refuses that, at its own rate.

    Args:
        load: Where sounddevice comes from.
        clock: Passed on to the captures.
        ring: The same.
        block_ms: How much audio a stream hands over at a time.
    """

    def __init__(
        self, load: Callable[[], ModuleType], clock: Callable[[], float], ring: Callable[[], None], block_ms: int
    ) -> None:
        self._load = load
        self._clock = clock
        self._ring = ring
        self._block_ms = block_ms

    def reopen(self, wanted: str | int | None, *, afresh: bool) -> InputStream:
        """Find a device that may be away, and start listening. What the sound libraries print is not shown.

        Args:
            wanted: See `choose_device`.
            afresh: Start PortAudio anew, without which it knows only the devices that it found at its last start. No
                stream may be open.

        Raises:
            NoMicrophone: It cannot be found or opened.
        """
        with stderr_silenced():
            if afresh:
                _restart(self.library())
            return self.open(wanted)

    def open(self, wanted: str | int | None) -> InputStream:
        """Find a device and start listening.

        Args:
            wanted: See `choose_device`.

        Raises:
            NoMicrophone: It cannot be found or opened.
        """
        library = self.library()
        device = choose_device(library, wanted)
        own_mono = AudioFormat(device.sample_rate, 1)
        own = AudioFormat(device.sample_rate, device.channels)
        refusal: Exception | None = None
        for audio_format in dict.fromkeys((SPEECH, own_mono, own)):
            try:
                return self._open_stream(library, device, audio_format)
            except library.PortAudioError as exc:
                refusal = exc
        listed = tuple(map(str, input_devices(library)))
        hint = "close other programs that use it, or choose another with --device"
        raise NoMicrophone(f"the microphone {device.name!r} cannot be opened ({refusal})", listed, hint) from refusal

    def library(self) -> ModuleType:
        """Sounddevice, started.

        Raises:
            NoMicrophone: PortAudio is not there, or does not start.
        """
        try:
            return self._load()
        except OSError as exc:
            raise NoMicrophone(
                "the sound library PortAudio was not found", hint=f"{INSTALL_HINT}, or read a file with --input"
            ) from exc
        except Exception as exc:  # its error class is in the module that failed to import
            raise _not_starting(exc) from exc

    def _open_stream(self, library: ModuleType, device: InputDevice, audio_format: AudioFormat) -> InputStream:
        capture = Capture(audio_format, self._clock, self._ring)
        stream = library.RawInputStream(
            device=device.index,
            samplerate=audio_format.sample_rate,
            channels=audio_format.channels,
            dtype="int16",
            blocksize=audio_format.samples_from_ms(self._block_ms),
            callback=capture.hear,
            finished_callback=capture.finish,
        )
        try:
            stream.start()
        except library.PortAudioError:
            stream.close()
            raise
        return InputStream(device, capture, stream)


def _restart(library: ModuleType) -> None:
    """PortAudio looks for devices when it starts, and at no other time."""
    try:
        while library._initialized:  # noqa: SLF001
            library._terminate()  # noqa: SLF001
        library._initialize()  # noqa: SLF001
    except library.PortAudioError as exc:
        raise _not_starting(exc) from exc


def _not_starting(exc: Exception) -> NoMicrophone:
    return NoMicrophone(f"the sound library does not start ({exc})", hint=CONNECT_HINT)
