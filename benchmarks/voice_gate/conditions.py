"""The files to judge: speech under every kind of noise, and noise alone. All of it follows from the half's name."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import noise
import numpy as np
import sources
from corpus import SPEECH_LEVEL_DB, Bout, Half, SpeechFile, speech_files, telephone_files
from signals import RATE, Signal, active_level_db, at_level, generator, pcm_from, samples, shaped_noise

import recordings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

KINDS = (*noise.MAKERS, *recordings.KINDS)
SNRS_DB = (20, 10, 5)
LEVELS_DB = (-50, -40, -30)
HISS_DB = -65.0
BED_S = {"tune": 600, "report": 600, "final": 1080, "fresh": 1080}
FILES_PER_CELL = 4
QUICK_FILES_PER_CELL = 2
QUICK_NOISE_S = 60


@dataclass(frozen=True, slots=True)
class Case:
    """A file to make and judge: speech file number `file` (None: noise alone) in that noise at that SNR or level."""

    half: Half
    kind: str
    level_db: int | None
    file: int | None
    first_s: int = 0
    seconds: int = 0


@cache
def speech(half: Half) -> list[SpeechFile]:
    """The wide-band files of a half."""
    return speech_files(half)


@cache
def telephone(half: Half) -> list[SpeechFile]:
    """The telephone files of a half."""
    return telephone_files(half)


def prepare(half: Half) -> None:
    """Make what the cases need and keep it in memory, so that forked processes share it."""
    sources.fetch_packages()
    speech(half)
    telephone(half)
    for kind in KINDS:
        _bed(kind, half)


def speech_cases(half: Half, *, quick: bool = False) -> Iterator[Case]:
    """Clean, hiss and telephone with all files; each noise at each SNR with a few files, other ones in each cell."""
    for index in range(len(speech(half))):
        yield Case(half, "clean", None, index)
        if not quick:
            yield Case(half, "hiss", None, index)
    if not quick:
        yield from (Case(half, "telephone", None, index) for index in range(len(telephone(half))))
    count = QUICK_FILES_PER_CELL if quick else FILES_PER_CELL
    for turn, kind in enumerate(KINDS):
        for step, snr in enumerate((10,) if quick else SNRS_DB):
            first = (turn + step) * count  # so that no level always falls on the same files
            for index in range(first, first + count):
                yield Case(half, kind, snr, index % len(speech(half)))


def noise_cases(half: Half, *, quick: bool = False) -> Iterator[Case]:
    """All of each kind there is, a third of it at each level, and of a quiet room."""
    seconds = QUICK_NOISE_S if quick else BED_S[half] // len(LEVELS_DB)
    for kind in ("hiss", *KINDS):
        for number, level in enumerate((-40,) if quick else LEVELS_DB):
            yield Case(half, kind, None if kind == "hiss" else level, None, number * seconds, seconds)


def speaker(case: Case) -> str:
    """Who speaks in it; nobody in noise alone."""
    if case.file is None:
        return ""
    return (telephone if case.kind == "telephone" else speech)(case.half)[case.file].speaker


def make(case: Case) -> tuple[bytes, tuple[Bout, ...]]:
    """The PCM of a case, and its speech."""
    if case.file is None:
        first = samples(case.first_s)
        signal = _hiss(case, samples(case.seconds))
        if case.level_db is not None:
            signal += _scaled(_bed(case.kind, case.half)[first : first + len(signal)], case.level_db)
        return pcm_from(signal), ()
    file = (telephone if case.kind == "telephone" else speech)(case.half)[case.file]
    signal = file.signal if case.kind == "clean" else file.signal + _hiss(case, len(file.signal))
    if case.level_db is not None:
        bed = _bed(case.kind, case.half)
        first = int(generator(case).integers(len(bed) - len(signal)))
        signal = signal + _scaled(bed[first : first + len(signal)], SPEECH_LEVEL_DB - case.level_db)
    peak = float(np.abs(signal).max())
    return pcm_from(signal / max(1.0, peak)), file.bouts


def _scaled(part: NDArray[np.float32], level_db: float) -> Signal:
    return at_level(part.astype(np.float64), level_db)


def _hiss(case: Case, length: int) -> Signal:
    return shaped_noise(generator("hiss", case), length, 20, 8000) * 10 ** (HISS_DB / 20)


@cache
def _bed(kind: str, half: Half) -> NDArray[np.float32]:
    """That noise, as long as the half wants it, kept on disk; float32 to save memory."""
    path = sources.CACHE / "beds" / f"{kind}-{half}.npy"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        maker = noise.bed if kind in noise.MAKERS else recordings.bed
        made = maker(kind, half, BED_S[half] * RATE)
        level = active_level_db(made)
        np.save(path, (made * 10 ** ((-26 - level) / 20)).astype(np.float32))
    return np.asarray(np.load(path, mmap_mode="r"))
