"""The voice detectors that the gate can be given, and the `--vad` setting that names them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from plugandtell.core.audio import SPEECH
from plugandtell.core.errors import InvalidSetting

if TYPE_CHECKING:
    from plugandtell.core.gate import VoiceDetector

DEFAULT_MODE = 2
FRAME_SAMPLES = SPEECH.samples_from_ms(20)  # WebRTC takes 10, 20 or 30 ms
SETTING = "--vad"


class WebRtcDetector:
    """WebRTC's voice activity detector. It remembers earlier frames: one instance per stream.

    Args:
        mode: From 0, which misses nothing and believes too much, to 3, which believes little.

    Raises:
        InvalidSetting: The detector is not installed; it is never switched off silently.
    """

    frame_samples = FRAME_SAMPLES

    def __init__(self, mode: int = DEFAULT_MODE) -> None:
        try:
            import webrtcvad  # noqa: PLC0415  (a broken install must not keep `--vad none` from working)
        except ImportError as exc:
            expected = f"'none' until the package webrtcvad-wheels is reinstalled ({exc})"
            raise InvalidSetting(SETTING, f"webrtc:{mode}", expected) from exc
        self._vad = webrtcvad.Vad(mode)

    def is_voiced(self, frame: bytes) -> bool:
        """Judge the next frame."""
        return bool(self._vad.is_speech(frame, SPEECH.sample_rate))


class NoDetector:
    """Takes everything for voice: the explicit choice `--vad none`, never a fallback."""

    frame_samples = FRAME_SAMPLES

    def is_voiced(self, frame: bytes) -> bool:
        """Always true."""
        return True


def detector_from(spec: str) -> VoiceDetector:
    """Make the detector that `--vad` asks for: `webrtc`, `webrtc:0` to `webrtc:3`, or `none`.

    Raises:
        InvalidSetting: It is none of these, or it is not installed.
    """
    if spec == "none":
        return NoDetector()
    if match := re.fullmatch(r"webrtc(?::([0-3]))?", spec, re.ASCII):
        return WebRtcDetector(int(match[1] or DEFAULT_MODE))
    raise InvalidSetting(SETTING, spec, "webrtc, webrtc:0 to webrtc:3 (the strictest), or none")
