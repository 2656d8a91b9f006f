"""Noise made of real recordings: music, machines, household signals, and babble of speakers not in the corpus."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import sources
from labels import label
from signals import Signal, add_at, at_level, faded, generator, looped, samples

if TYPE_CHECKING:
    from corpus import Half

TALKERS = 8
_MUSIC = {
    "tune": ("games/colobot/music/music0*.ogg", "asterisk/moh/macroform-*.g722"),
    "report": ("games/fillets-ng/music/rybky*.ogg", "asterisk/moh/[!m]*.g722", "asterisk/moh/manolo*.g722"),
    "final": ("games/etr/music/*.ogg", "games/frozen-bubble/snd/*zik*.ogg", "games/lincity-ng/music/default/*.ogg"),
    "fresh": ("games/pathological/music/*.ogg", "games/asc/music/*.mp3", "tuxmath/sounds/*.ogg"),
}
_MACHINES = (
    "loop_3d_printer", "ambi_sauna", "ambi_haunted_hum", "ambi_glass_hum", "ambi_drone", "ambi_dark_woosh",
    "ambi_swoosh", "vinyl_hiss", "vinyl_rewind", "vinyl_scratch", "loop_industrial", "loop_safari",
)  # fmt: skip
# Of a game of a city only what has no people in it.
_ENGINES = (
    "searchandrescue/sounds/helicopter", "searchandrescue/sounds/jet", "searchandrescue/sounds/thunder",
    "searchandrescue/sounds/land", "searchandrescue/sounds/flap", "lincity-ng/sounds/Blacksmith",
    "lincity-ng/sounds/CoalMine", "lincity-ng/sounds/Mill", "lincity-ng/sounds/RailTrain", "lincity-ng/sounds/Recycle",
    "lincity-ng/sounds/Fire", "lincity-ng/sounds/Industry", "lincity-ng/sounds/OreMine", "lincity-ng/sounds/Power",
)  # fmt: skip
# Of the same game's cities, radio and television nothing: people speak there.
_AMBIENCE = (
    "ambience/alien-generator", "ambience/alien-ventilation", "ambience/alienmachinery", "ambience/alienpower",
    "ambience/alienenergy", "ambience/arcticwind", "ambience/cricket", "ambience/engine", "ambience/fire",
    "ambience/hum", "ambience/lights", "ambience/machine", "ambience/minepump", "ambience/smallfire", "ambience/steam",
    "ambience/thunder", "ambience/tv_static", "ambience/water", "ambience/wind_turbine", "ugv/",
)  # fmt: skip
_SIGNALS = {
    "tune": ("sounds/freedesktop/stereo/[!a]*.oga", "sounds/freedesktop/stereo/alarm*.oga"),
    "report": ("sounds/Oxygen-*.ogg", "games/colobot/sounds/*.wav"),
    "final": ("sounds/deepin/stereo/*.wav", "sounds/Yaru/stereo/*.oga", "sounds/sound-icons/*.wav"),
    "fresh": (
        "games/pathological/sounds/*.wav",
        "games/ri-li/Ri-li/Sounds/*.wav",
        "blinken/sounds/*.wav",
        "tuxmath/sounds/[!c]*.wav",  # in one that begins with c, people cheer
        "ufoai/sound/doors/*.ogg",
        "ufoai/sound/misc/[!t]*.ogg",
    ),
}
# Letters, syllables and words read aloud; none of these people speaks in the corpus.
_CROWD = {
    "tune": ("klettres/en/*/*", "klettres/hu/*/*", "klettres/da/*/*", "klettres/fr/*/*", "klettres/de/*/*",
             "klettres/pt_BR/*/*", "ktuberling/sounds/ca/*", "ktuberling/sounds/lt/*", "ktuberling/sounds/sl/*"),
    "report": ("klettres/en_GB/*/*", "klettres/he/*/*", "klettres/uk/*/*", "klettres/ar/*/*", "klettres/nb/*/*",
               "ktuberling/sounds/ru/*", "ktuberling/sounds/el/*", "ktuberling/sounds/wa/*", "ktuberling/sounds/uk/*"),
    "final": ("klettres/es/*/*", "klettres/lt/*/*", "klettres/nds/*/*", "klettres/nl/*/*", "klettres/ru/*/*",
              "ktuberling/sounds/fi/*", "ktuberling/sounds/fr/*", "ktuberling/sounds/de/*", "ktuberling/sounds/en/*"),
    "fresh": ("klettres/cs/*/*", "klettres/ml/*/*", "ktuberling/sounds/gl/*", "ktuberling/sounds/nn/*",
              "gcin-voice/ogg/*/3.ogg", "gcin-voice/ogg/*/5.ogg", "tuxpaint/stamps/**/*_desc_fr.ogg",
              "tuxpaint/stamps/**/*_desc_es.ogg"),
}  # fmt: skip
KINDS = ("music", "machines", "signals", "babble")


def bed(kind: str, half: Half, length: int, take: int = 0) -> Signal:
    """So much of it, at no particular level."""
    rng = generator("recording", kind, half, take)
    if kind == "babble":
        return _babble(rng, half, length)
    pool = _pool(kind, half)
    pause_s = 2.0 if kind == "signals" else 0.0
    return _strung(rng, pool, length, pause_s)


@cache
def _pool(kind: str, half: Half) -> list[Signal]:
    sounds = [sources.load(path) for path in _paths(kind, half)]
    if kind == "machines" and half == "report":
        (container,) = sources.files("games/openttd/baseset/opensfx/opensfx.cat")
        sounds = [sound for sound in sources.waves_in(container) if len(sound) > samples(0.7)]
    return [at_level(sound, -26) for sound in sounds if len(sound) > samples(0.05) and np.abs(sound).max() > 0.001]


def _paths(kind: str, half: Half) -> list[sources.Path]:
    if kind == "machines" and half == "final":
        return [path for name in _ENGINES for path in sources.files(f"games/{name}*.wav")]
    if kind == "machines" and half == "fresh":
        return [path for name in _AMBIENCE for path in sources.files(f"ufoai/sound/{name}*.ogg")]
    if kind == "machines":
        return [path for name in _MACHINES for path in sources.files(f"sonic-pi/samples/{name}.flac")]
    patterns = (_MUSIC if kind == "music" else _SIGNALS)[half]
    return [path for pattern in patterns for path in sources.files(pattern)]


def _strung(rng: np.random.Generator, pool: list[Signal], length: int, pause_s: float) -> Signal:
    """One after another in random order, each for at most half a minute; short ones several times in a row."""
    out = np.zeros(length)
    at = 0
    while at < length:
        sound = pool[int(rng.integers(len(pool)))]
        if not pause_s:
            sound = looped(sound, max(len(sound), samples(8)))
        first = int(rng.integers(max(1, len(sound) - samples(30))))
        part = faded(sound[first : first + samples(30)], 0.02)
        add_at(out, at, part)
        at += len(part) + samples(rng.uniform(0.3, 2) * pause_s)
    return out


@cache
def _voices(half: Half) -> list[list[Signal]]:
    """The words of each talker, cut to the speech."""
    talkers = []
    for pattern in _CROWD[half]:
        paths = sources.files(pattern)[::2][:40]
        words = [(clip, label(clip)) for clip in map(sources.load, paths)]
        cut = [at_level(faded(clip[found.start : found.end]), -26) for clip, found in words if found is not None]
        if len(cut) >= 10:
            talkers.append(cut)
    return talkers


def _babble(rng: np.random.Generator, half: Half, length: int) -> Signal:
    out = np.zeros(length)
    voices = _voices(half)
    for talker in range(TALKERS):
        words = voices[talker % len(voices)]
        strength = rng.uniform(0.5, 1.0)
        at = 0
        while at < length:
            word = words[int(rng.integers(len(words)))]
            add_at(out, at, strength * word)
            at += len(word) + samples(rng.exponential(0.12))
    return out
