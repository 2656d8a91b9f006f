"""Word error rate, speed and memory of the speech engines, and what they write where nobody speaks.

usage: python evaluate.py [--engine whisper|moonshine] [--half tune|report] --sounds DIR [--texts FILE] [--french DIR]
See README.md for where the sounds come from.
"""

from __future__ import annotations

import argparse
import gc
import re
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from corpus import RATE, Clip, call_of, librivox, load, prompts, synthetic, telephone
from wer import Count, count

from plugandtell.analytics.engines.choice import make_engine
from plugandtell.analytics.settings import DATA_DIR, EngineSettings, SpeechEngine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from corpus import Sound

    from plugandtell.analytics.engines.speech_to_text import SpeechToText

LEAST_WORDS = 5


@dataclass(frozen=True, slots=True)
class Condition:
    """Something to transcribe."""

    name: str
    language: str
    text: str
    sound: Sound


def conditions(options: argparse.Namespace) -> Iterator[Condition]:
    """Each corpus as a call, as it is and as a telephone carries it."""
    corpora: dict[str, list[Clip]] = {"novel": librivox(options.sounds)}
    if options.texts:
        corpora["prompts"] = prompts(options.sounds, options.texts, LEAST_WORDS)
    if options.french:
        corpora["french"] = synthetic(options.french)
    for name, clips in corpora.items():
        half = [clip for clip in clips if clip.is_tune == (options.half == "tune")]
        sound, text = call_of(half, seed=1)
        yield Condition(name, half[0].language, text, sound)
        yield Condition(f"{name} (telephone)", half[0].language, text, telephone(sound))


def measure(engine: SpeechToText, condition: Condition) -> Count:
    """Transcribe a call, and print what came of it."""
    forget_peak()
    began, worked = time.monotonic(), time.process_time()
    heard = engine.transcribe(condition.sound, condition.language, [condition.language])
    took_s, worked_s = time.monotonic() - began, time.process_time() - worked
    text = " ".join(utterance.text for utterance in heard.utterances)
    errors = count(condition.text, text, condition.language)
    length_s = len(condition.sound) / RATE
    print(
        f"| {condition.name} | {length_s:.0f} s | {errors.words} | {100 * errors.rate:.1f} | {length_s / took_s:.1f}"
        f" | {length_s / worked_s:.1f} | {peak_mb():.0f} |",
        flush=True,
    )
    return errors


def forget_peak() -> None:
    """Let the kernel count the most memory anew (Linux only)."""
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def peak_mb() -> float:
    """The most memory that was used since, the sound itself included."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
    assert found is not None
    return int(found[1]) / 1024


def imagined(engine: SpeechToText, sounds: list[Path]) -> None:
    """Print what is written where nobody speaks."""
    for path in sounds:
        sound = load(path) if path.suffix != ".npy" else np.load(path).astype(np.float32)
        heard = engine.transcribe(sound[: 120 * RATE], None, ["en", "fr"])
        words = [utterance.text for utterance in heard.utterances]
        print(f"| {path.stem} | {min(len(sound) / RATE, 120):.0f} s | {' / '.join(words) or '-'} |", flush=True)


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", choices=["whisper", "moonshine"], default="whisper")
    parser.add_argument("--half", choices=["tune", "report"], default="report")
    parser.add_argument("--sounds", type=Path, required=True)
    parser.add_argument("--texts", type=Path)
    parser.add_argument("--french", type=Path)
    parser.add_argument("--noises", type=Path, nargs="*", default=[])
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    engine = make_engine(EngineSettings(speech=SpeechEngine(options.engine), threads=options.threads), DATA_DIR)
    print(f"{engine.engine.name} {engine.engine.version}, half {options.half}", file=sys.stderr)
    print("| corpus | audio | words | WER % | x real time | x real time a core | MB |\n|---|---|---|---|---|---|---|")
    for condition in conditions(options):
        if engine.capabilities.can_hear(condition.language):
            measure(engine, condition)
    imagined(engine, options.noises)


if __name__ == "__main__":
    main()
