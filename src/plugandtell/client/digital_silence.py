"""Notices a microphone that delivers nothing but zeros: muted, or kept from us by the operating system."""

from __future__ import annotations

from plugandtell.core.audio import SPEECH

AFTER_SAMPLES = SPEECH.samples_from_s(5)


class DigitalSilence:
    """Tells once that there has been no sound at all for too long; once more only if sound came in between.

    A room is never that quiet: the least noise of a converter is more than zero.
    """

    def __init__(self) -> None:
        self._samples = 0

    def feed(self, pcm: bytes) -> bool:
        """Take the next audio; returns whether the silence has become too long with it."""
        if pcm.strip(b"\0"):
            self._samples = 0
            return False
        before, self._samples = self._samples, self._samples + SPEECH.samples_in(len(pcm))
        return before < AFTER_SAMPLES <= self._samples
