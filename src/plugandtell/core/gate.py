"""The gate: decides which stretches of the captured audio are sent.

It opens when voice is likely, reaching back over a *pre-roll* so that no first syllable is clipped, and sends on for a
*hangover* after the last voiced frame so that no word ending is cut. Then it holds the pause back. If voice returns
before the pause has lasted `hold_samples`, the pause is sent as it was heard and the recording stays one contiguous
slice of what the microphone heard; otherwise the pause is dropped.

`Gate` decides on evidence alone, one number a frame; `AudioGate` puts a detector in front of it and cuts the audio.
Both take *holes*, audio that was never heard: time in which nothing is voiced, and of which nothing is sent.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from plugandtell.core.audio import SPEECH, AudioFormat
from plugandtell.core.kept_audio import KeptAudio
from plugandtell.core.suspicion import Suspicion


class VoiceDetector(Protocol):
    """Says of each frame how likely it holds voice. May remember earlier frames."""

    @property
    def frame_samples(self) -> int:
        """The length of the frames it takes."""

    def probability(self, frame: bytes) -> float:
        """How likely the next frame, exactly `frame_samples` long, holds voice: from 0 to 1."""


class GateState(StrEnum):
    """What the gate does with audio at the moment."""

    LISTENING = "listening"
    VOICE = "voice"
    PAUSE = "pause"


@dataclass(frozen=True, slots=True)
class GateSettings:
    """When the gate opens, holds and shuts.

    Attributes:
        frame_samples: Length of the frames that the flags stand for.
        pre_roll_samples: How far before the onset a recording starts.
        hangover_samples: How long audio is still sent after the last voiced frame.
        hold_samples: Shortest pause that is dropped; measured from the last voiced frame to the next onset.
        position_samples: Audio time between two positions while nothing is sent.
        start_voiced: Evidence of the last `start_window` frames, together, that opens the gate.
        start_gap_samples: Longest pause between two voiced frames of what becomes one onset; the evidence for it may
            come after the pause.
        start_reach_samples: How far back from where the gate opens the onset can lie.
        keep_voiced: Voiced frames, out of the last `keep_window`, that keep it open.
        voiced_from: Probability from which a frame is voiced. It extends what is sent, and alone opens nothing.
        evidence_from: Probability from which a frame is evidence of voice.
        evidence_full: Probability from which it is a whole frame's worth; between the two it grows with the log odds.

    Raises:
        ValueError: A field is out of range; the message names it.
    """

    frame_samples: int
    pre_roll_samples: int = SPEECH.samples_from_ms(400)
    hangover_samples: int = SPEECH.samples_from_ms(400)
    hold_samples: int = SPEECH.samples_from_ms(3000)
    position_samples: int = SPEECH.samples_from_ms(250)
    start_voiced: int = 3
    start_window: int = 8
    start_gap_samples: int = SPEECH.samples_from_ms(640)
    start_reach_samples: int = SPEECH.samples_from_ms(1280)
    keep_voiced: int = 2
    keep_window: int = 4
    voiced_from: float = 0.1
    evidence_from: float = 0.5
    evidence_full: float = 0.9

    def __post_init__(self) -> None:
        for name in ("frame_samples", "position_samples", "start_voiced", "keep_voiced"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}, but must be at least 1")
        for name in ("pre_roll_samples", "hangover_samples"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} is {getattr(self, name)}, but must not be negative")
        for few, window in (("start_voiced", "start_window"), ("keep_voiced", "keep_window")):
            if getattr(self, few) > getattr(self, window):
                raise ValueError(f"{few} is {getattr(self, few)}, more than {window}, {getattr(self, window)}")
        if self.hold_samples < self.hangover_samples:
            raise ValueError(
                f"hold_samples is {self.hold_samples}, but must be at least hangover_samples, {self.hangover_samples}"
            )
        self._check_evidence()

    def _check_evidence(self) -> None:
        if not 0 < self.voiced_from <= self.evidence_from <= self.evidence_full < 1:
            raise ValueError(
                f"voiced_from, evidence_from and evidence_full are {self.voiced_from}, {self.evidence_from} and "
                f"{self.evidence_full}, but must rise, between 0 and 1"
            )
        for name in ("start_gap_samples", "start_reach_samples"):
            if getattr(self, name) < self.start_window * self.frame_samples:
                raise ValueError(f"{name} is {getattr(self, name)}, shorter than start_window")

    def evidence(self, probability: float) -> float | None:
        """What a frame of that probability says for voice, from 0 to 1; None if it is not voiced.

        The log odds of independent frames add up, but neighbouring frames are far from independent: so none counts for
        more than one.
        """
        if probability < self.voiced_from:
            return None
        if probability >= self.evidence_full:
            return 1.0
        if probability <= self.evidence_from:
            return 0.0
        least, most = _log_odds(self.evidence_from), _log_odds(self.evidence_full)
        return (_log_odds(probability) - least) / (most - least)


def _log_odds(probability: float) -> float:
    return math.log(probability / (1 - probability))


@dataclass(frozen=True, slots=True)
class Send:
    """The samples from `start` to before `end` pass. Slices come in order and never overlap."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Quiet:
    """Nothing from `voiced_to` to before `index` was voiced."""

    index: int
    voiced_to: int


