"""What is said in a schedule, and what the gate lets through of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from plugandtell.client.detector import choose_detector
from plugandtell.client.gate_options import GateOptions
from plugandtell.core.gate import AudioGate, Passed
from tests.support.speech import sentence, silence

if TYPE_CHECKING:
    import numpy.typing as npt

    from tests.faults.schedule import Schedule

_sentence = cache(sentence)


@dataclass(frozen=True, slots=True)
class Spoken:
    """What the recordings together must be.

    Attributes:
        samples: All that was said.
        passed: Which of them passed the gate.
    """

    samples: npt.NDArray[np.int16]
    passed: npt.NDArray[np.bool_]


def speech_of(schedule: Schedule) -> npt.NDArray[np.int16]:
    """The audio. A whisper under it tells samples of the same pause, or of the same sentence, from one another."""
    parts = [silence(schedule.pauses_s[0])]
    for number, pause_s in zip(schedule.sentences, schedule.pauses_s[1:], strict=True):
        parts += [_sentence(number), silence(pause_s)]
    samples = np.concatenate(parts)
    whisper = (np.arange(len(samples)) * 7919) % 65_521 % 9 - 4
    loud: npt.NDArray[np.int16] = np.clip(samples.astype(np.int32) + whisper, -32_768, 32_767).astype(np.int16)
    return loud


def spoken_of(schedule: Schedule) -> Spoken:
    """Run the gate over it, as the client does."""
    samples = speech_of(schedule)
    passed = np.zeros(len(samples), np.bool_)
    detector = choose_detector(schedule.vad).detector
    options = GateOptions(vad=schedule.vad).settings(detector.frame_samples, round(schedule.silence_s * 1000))
    gate = AudioGate(detector, options)
    for output in [*gate.feed(samples.astype("<i2").tobytes()), *gate.flush()]:
        if isinstance(output, Passed):
            passed[output.start : output.start + len(output.pcm) // 2] = True
    return Spoken(samples, passed)
