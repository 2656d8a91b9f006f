"""Speech files composed of real clips of one speaker, with pauses placed at known samples.

The halves (of which there are four by now) share no speaker: what is tuned on one is reported on another.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

import numpy as np
import sources
from labels import Label, label
from signals import RATE, Signal, add_at, at_level, faded, generator, samples, telephoned

Half = Literal["tune", "report", "final", "fresh"]
HALVES: tuple[Half, ...] = ("tune", "report", "final", "fresh")
FILES_PER_SPEAKER = 3
MARGIN_S = 0.1  # of the clip's own silence, kept around the labelled speech
SPEECH_LEVEL_DB = -26.0
MAX_TAIL_S = 0.3
_ASTERISK = "asterisk/sounds/{}/*.g722"
_HEDGEWARS = "games/hedgewars/Data/Sounds/voices/{}/*.ogg"
_FILLETS = "games/fillets-ng/sound/*/{}/*-{}-*.ogg"
_STAMPS = "tuxpaint/stamps/**/*_desc_{}.ogg"

# The language and sex are in the names; the two fish of the game are a woman (m) and a man (v).
SPEAKERS: dict[Half, dict[str, str]] = {
    "tune": {
        "en-f": _ASTERISK.format("en_US_f_Allison"),
        "fr-f": _ASTERISK.format("fr_CA_f_June"),
        "cs-f": _FILLETS.format("cs", "m"),
        "cs-m": _FILLETS.format("cs", "v"),
    },
    "report": {
        "es-f": _ASTERISK.format("es_MX_f_Allison"),
        "it-m": _ASTERISK.format("it_IT_m_Carlo"),
        "ru-f": _ASTERISK.format("ru_RU_f_IvrvoiceRU"),
        "nl-f": _FILLETS.format("nl", "m"),
        "nl-m": _FILLETS.format("nl", "v"),
    },
    "final": {
        "it-f": "asterisk/sounds/it_IT_f_Menardi/*.wav",
        "es-f": "asterisk/sounds/es/*.gsm",
        "fr-f": "asterisk/sounds/fr/*.gsm",
        "en-m": "pocketsphinx/test/data/librivox/*.wav",
        "en-surfer": _HEDGEWARS.format("Surfer"),
        "uk-m": _HEDGEWARS.format("Default_uk"),
    },
    "fresh": {
        "ru-m": "festival/voices/russian/msu_ru_nsh_clunits/wav/*.wav",
        "be-f": _STAMPS.format("be"),
        "bg-m": _STAMPS.format("bg"),
        "ca-m": _STAMPS.format("ca"),
        "da-m": _STAMPS.format("da"),
        "el-f": _STAMPS.format("el"),
        "ro-f": _STAMPS.format("ro"),
    },
}


@dataclass(frozen=True, slots=True)
class Bout:
    """Speech without a placed pause, from sample `start` to before `end`; `segment` counts from 0."""

    start: int
    end: int
    segment: int


@dataclass(frozen=True, slots=True)
class SpeechFile:
    """One composed file, with digital silence between the clips."""

    name: str
    speaker: str
    signal: Signal
    bouts: tuple[Bout, ...]

    @property
    def segments(self) -> int:
        """How many recordings it should become."""
        return self.bouts[-1].segment + 1


@cache
def clips(pattern: str) -> list[tuple[Signal, Label]]:
    """The clips of a speaker that are long and clean enough, at most sixty, in a fixed random order."""
    paths = [path for path in sources.files(pattern) if path.stat().st_size > 6000 and "tone" not in path.name]
    generator("clips", pattern).shuffle(paths)  # type: ignore[arg-type]  (a list is a sequence to numpy)
    found: list[tuple[Signal, Label]] = []
    for path in paths:
        clip = sources.load(path)
        found_label = label(clip)
        if found_label is not None and _is_usable(found_label, clip):
            found.append((clip, found_label))
        if len(found) == 60:
            break
    return found


def _is_usable(found: Label, clip: Signal) -> bool:
    long_enough = samples(0.8) <= found.end - found.start <= samples(9)
    dry = found.longest_pause < samples(2.0) and found.tail <= samples(MAX_TAIL_S)
    return long_enough and dry and found.range_db >= 35 and float(np.abs(clip).max()) < 1.0


def speech_files(half: Half) -> list[SpeechFile]:
    """All files of a half, speakers taking turns, so that any few in a row have several speakers."""
    return [
        compose(f"{name}-{index}", name, clips(pattern))
        for index in range(FILES_PER_SPEAKER)
        for name, pattern in SPEAKERS[half].items()
    ]


def telephone_files(half: Half) -> list[SpeechFile]:
    """Files of the same speakers' 8 kHz recordings, brought up to 16 kHz.

    Where a half has none, its first files as a telephone would pass them on.
    """
    if half == "fresh":
        return [replace(file, name=f"{file.name}-8k", signal=telephoned(file.signal)) for file in speech_files(half)]
    return [
        compose(f"{name}-8k-{index}", name, clips(pattern.replace(".g722", ".wav")))
        for index in range(FILES_PER_SPEAKER)
        for name, pattern in SPEAKERS[half].items()
        if pattern.endswith(".g722")
    ]


def compose(name: str, speaker: str, pool: list[tuple[Signal, Label]]) -> SpeechFile:
    """Lay clips out over 30 to 60 s: two to four segments, pauses of 0.3 to 2.7 s in one, 3.5 to 8 s between two."""
    rng = generator("layout", name)
    signal = np.zeros(samples(70))
    bouts: list[Bout] = []
    at = samples(rng.uniform(0.6, 3.5))
    wanted = samples(rng.uniform(30, 46))
    segment = 0
    while at < wanted or segment < 2:
        for _ in range(int(rng.integers(1, 5))):
            clip, found = pool[int(rng.integers(len(pool)))]
            length = found.end - found.start
            if at + length > len(signal) - samples(8):
                break
            _lay(signal, at, clip, found)
            bouts.append(Bout(at, at + length, segment))
            at += length + samples(rng.uniform(0.3, 2.7))
        at = bouts[-1].end + samples(rng.uniform(3.5, 8.0))
        segment += 1
        if at > len(signal) - samples(18):
            break
    end = min(len(signal), bouts[-1].end + samples(rng.uniform(1.0, 6.0)))
    return SpeechFile(name, speaker, at_level(signal[:end], SPEECH_LEVEL_DB), tuple(bouts))


def _lay(signal: Signal, at: int, clip: Signal, found: Label) -> None:
    before = min(found.start, samples(MARGIN_S))
    after = min(len(clip) - found.end, samples(MARGIN_S))
    part = faded(clip[found.start - before : found.end + after], 0.01)
    add_at(signal, at - before, part)


def seconds_in(files: list[SpeechFile]) -> float:
    """Their length altogether."""
    return sum(len(file.signal) for file in files) / RATE
