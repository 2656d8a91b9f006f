"""Listening to one stream of a microphone, from its opening until it is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plugandtell.client.capture import Dropped
from plugandtell.client.converter import Converter
from plugandtell.client.source import Hole, Losses
from plugandtell.client.watchdog import Watchdog
from plugandtell.core.audio import SPEECH

if TYPE_CHECKING:
    from plugandtell.client.clocks import Clocks
    from plugandtell.client.sound_system import InputStream

SLEPT = "the computer slept"
BUFFER_FULL = "the buffer was full"
_LEAST_SLEEP_S = 0.5


class Listening:
    """Takes what the stream hears, in the `SPEECH` format, and notices when it hears no more.

    Attributes:
        stream: The stream.
        lost: Why it is to be given up, once it is.
    """

    def __init__(self, stream: InputStream, clocks: Clocks) -> None:
        self.stream = stream
        self.lost: str | None = None
        self._capture = stream.capture
        self._clocks = clocks
        self._asleep_s = clocks.asleep_s()
        self._slept_s = 0.0
        self._converter = Converter(self._capture.audio_format.sample_rate)
        self._watchdog = Watchdog(self._capture)

    @property
    def has_heard(self) -> bool:
        """Whether any audio has come."""
        return bool(self._capture.heard_samples)

    @property
    def heard_s(self) -> float:
        """How much audio has come."""
        return self._capture.audio_format.seconds_from(self._capture.heard_samples)

    @property
    def heard_from_s(self) -> float:
        """When the first sample was heard."""
        return self._capture.heard_from_s

    @property
    def heard_to_s(self) -> float:
        """When the last one was; if more came after a sleep of the computer, as if there had been no sleep."""
        heard_to_s = self._capture.heard_to_s
        has_woken = self._clocks.elapsed_s() - heard_to_s < self._slept_s
        return heard_to_s - self._slept_s if has_woken else heard_to_s

    @property
    def losses(self) -> Losses:
        """What was heard too fast for us, and how often the sound system was too slow."""
        return Losses(dropped_samples=self._capture.dropped_samples, overflows=self._capture.overflows)

    def look(self) -> list[bytes | Hole]:
        """What came since the last time. To be called when it rings, or every `LOOK_EVERY_S`; sets `lost`."""
        # Asked first, so that all that was heard before is taken below.
        self.lost = self._slept() or self._watchdog.look()
        pieces: list[bytes | Hole] = []
        while (block := self._capture.take()) is not None:
            if isinstance(block, Dropped):
                pieces += [*self._flush(), Hole(block.samples, BUFFER_FULL)]
                self._converter = Converter(self._capture.audio_format.sample_rate)
            elif audio := self._in_speech(block):
                pieces.append(audio)
        return pieces

    def end(self) -> list[bytes | Hole]:
        """What is left after the last look. Nothing may be asked afterwards."""
        rest = self._capture.dropped_since.samples
        return [*self._flush(), *([Hole(rest, BUFFER_FULL)] if rest else [])]

    def _in_speech(self, block: bytes) -> bytes:
        """Most devices deliver what is wanted: to make floats of it and back would take longer than all the rest."""
        heard = self._capture.audio_format
        return block if heard == SPEECH else self._converter.feed_pcm(block, heard.channels)

    def _flush(self) -> list[bytes]:
        audio = self._converter.flush()
        return [audio] if audio else []

    def _slept(self) -> str | None:
        """A device may sound alive after a sleep, but what it says is no longer when it was heard."""
        slept_s = self._clocks.asleep_s() - self._asleep_s
        if slept_s > _LEAST_SLEEP_S:
            self._slept_s = slept_s
            return SLEPT
        return None
