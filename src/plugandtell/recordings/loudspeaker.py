"""What plays: finds an output device, and opens a stream of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from plugandtell.core.errors import NoLoudspeaker
from plugandtell.portaudio import INSTALL_HINT

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from plugandtell.recordings.sound import Block

_CONNECT_HINT = "connect a loudspeaker or headphones, or copy the recording with `plugandtell recordings export`"
_CHOOSE_HINT = "choose one of these with --device"

_BUFFERED_S = 0.5
"""Nobody waits for an answer: rather late than with holes where the machine is busy."""

_MARGIN_S = 0.1


@dataclass(frozen=True, slots=True)
class OutputStream:
    """A stream that plays. Each of its methods may wait for the device, one that is stuck for ever.

    Attributes:
        name: The device.
        stream: Sounddevice's own.
        failure: What it raises.
        latency_s: How long after it was written a sample is heard.
    """

    name: str
    stream: Any
    failure: type[Exception]
    latency_s: float

    def write(self, block: Block) -> None:
        """Hand samples over; returns when there is room for more.

        Raises:
            NoLoudspeaker: The device went away.
        """
        try:
            self.stream.write(block)
        except self.failure as exc:
            raise NoLoudspeaker(f"{self.name!r} stopped playing ({exc})", (), _CONNECT_HINT) from exc

    def finish(self) -> None:
        """Wait until all was heard.

        Stopping a stream in good order is said to wait; through ALSA's plug-in for PulseAudio it drops what it has.
        Silence behind the last sample pushes it out everywhere.

        Raises:
            NoLoudspeaker: As `write` does.
        """
        samples = round((self.latency_s + _MARGIN_S) * self.stream.samplerate)
        self.write(np.zeros((samples, self.stream.channels), np.int16))

    def close(self) -> None:
        """Fall silent at once, and release the device."""
        self.stream.abort()
        self.stream.close()


def open_loudspeaker(
    load: Callable[[], ModuleType], wanted: str | int | None, sample_rate: int, channels: int
) -> OutputStream:
    """Find an output device and start a stream.

    Args:
        load: Where sounddevice comes from.
        wanted: An index, or words out of a device's name, in any case; None for the default.
        sample_rate: Of what is to be played.
        channels: Of what is to be played.

    Raises:
        NoLoudspeaker: None is there, none or several fit, or it does not open.
    """
    library = _loaded(load)
    device = _chosen(library, wanted)
    try:
        stream = library.OutputStream(
            device=device["index"], samplerate=sample_rate, channels=channels, dtype="int16", latency=_BUFFERED_S
        )
        stream.start()
    except library.PortAudioError as exc:
        cause = f"{device['name']!r} does not play {sample_rate} Hz with {channels} channels ({exc})"
        raise NoLoudspeaker(cause, _listed(library), _CHOOSE_HINT) from exc
    return OutputStream(str(device["name"]), stream, library.PortAudioError, float(stream.latency))


def _loaded(load: Callable[[], ModuleType]) -> ModuleType:
    try:
        return load()
    except OSError as exc:
        raise NoLoudspeaker("the sound library PortAudio was not found", (), INSTALL_HINT) from exc
    except Exception as exc:  # its error class is in the module that failed to import
        raise NoLoudspeaker(f"the sound library does not start ({exc})", (), _CONNECT_HINT) from exc


def _chosen(library: ModuleType, wanted: str | int | None) -> Any:
    listed = _listed(library)
    if not listed:
        raise NoLoudspeaker("no output device was found", (), _CONNECT_HINT)
    try:
        return library.query_devices(wanted, kind="output")
    except (ValueError, library.PortAudioError) as exc:
        reason = str(exc).partition("\n")[0].rstrip(":")  # without its own list, of what matches only
        what = "no output device is the default one" if wanted is None else f"{wanted!r} does not name one that plays"
        raise NoLoudspeaker(f"{what} ({reason})", listed, _CHOOSE_HINT) from exc


def _listed(library: ModuleType) -> tuple[str, ...]:
    devices = (info for info in library.query_devices() if info["max_output_channels"] > 0)
    return tuple(f"{info['index']}: {info['name']} ({info['max_output_channels']} out)" for info in devices)
