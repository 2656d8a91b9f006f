"""The voice detectors that the gate can be given, and the `--vad` setting that names them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from plugandtell.core.audio import SPEECH
from plugandtell.core.errors import InvalidSetting

if TYPE_CHECKING:
    from plugandtell.core.gate import VoiceDetector

DEFAULT_MODE = 2
DEFAULT_FRAME_MS = 20
FRAME_MS = (10, 20, 30)  # WebRTC knows no others
MODES = range(4)
SETTING = "--vad"


class WebRtcDetector:
    """WebRTC's voice activity detector. It remembers earlier frames: one instance per stream.

    Args:
        mode: From 0, which misses nothing and believes too much, to 3, which believes little.
        frame_ms: 10, 20 or 30.

    Raises:
        ValueError: `mode` or `frame_ms` is out of range.
        InvalidSetting: The detector is not installed; it is never switched off silently.
    """

    def __init__(self, mode: int = DEFAULT_MODE, frame_ms: int = DEFAULT_FRAME_MS) -> None:
        # webrtcvad itself meets a bad mode with SystemError, and takes 641 bytes for 640.
        if mode not in MODES:
            raise ValueError(f"mode is {mode}, but must be 0, 1, 2 or 3")
        if frame_ms not in FRAME_MS:
            raise ValueError(f"frame_ms is {frame_ms}, but must be 10, 20 or 30")
        try:
            import webrtcvad  # noqa: PLC0415  (a broken install must not keep `--vad none` from working)
        except ImportError as exc:
            expected = f"'none' until the package webrtcvad-wheels is reinstalled ({exc})"
            raise InvalidSetting(SETTING, f"webrtc:{mode}", expected) from exc
        self._vad = webrtcvad.Vad(mode)
        self._frame_samples = SPEECH.samples_from_ms(frame_ms)

    @property
    def frame_samples(self) -> int:
        """The length of the frames it takes."""
        return self._frame_samples

    def is_voiced(self, frame: bytes) -> bool:
        """Judge the next frame.

        Raises:
            ValueError: The frame is not exactly `frame_samples` long.
        """
        expected_bytes = SPEECH.bytes_in(self._frame_samples)
        if len(frame) != expected_bytes:
            raise ValueError(f"the frame has {len(frame)} bytes, but must have {expected_bytes}")
        return bool(self._vad.is_speech(frame, SPEECH.sample_rate))


class NoDetector:
    """Takes everything for voice: the explicit choice `--vad none`, never a fallback."""

    def __init__(self, frame_ms: int = DEFAULT_FRAME_MS) -> None:
        self._frame_samples = SPEECH.samples_from_ms(frame_ms)

    @property
    def frame_samples(self) -> int:
        """The length of the frames it takes."""
        return self._frame_samples

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
