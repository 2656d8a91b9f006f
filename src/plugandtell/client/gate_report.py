"""What the gate does with a file: every frame's judgement, and the recordings that a server would make of it."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from plugandtell.core.audio import SPEECH
from plugandtell.core.gate import AudioGate, GateSettings, Passed, Quiet
from plugandtell.core.protocol.messages import EndReason
from plugandtell.core.segmenter import Ended, Segmenter, SegmenterSettings

if TYPE_CHECKING:
    from collections.abc import AsyncIterable

    from plugandtell.core.gate import Output, VoiceDetector
    from plugandtell.core.segmenter import Event

SILENT_DBFS = -96.0
"""What digital silence is shown as: the least that 16 bits can tell."""


@dataclass(frozen=True, slots=True)
class JudgedFrame:
    """One frame.

    Attributes:
        probability: How likely it holds voice.
        peak_dbfs: Its highest sample in dB below full scale.
        proof: The evidence of the frames up to this one, as a share of what opens the gate: from 1 on, it is open.
    """

    probability: float
    peak_dbfs: float
    proof: float = 0.0


@dataclass(frozen=True, slots=True)
class GateReport:
    """What became of a file.

    Attributes:
        samples: Its length.
        frame_samples: The length of a frame.
        frames: The judgements, in order.
        segments: The recordings.
    """

    samples: int
    frame_samples: int
    frames: tuple[JudgedFrame, ...]
    segments: tuple[Ended, ...]

    @property
    def sent_share(self) -> float:
        """How much of the file is in a recording."""
        return sum(one.end_index - one.start_index for one in self.segments) / self.samples if self.samples else 0.0

    def frames_of(self, segment: Ended) -> tuple[JudgedFrame, ...]:
        """The frames that a recording touches."""
        first, last = segment.start_index // self.frame_samples, -(-segment.end_index // self.frame_samples)
        return self.frames[first:last]


async def report_on(chunks: AsyncIterable[bytes], detector: VoiceDetector, settings: GateSettings) -> GateReport:
    """Feed audio in the `SPEECH` format to a gate, and what it sends to a segmenter."""
    witness = _Witness(detector, settings)
    gate = AudioGate(witness, settings)
    segmenter = Segmenter(SegmenterSettings(settings.hold_samples, max_samples=2**62), SPEECH)
    samples = 0
    events: list[Event] = []
    async for pcm in chunks:
        samples += SPEECH.samples_in(len(pcm))
        events += _segmented(segmenter, gate.feed(pcm))
    events += _segmented(segmenter, gate.flush()) + segmenter.close(EndReason.END)
    segments = tuple(event for event in events if isinstance(event, Ended))
    return GateReport(samples, detector.frame_samples, tuple(witness.frames), segments)


class _Witness:
    """A detector that remembers what another one said."""

    def __init__(self, detector: VoiceDetector, settings: GateSettings) -> None:
        self._detector = detector
        self._settings = settings
        self._evidence: deque[float] = deque(maxlen=settings.start_window)
        self.frame_samples = detector.frame_samples
        self.frames: list[JudgedFrame] = []

    def probability(self, frame: bytes) -> float:
        probability = self._detector.probability(frame)
        self._evidence.append(self._settings.evidence(probability) or 0.0)
        proof = sum(self._evidence) / self._settings.start_voiced
        self.frames.append(JudgedFrame(probability, _peak_dbfs(frame), proof))
        return probability


def _peak_dbfs(frame: bytes) -> float:
    peak = int(np.abs(np.frombuffer(frame, "<i2").astype(np.int32)).max())
    return max(SILENT_DBFS, 20 * math.log10(peak / 32_768)) if peak else SILENT_DBFS


def _segmented(segmenter: Segmenter, outputs: list[Output]) -> list[Event]:
    """What a server makes of it, less the audio."""
    events: list[Event] = []
    for output in outputs:
        match output:
            case Passed(start, pcm):
                events += segmenter.feed(start, pcm)
            case Quiet(index, voiced_to):
                events += segmenter.advance(index, voiced_to)
    return [event for event in events if isinstance(event, Ended)]
