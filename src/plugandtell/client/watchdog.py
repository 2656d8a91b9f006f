"""Notices that a microphone has gone away, which PortAudio never reports as an error."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from plugandtell.client.capture import Capture

LOOK_EVERY_S = 0.16  # while nothing comes; what comes is looked at as soon as it has come
LOOK_WHILE_AWAY_EVERY_S = 0.05
FIRST_AUDIO_S = 3.0  # a wireless headset takes its time to wake
NO_AUDIO_S = 0.8  # a live device calls back all the time, in silence too; with what looks take, a loss shows within 1 s


class Watchdog:
    """Says why a device is to be given up: its stream says it has finished, or its callbacks just stop.

    It counts looks that find nothing new, not time: a look that comes late, because the event loop was busy or the
    machine asleep, is no proof against the device.
    """

    def __init__(self, capture: Capture) -> None:
        self._capture = capture
        self._heard_samples = 0
        self._mute_looks = 0

    def look(self) -> str | None:
        """What became of the device, if it is lost. To be called when something was heard, or every `LOOK_EVERY_S`."""
        if self._capture.finished:
            return "the device was disconnected"
        heard_samples = self._capture.heard_samples
        self._mute_looks = self._mute_looks + 1 if heard_samples == self._heard_samples else 0
        self._heard_samples = heard_samples
        if self._mute_looks * LOOK_EVERY_S < (NO_AUDIO_S if heard_samples else FIRST_AUDIO_S):
            return None
        return "the device delivers no more audio" if heard_samples else "the device delivers no audio"
