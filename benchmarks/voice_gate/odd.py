"""Odd life: inputs that no corpus has and every user meets. What happens is written down, not judged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import conditions
import metrics
import numpy as np
import soxr
from corpus import Bout, Half, SpeechFile
from detectors import run
from labels import label
from report import markdown
from signals import RATE, Signal, add_at, at_level, faded, generator, pcm_from, samples, shaped_noise
from sources import files, load
from whisper import whispered

if TYPE_CHECKING:
    from collections.abc import Iterator

MUTED_S = 3600
GAP = samples(5)
_LAUGHS = {
    "tune": ("British", "Default_es", "HillBilly", "Mobster"),
    "report": ("Pirate", "Russian", "Singer", "Default_ru"),
    "final": ("Classic", "Default_pl", "Russian_pl", "Robot"),
    "fresh": ("Default",),
}
_WORDS = {"tune": "ktuberling/sounds/ca/*", "report": "ktuberling/sounds/uk/*", "final": "ktuberling/sounds/sv/*",
          "fresh": "tuxpaint/stamps/**/*_desc_lt.ogg"}  # fmt: skip
# The first two readers have the highest pitch (median over 300 Hz).
_HIGH_VOICES = {"tune": "klettres/pt_BR/*/*", "report": "klettres/tn/*/*", "final": "klettres/it/*/*"}
# "Recorded by various Brazilian school children", says the change log of the package.
_CHILDREN = "tuxpaint/stamps/**/*_desc_pt_BR.wav"


@dataclass(frozen=True, slots=True)
class Oddity:
    """An input, and where speech is in it; none where what counts as speech is open."""

    name: str
    pcm: bytes
    bouts: tuple[Bout, ...]


def table(half: Half, specs: tuple[str, ...]) -> str:
    """What each gate does with each oddity."""
    rows = [(oddity.name, spec, *_row(oddity, spec)) for oddity in oddities(half) for spec in specs]
    head = (
        "input",
        "gate",
        "recordings",
        "expected",
        "onsets clipped or missed",
        "ends cut",
        "speech lost %",
        "sent %",
    )
    return markdown("Odd life", head, rows)


def _row(oddity: Oddity, spec: str) -> tuple[str, ...]:
    done = run(spec, oddity.pcm)
    sent = f"{100 * sum(end - start for start, end in done.sent) / done.samples:.0f}"
    if not oddity.bouts:
        return (str(len(done.segments)), "", "", "", "", sent)
    result = metrics.score(oddity.bouts, done)
    onsets = sum(ms > 0 for ms in result.onset_ms) + result.missed
    lost = 100 * result.lost_samples / result.speech_samples
    ends = sum(ms > 0 for ms in result.end_ms)
    count = len(oddity.bouts)
    return (str(result.recordings), str(result.segments), f"{onsets}/{count}", f"{ends}/{count}", f"{lost:.1f}", sent)


def oddities(half: Half) -> Iterator[Oddity]:
    """All of them, made one at a time."""
    file, other = conditions.speech(half)[:2]
    yield from _levels(half, file)
    yield _muted(file, other)
    room = _room(half, len(file.signal))
    quiet = file.signal + room
    yield Oddity("24 dB too loud, clipped", pcm_from(quiet * 10 ** (24 / 20)), file.bouts)
    yield Oddity("offset of 20 % of full scale", pcm_from(quiet + 0.2), file.bouts)
    yield Oddity("reverberant room, T60 0.8 s", pcm_from(_reverberant(half, file.signal) + room), file.bouts)
    soft = at_level(whispered(generator("breath", half), file.signal), -36)
    yield Oddity("whisper (noise-excited LPC)", pcm_from(soft + room), file.bouts)
    yield _childlike(half, file)
    yield Oddity("single words, quiet room", *_words(_WORDS[half], half))
    if half == "fresh":
        yield Oddity("single words by school children, quiet room", *_words(_CHILDREN, half))
    else:
        yield Oddity("single letters and syllables, quiet room", *_words(_HIGH_VOICES[half], half))
    yield Oddity("laughter only", pcm_from(_laughter(half)), ())
    yield Oddity("speech from the first sample on", *_abrupt(file))


def _levels(half: Half, file: SpeechFile) -> Iterator[Oddity]:
    room = _room(half, len(file.signal))
    quiet = file.signal + room
    yield Oddity("as recorded, quiet room", pcm_from(quiet), file.bouts)
    for level in (-40, -50, -60):
        yield Oddity(f"spoken at {level} dBFS, quiet room", pcm_from(at_level(file.signal, level) + room), file.bouts)
    yield Oddity("20 dB louder from the middle on", pcm_from(_jump(quiet, -30, -10)), file.bouts)
    yield Oddity("20 dB softer from the middle on", pcm_from(_jump(quiet, -6, -26)), file.bouts)
    noise = shaped_noise(generator("jump", half), len(quiet), 20, 8000, 3)
    noise[: len(noise) // 2] *= 0.1
    yield Oddity("pink noise jumps from -66 to -46 dBFS", pcm_from(file.signal + noise * 10 ** (-46 / 20)), file.bouts)


def _room(half: Half, length: int) -> Signal:
    return shaped_noise(generator("room", half), length, 20, 8000) * 10 ** (conditions.HISS_DB / 20)


def _jump(signal: Signal, first_db: float, second_db: float) -> Signal:
    out = signal.copy()
    middle = len(out) // 2
    out[:middle] *= 10 ** ((first_db + 26) / 20)
    out[middle:] *= 10 ** ((second_db + 26) / 20)
    return out


def _muted(file: SpeechFile, other: SpeechFile) -> Oddity:
    """Speech, an hour of digital zeros, speech."""
    later = len(file.signal) + samples(MUTED_S)
    pcm = pcm_from(file.signal) + bytes(2 * samples(MUTED_S)) + pcm_from(other.signal)
    moved = (Bout(bout.start + later, bout.end + later, bout.segment + file.segments) for bout in other.bouts)
    return Oddity("an hour of zeros between two talks", pcm, (*file.bouts, *moved))


def _abrupt(file: SpeechFile) -> tuple[bytes, tuple[Bout, ...]]:
    """The first sample ever heard is speech."""
    first = file.bouts[0].start
    bouts = tuple(Bout(bout.start - first, bout.end - first, bout.segment) for bout in file.bouts)
    return pcm_from(file.signal[first:]), bouts


def _reverberant(half: Half, signal: Signal) -> Signal:
    """Convolved with decaying noise, the direct sound 3 dB above the sum of the rest."""
    length = samples(0.8)
    tail = shaped_noise(generator("room response", half), length, 100, 6000, 1) * 10 ** (
        -3 * np.arange(length) / length
    )
    response = 0.7 * tail / np.sqrt(np.sum(tail**2))
    response[0] += 1
    size = 1 << (len(signal) + length).bit_length()
    wet = np.fft.irfft(np.fft.rfft(signal, size) * np.fft.rfft(response, size), size)[: len(signal)]
    return at_level(wet, -26)


def _childlike(half: Half, file: SpeechFile) -> Oddity:
    """Pitch and formants up by a third by playing it faster: the size of a child's throat, not the way it speaks."""
    factor = 1.35
    fast = np.asarray(soxr.resample(file.signal, RATE * factor, RATE))
    bouts = (Bout(round(bout.start / factor), round(bout.end / factor), bout.segment) for bout in file.bouts)
    kept = tuple(bout for bout in bouts if bout.segment == 0)  # the pauses shrank: only the first segment is sure
    out = fast[: kept[-1].end + samples(1)]
    return Oddity("child-like (played 1.35 times as fast)", pcm_from(out + _room(half, len(out))), kept)


def _words(pattern: str, half: Half) -> tuple[bytes, tuple[Bout, ...]]:
    """Forty words, each five seconds after the one before: so many recordings are expected."""
    clips = [(clip, label(clip)) for clip in map(load, files(pattern)[:60])]
    words = [faded(clip[found.start : found.end]) for clip, found in clips if found and found.longest_pause < GAP // 9]
    signal, starts = _strung(words[:40], half)
    bouts = (Bout(at, at + len(word), number) for number, (at, word) in enumerate(zip(starts, words, strict=False)))
    return pcm_from(signal), tuple(bouts)


def _laughter(half: Half) -> Signal:
    names = [f"games/hedgewars/Data/Sounds/voices/{name}/Laugh.ogg" for name in _LAUGHS[half]]
    return _strung([faded(load(path)) for name in names for path in files(name)], half)[0]


def _strung(sounds: list[Signal], half: Half) -> tuple[Signal, list[int]]:
    """Each after five seconds of a quiet room; and where each begins."""
    out = _room(half, GAP + sum(len(sound) + GAP for sound in sounds))
    starts = []
    at = GAP
    for sound in sounds:
        starts.append(at)
        add_at(out, at, at_level(sound, -26))
        at += len(sound) + GAP
    return out, starts