@dataclass(frozen=True, slots=True)
class StateChanged:
    """The gate is in another state from sample `index` on."""

    state: GateState
    index: int


@dataclass(frozen=True, slots=True)
class Passed:
    """Audio that passed the gate, `pcm` starting at sample `start`."""

    start: int
    pcm: bytes


Decision = Send | Quiet | StateChanged
Output = Passed | Quiet | StateChanged


class Gate:
    """Evidence of voice in, decisions out.

    A stretch of voice is under suspicion from its first voiced frame until there is enough evidence for it. Until then
    no decision is taken that confirmation would prove wrong: the clock it reports stands still at the suspected onset.
    """

    def __init__(self, settings: GateSettings) -> None:
        self._settings = settings
        self._state = GateState.LISTENING
        self._suspicion = Suspicion(
            settings.frame_samples, settings.start_window, settings.start_gap_samples, settings.start_reach_samples
        )
        self._voiced: deque[int] = deque(maxlen=settings.keep_window)  # starts of the latest voiced frames
        self._now = 0
        self._sent_to = 0
        self._voiced_to = 0
        self._reported = 0

    @property
    def state(self) -> GateState:
        """What it does at the moment."""
        return self._state

    @property
    def quiet_samples(self) -> int:
        """How long nothing has been voiced for certain."""
        return max(0, self._quiet_to - self._voiced_to)

    @property
    def keep_from(self) -> int:
        """No later decision sends a sample below this index."""
        if self._state is not GateState.LISTENING:
            return self._sent_to
        reach = self._settings.start_reach_samples + self._settings.pre_roll_samples
        return max(self._sent_to, self._now - reach)

    def feed(self, evidence: float | None) -> list[Decision]:
        """Take the next frame: its evidence of voice from 0 to 1, or None where it is not voiced at all."""
        if evidence is not None:
            self._voiced.append(self._now)
        self._suspicion.feed(self._now, evidence)
        self._now += self._settings.frame_samples
        if self._state is GateState.VOICE:
            return self._go_on(evidence is not None)
        decisions = self._shut_if_over()
        if self._suspicion.evidence >= self._settings.start_voiced:
            return decisions + self._open()
        return decisions + self._report()

    def skip(self, frames: int) -> list[Decision]:
        """Take so many unvoiced frames: at once where nothing is decided among them, so that hours take no time.

        Of the positions within such a stretch, only the last is told.
        """
        end = self._now + frames * self._settings.frame_samples
        decisions: list[Decision] = []
        while self._now < end:
            if self._state is not GateState.VOICE and self._suspicion.onset is None:
                self._now += self._undecided_frames(end) * self._settings.frame_samples
            decisions += self.feed(None)
        return decisions

    def flush(self, tail_samples: int = 0) -> list[Decision]:
        """End of the input, `tail_samples` (less than a frame) after the last frame.

        An onset that the end cuts short counts as voice if its evidence is as dense as what opens the gate.
        """
        self._now += tail_samples
        decisions: list[Decision] = []
        if self._state is GateState.VOICE:
            decisions = self._send(self._sent_to)
        elif self._suspicion.density * self._settings.start_window >= self._settings.start_voiced:
            decisions = self._open()
        self._reported = self._now
        return [*decisions, Quiet(self._now, self._voiced_to)]

    def _undecided_frames(self, end: int) -> int:
        """How many of the unvoiced frames before `end` can be passed over, outside voice: one at least is left."""
        if self._state is GateState.PAUSE:
            end = min(end, self._voiced_to + self._settings.hold_samples)
        return max(0, (end - self._now - 1) // self._settings.frame_samples)

    def _go_on(self, voiced: bool) -> list[Decision]:
        first = self._now - self._settings.keep_window * self._settings.frame_samples
        if voiced and sum(start >= first for start in self._voiced) >= self._settings.keep_voiced:
            self._voiced_to = self._now
            self._suspicion.forget()
        if self._now - self._voiced_to <= self._settings.hangover_samples:
            return self._send(self._sent_to)
        self._state = GateState.PAUSE
        self._reported = self._voiced_to
        # Told at once, although no position may be due yet: what was sent last must not wait for more of the same.
        told = self._report() or [Quiet(max(self._quiet_to, self._sent_to), self._voiced_to)]
        return [StateChanged(GateState.PAUSE, self._voiced_to), *told]

    def _open(self) -> list[Decision]:
        start = self._sent_to
        if self._state is GateState.LISTENING:
            start = max(start, self._quiet_to - self._settings.pre_roll_samples)
        self._state = GateState.VOICE
        self._voiced_to = self._suspicion.voiced_to
        self._suspicion.forget()
        return [StateChanged(GateState.VOICE, start), *self._send(start)]

    def _send(self, start: int) -> list[Decision]:
        """Send all from `start` on."""
        self._sent_to = self._now
        return [Send(start, self._now)] if self._now > start else []

    def _shut_if_over(self) -> list[Decision]:
        quiet_to = self._quiet_to
        if self._state is not GateState.PAUSE or quiet_to - self._voiced_to < self._settings.hold_samples:
            return []
        self._state = GateState.LISTENING
        self._reported = quiet_to
        return [Quiet(quiet_to, self._voiced_to), StateChanged(GateState.LISTENING, quiet_to)]

    def _report(self) -> list[Decision]:
        quiet_to = max(self._quiet_to, self._sent_to)
        if quiet_to - self._reported < self._settings.position_samples:
            return []
        self._reported = quiet_to
        return [Quiet(quiet_to, self._voiced_to)]

    @property
    def _quiet_to(self) -> int:
        return self._now if self._suspicion.onset is None else self._suspicion.onset


class AudioGate:
    """PCM and holes in, audio that passed out. Any split of the input into chunks gives the same output.

    A hole is not judged: it is unvoiced. A frame that lies partly in one is judged with silence in its place.

    Args:
        detector: Judges the frames; `settings.frame_samples` must be the length that it takes.
        settings: When to open, hold and shut.
        audio: The format of the PCM.
    """

    def __init__(self, detector: VoiceDetector, settings: GateSettings, audio: AudioFormat = SPEECH) -> None:
        if settings.frame_samples != detector.frame_samples:
            raise ValueError(
                f"frame_samples is {settings.frame_samples}, but the detector takes {detector.frame_samples}"
            )
        self._detector = detector
        self._settings = settings
        self._gate = Gate(settings)
        self._kept = KeptAudio(audio)
        self._judged_to = 0

    @property
    def state(self) -> GateState:
        """What it does at the moment."""
        return self._gate.state

    @property
    def quiet_samples(self) -> int:
        """How long nothing has been voiced for certain."""
        return self._gate.quiet_samples

    @property
    def kept_bytes(self) -> int:
        """How much audio it keeps back."""
        return self._kept.size_bytes

    def feed(self, pcm: bytes) -> list[Output]:
        """Take the next chunk: whole samples, any number of them."""
        self._kept.add(pcm)
        return self._go_on()

    def skip(self, samples: int) -> list[Output]:
        """Take a hole: so many samples were never heard. However long it is, it takes no time."""
        self._kept.skip(samples)
        return self._go_on()

    def flush(self) -> list[Output]:
        """End of the input: what is shorter than a frame follows the frame before it."""
        return self._cut(self._gate.flush(self._kept.end - self._judged_to))

    def _go_on(self) -> list[Output]:
        """Judge every whole frame there is."""
        frame_samples = self._settings.frame_samples
        outputs: list[Output] = []
        while self._kept.end - self._judged_to >= frame_samples:
            if missing := (self._kept.next_heard(self._judged_to) - self._judged_to) // frame_samples:
                decisions = self._gate.skip(missing)
                self._judged_to += missing * frame_samples
            else:
                frame = self._kept.filled(self._judged_to, self._judged_to + frame_samples)
                decisions = self._gate.feed(self._settings.evidence(self._detector.probability(frame)))
                self._judged_to += frame_samples
            outputs += self._cut(decisions)
            self._kept.forget(self._gate.keep_from)
        return outputs

    def _cut(self, decisions: list[Decision]) -> list[Output]:
        outputs: list[Output] = []
        for decision in decisions:
            if isinstance(decision, Send):
                outputs += [Passed(start, pcm) for start, pcm in self._kept.heard(decision.start, decision.end)]
            else:
                outputs.append(decision)
        return outputs
