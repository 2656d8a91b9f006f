"""The gates under test, each by the name that `--vad` takes, and the original's gate as `naive`.

A name may be followed by `@` and the client's gate options, to try others: `auto@voice_on=0.4,onset_ms=128`.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from time import process_time
from typing import Any

from plugandtell.client.detector import WebRtcDetector, choose_detector
from plugandtell.client.gate_options import GateOptions
from plugandtell.core.audio import SPEECH
from plugandtell.core.errors import DetectorUnavailable
from plugandtell.core.gate import AudioGate, GateSettings, GateState, Passed, StateChanged, VoiceDetector

SILENCE_MS = 3000  # what ends a recording at the server, by default
NAIVE = "naive"


@dataclass(frozen=True, slots=True)
class Segment:
    """A recording: samples `start` to before `end`, begun when `opened_at` samples had been heard."""

    start: int
    end: int
    opened_at: int


@dataclass(frozen=True, slots=True)
class Run:
    """What a gate did with a file: the slices it sent, the recordings they became, and the CPU time it took."""

    sent: tuple[tuple[int, int], ...]
    segments: tuple[Segment, ...]
    samples: int
    cpu_s: float


def detector_named(name: str) -> VoiceDetector:
    """The client's detector of that name; one that stands in for it is not good enough here."""
    choice = choose_detector(name)
    if choice.missing:
        raise choice.missing
    return choice.detector


def settings_for(detector: VoiceDetector, overrides: str = "") -> GateSettings:
    """The settings that the client makes by default, or with some of its options changed."""
    kinds = {field.name: type(field.default) for field in dataclasses.fields(GateOptions)}
    pairs = [field.split("=") for field in overrides.split(",") if field]
    changed: dict[str, Any] = {name: kinds[name](value) for name, value in pairs}
    return GateOptions(**changed).settings(detector.frame_samples, SILENCE_MS)


def run(spec: str, pcm: bytes) -> Run:
    """Pass a whole file through the gate of that name."""
    name, _, overrides = spec.partition("@")
    return _run_naive(pcm) if name == NAIVE else _run_gate(name, overrides, pcm)


def _run_gate(name: str, overrides: str, pcm: bytes) -> Run:
    detector = detector_named(name)
    gate = AudioGate(detector, settings_for(detector, overrides))
    chunk = SPEECH.bytes_in(detector.frame_samples)
    began = process_time()
    outputs = [(SPEECH.samples_in(at + chunk), gate.feed(pcm[at : at + chunk])) for at in range(0, len(pcm), chunk)]
    outputs.append((SPEECH.samples_in(len(pcm)), gate.flush()))
    cpu_s = process_time() - began
    sent: list[tuple[int, int]] = []
    segments: list[Segment] = []
    listening = True
    for heard, batch in outputs:
        for item in batch:
            if isinstance(item, StateChanged):
                if item.state is GateState.VOICE and listening:
                    segments.append(Segment(item.index, item.index, heard))
                listening = item.state is GateState.LISTENING
            elif isinstance(item, Passed):
                end = item.start + SPEECH.samples_in(len(item.pcm))
                sent.append((item.start, end))
                segments[-1] = dataclasses.replace(segments[-1], end=end)
    return Run(_joined(sent), tuple(segments), SPEECH.samples_in(len(pcm)), cpu_s)


def _run_naive(pcm: bytes) -> Run:
    """Send each frame that is voiced; the server ends a recording when none came for `SILENCE_MS`."""
    detector = WebRtcDetector()
    size = SPEECH.bytes_in(detector.frame_samples)
    began = process_time()
    voiced = [detector.probability(pcm[at : at + size]) >= 0.5 for at in range(0, len(pcm) - size + 1, size)]
    cpu_s = process_time() - began
    frame = detector.frame_samples
    sent = _joined([(index * frame, (index + 1) * frame) for index, flag in enumerate(voiced) if flag])
    segments: list[Segment] = []
    for start, end in sent:
        if segments and start - segments[-1].end < SPEECH.samples_from_ms(SILENCE_MS):
            segments[-1] = dataclasses.replace(segments[-1], end=end)
        else:
            segments.append(Segment(start, end, start + frame))
    return Run(sent, tuple(segments), SPEECH.samples_in(len(pcm)), cpu_s)


def _joined(slices: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Slices that touch, made one."""
    joined: list[tuple[int, int]] = []
    for start, end in slices:
        if joined and joined[-1][1] == start:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return tuple(joined)


def available(specs: str) -> tuple[tuple[str, ...], dict[str, str]]:
    """The gates that can be made, and why the others cannot. Overrides hold commas: a field belongs to its spec."""
    names: list[str] = []
    for part in specs.split(","):
        if "=" in part and "@" not in part:
            names[-1] += "," + part
        else:
            names.append(part)
    missing: dict[str, str] = {}
    for name in names:
        if name == NAIVE:
            continue
        try:
            detector_named(name.partition("@")[0])
        except DetectorUnavailable as exc:
            missing[name] = str(exc)
    return tuple(name for name in names if name not in missing), missing
