"""Labelled speech from freely licensed packages, and calls made of it.

English: the prompts of Asterisk (one woman, Allison Smith; Debian packages asterisk-core-sounds-en-*; the texts are the
`core-sounds-en.txt` of Asterisk's own release) and sentences of LibriVox (Debian's pocketsphinx-testdata, one man).
French: sentences of our own, spoken by the voices that assets/make_calls.py uses, since no labelled French recordings
are in the packages; read the French figures with that in mind.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import soundfile as sf
import soxr

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    Sound = NDArray[np.float32]

RATE = 16_000


@dataclass(frozen=True, slots=True)
class Clip:
    """Something said, and its words."""

    name: str
    language: str
    text: str
    sound: Sound

    @property
    def is_tune(self) -> bool:
        """Whether it is in the half that the settings were chosen on; the other one is reported."""
        return hashlib.sha256(self.name.encode()).digest()[0] % 2 == 0


def load(path: Path) -> Sound:
    """Decode to mono, 16 kHz."""
    frames, rate = sf.read(path, always_2d=True, dtype="float32")
    return np.asarray(soxr.resample(frames.mean(axis=1), rate, RATE), dtype=np.float32)


def librivox(sounds: Path) -> list[Clip]:
    """Sentences of a novel."""
    folder = sounds / "usr/share/pocketsphinx/test/data/librivox"
    found = []
    for line in (folder / "transcription").read_text().splitlines():
        match = re.fullmatch(r"<s> (.*) </s> \((.*)\)", line.strip())
        assert match is not None
        found.append(Clip(match[2], "en", match[1], load(folder / f"{match[2]}.wav")))
    return found


def prompts(sounds: Path, texts: Path, least_words: int) -> list[Clip]:
    """Announcements of a telephone exchange with at least so many words."""
    folder = sounds / "usr/share/asterisk/sounds/en_US_f_Allison"
    found = []
    for line in texts.read_text().splitlines():
        name, _, text = line.partition(": ")
        path = folder / f"{name}.wav"
        if not path.is_file() or re.search(r"[\[(<*#]", text) or len(text.split()) < least_words:
            continue
        found.append(Clip(name, "en", text, _wide_band(path.with_suffix(".g722"))))
    return found


def _wide_band(path: Path) -> Sound:
    from G722 import G722  # noqa: PLC0415  (only the prompts need it)

    return np.asarray(G722(RATE, 64_000).decode(path.read_bytes()), dtype=np.float32) / np.float32(32768)


def synthetic(folder: Path) -> list[Clip]:
    """What make_french.py has spoken: NAME.flac beside NAME.txt."""
    return [
        Clip(path.stem, "fr", path.with_suffix(".txt").read_text().strip(), load(path))
        for path in sorted(folder.glob("*.flac"))
    ]


def telephone(sound: Sound) -> Sound:
    """As a telephone carries it: 300 to 3,400 Hz, 8 kHz, mu-law (ITU-T G.711)."""
    spectrum = np.fft.rfft(soxr.resample(sound, RATE, 8000).astype(np.float64))
    frequencies = np.linspace(0, 4000, len(spectrum))
    spectrum[(frequencies < 300) | (frequencies > 3400)] = 0
    narrow = np.clip(np.fft.irfft(spectrum), -1, 1)
    steps = np.round(np.sign(narrow) * np.log1p(255 * np.abs(narrow)) / np.log(256) * 127) / 127
    decoded = np.sign(steps) * np.expm1(np.abs(steps) * np.log(256)) / 255
    return np.asarray(soxr.resample(decoded, 8000, RATE), dtype=np.float32)


def call_of(clips: list[Clip], seed: int, silence_s: tuple[float, float] = (0.8, 6.0)) -> tuple[Sound, str]:
    """One channel of a call: the clips in random order, with pauses as the other party's turns leave them."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(clips))
    parts: list[Sound] = []
    for index in order:
        pause = round(rng.uniform(*silence_s) * RATE)
        parts += [clips[index].sound, np.zeros(pause, np.float32)]
    sound = np.concatenate(parts)
    noise = rng.standard_normal(len(sound)).astype(np.float32) * np.float32(10 ** (-60 / 20))
    return sound + noise, " ".join(clips[index].text for index in order)
