"""Synthesised noise of many kinds. Each half has its own seeds and its own parameters."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import sources
from corpus import Half
from signals import RATE, Signal, add_at, at_level, faded, generator, samples, shaped_noise

Maker = Callable[[np.random.Generator, int, Half], Signal]


def bed(kind: str, half: Half, length: int, take: int = 0) -> Signal:
    """So much noise of that kind, at no particular level."""
    return MAKERS[kind](generator("noise", kind, half, take), length, half)


def _time(length: int) -> Signal:
    return np.arange(length) / RATE


def _white(rng: np.random.Generator, length: int, _half: Half) -> Signal:
    return shaped_noise(rng, length, 20, 8000)


def _pink(rng: np.random.Generator, length: int, _half: Half) -> Signal:
    return shaped_noise(rng, length, 20, 8000, 3)


def _brown(rng: np.random.Generator, length: int, _half: Half) -> Signal:
    return shaped_noise(rng, length, 20, 8000, 6)


def _hum(rng: np.random.Generator, length: int, half: Half) -> Signal:
    """Mains with harmonics, drifting a little, over faint hiss."""
    mains = {"tune": 50.0, "report": 60.0, "final": 50.0, "fresh": 60.0}[half]
    drift = np.cumsum(shaped_noise(rng, length, 0.05, 2)) * 0.02 / RATE
    phase = 2 * np.pi * (mains * _time(length) + drift)
    out = 0.01 * shaped_noise(rng, length, 20, 8000)
    for harmonic in range(1, 16):
        strength = rng.uniform(0.3, 1.0) / harmonic ** rng.uniform(0.6, 1.2)
        out += strength * np.sin(harmonic * phase + rng.uniform(0, 2 * np.pi))
    return out


def _decay(length: int, seconds: float) -> Signal:
    return np.exp(-_time(length) / seconds)


def _key(rng: np.random.Generator, half: Half) -> Signal:
    """Down stroke, bottoming out, release; each a resonating burst of noise."""
    out = np.zeros(samples(0.22))
    tuned, reported, wide = rng.uniform(1500, 3000), rng.uniform(900, 2200), rng.uniform(700, 3500)
    body_hz = {"tune": tuned, "report": reported, "final": wide, "fresh": 0.8 * wide}[half]
    release_s = rng.uniform(0.06, 0.14)
    for at_s, strength, decay_s in ((0.0, 0.5, 0.003), (rng.uniform(0.008, 0.02), 1.0, 0.007), (release_s, 0.5, 0.005)):
        length = samples(0.05)
        burst = shaped_noise(rng, length, 300, 7500, 1) * _decay(length, decay_s)
        ring = np.sin(2 * np.pi * body_hz * _time(length)) * _decay(length, decay_s * 2)
        thump = np.sin(2 * np.pi * rng.uniform(90, 200) * _time(length)) * _decay(length, 0.012)
        add_at(out, samples(at_s), strength * (burst + 0.7 * ring + 0.5 * thump))
    return out


def _recorded_keys() -> list[Signal]:
    """Up and down strokes of a real keyboard with buckling springs."""
    found = [sources.load(path) for path in sources.files("buckle/wav/*.wav")]
    return [at_level(key, -26) for key in found if np.abs(key).max() > 0.001]


def _keyboard(rng: np.random.Generator, length: int, half: Half) -> Signal:
    """Words of 2 to 9 keys at 4 to 10 keys a second, thinking pauses between them, over faint hiss."""
    out = 0.003 * shaped_noise(rng, length, 20, 8000, 3)
    keys = _recorded_keys() if half == "final" else [_key(rng, half) for _ in range(24)]
    at = 0
    while at < length:
        speed = rng.uniform(4, 10)
        for _ in range(int(rng.integers(2, 10))):
            add_at(out, at, keys[int(rng.integers(len(keys)))] * rng.uniform(0.4, 1.0))
            at += samples(rng.gamma(6, 1 / (6 * speed)))
        at += samples(rng.uniform(0.1, 0.4) if rng.random() < 0.8 else rng.uniform(1, 4))
    return out


def _chords(rng: np.random.Generator, length: int, half: Half) -> Signal:
    """Plucked or bowed chords in progressions, with a bass."""
    out = np.zeros(length)
    root = {"tune": 220.0, "report": 196.0, "final": 246.9, "fresh": 174.6}[half]
    at = 0
    while at < length:
        hold = samples(rng.uniform(0.4, 1.6))
        note = root * 2 ** (rng.choice([0, 5, 7, 9, -3, 2]) / 12)
        plucked = rng.random() < 0.6
        for step in (-12, 0, rng.choice([3, 4]), 7, 12):
            tone = _tone(rng, note * 2 ** (step / 12), hold, plucked=plucked)
            add_at(out, at, tone)
        at += hold
    return out


def _tone(rng: np.random.Generator, hertz: float, length: int, *, plucked: bool) -> Signal:
    time = _time(length)
    vibrato = 0.0 if plucked else 0.004 * np.sin(2 * np.pi * 5 * time) / 5
    phase = 2 * np.pi * hertz * (time + vibrato)
    out = np.zeros(length)
    for harmonic in range(1, 9):
        if harmonic * hertz < 7500:
            out += np.sin(harmonic * phase + rng.uniform(0, 6)) / harmonic ** (1.2 if plucked else 1.6)
    return faded(out * (_decay(length, 0.5) if plucked else 1.0), 0.01 if plucked else 0.08)


def _wind(rng: np.random.Generator, length: int, half: Half) -> Signal:
    """Rumble that gusts over seconds and flutters several times a second, with some whistle at the top of a gust."""
    gust = np.clip(1 + 1.2 * shaped_noise(rng, length, 0.03, 0.4), 0.05, None) ** 2
    flutter = np.clip(1 + 0.5 * shaped_noise(rng, length, 2, 9), 0.1, None)
    cut_hz, whistle = {
        "tune": (220, (500, 900)),
        "report": (400, (700, 1500)),
        "final": (300, (400, 1200)),
        "fresh": (350, (600, 1000)),
    }[half]
    rumble = shaped_noise(rng, length, 25, cut_hz, 2)
    return rumble * gust * flutter + 0.01 * shaped_noise(rng, length, *whistle) * gust**1.5


def _clicks(rng: np.random.Generator, length: int, _half: Half) -> Signal:
    """Single clicks: mouse buttons, pens, pops in the line, half a second to six seconds apart."""
    out = 0.003 * shaped_noise(rng, length, 20, 8000)
    at = 0
    while at < length:
        size = samples(0.03)
        click = shaped_noise(rng, size, rng.uniform(100, 1500), 7800) * _decay(size, rng.uniform(0.0004, 0.006))
        strength = rng.uniform(0.4, 1.0)
        add_at(out, at, strength * click)
        if rng.random() < 0.5:  # the button comes up again
            add_at(out, at + samples(rng.uniform(0.07, 0.15)), 0.7 * strength * click)
        at += samples(rng.uniform(0.5, 6))
    return out


def _door(rng: np.random.Generator, length: int, half: Half) -> Signal:
    """Latch, thump of the leaf, rattle, a short room; sometimes the hinge creaks first. 3 to 15 s apart."""
    out = 0.001 * shaped_noise(rng, length, 20, 8000, 3)
    at = samples(1)
    while at < length:
        if rng.random() < 0.4:
            add_at(out, at, 0.15 * _creak(rng, half))
            at += samples(rng.uniform(0.6, 1.2))
        add_at(out, at, _slam(rng))
        at += samples(rng.uniform(3, 15))
    return out


def _slam(rng: np.random.Generator) -> Signal:
    out = np.zeros(samples(1.2))
    latch = shaped_noise(rng, samples(0.05), 800, 6000) * _decay(samples(0.05), 0.006)
    add_at(out, 0, 0.4 * latch)
    size = samples(0.9)
    for hertz in rng.uniform(45, 260, 5):
        add_at(out, samples(0.06), np.sin(2 * np.pi * hertz * _time(size)) * _decay(size, rng.uniform(0.05, 0.18)))
    room = shaped_noise(rng, size, 80, 3000, 3) * _decay(size, 0.15)
    add_at(out, samples(0.06), 0.6 * room)
    for index in range(int(rng.integers(2, 7))):
        add_at(out, samples(0.1 + index * rng.uniform(0.03, 0.06)), latch * 0.5**index)
    return out


def _creak(rng: np.random.Generator, half: Half) -> Signal:
    """Stick-slip: a train of pulses at a gliding rate through two resonances, much like a voice."""
    length = samples(rng.uniform(0.3, 0.9))
    rate_hz = np.linspace(*rng.uniform(60, 260, 2), length)
    pulses = np.diff(np.floor(np.cumsum(rate_hz) / RATE), prepend=0.0)
    ring = samples(0.02)
    low, high = {"tune": (900, 2400), "report": (600, 3100), "final": (750, 2700), "fresh": (680, 2200)}[half]
    body = sum(np.sin(2 * np.pi * hertz * _time(ring)) for hertz in (low, high)) * _decay(ring, 0.004)
    return faded(np.convolve(pulses, body)[:length], 0.03)


def _fan(rng: np.random.Generator, length: int, half: Half) -> Signal:
    """A fan that starts, runs for 20 to 60 s and stops: broadband with a tone that climbs with the speed."""
    out = np.zeros(length)
    at = samples(rng.uniform(1, 4))
    blade_hz = {"tune": 180.0, "report": 120.0, "final": 150.0, "fresh": 205.0}[half]
    while at < length:
        run = samples(rng.uniform(20, 60))
        ramp = samples(rng.uniform(1, 4))
        speed = np.minimum(1, np.minimum(np.arange(run), np.arange(run)[::-1]) / ramp)
        phase = 2 * np.pi * np.cumsum(blade_hz * speed) / RATE
        tone = sum(np.sin(harmonic * phase) / harmonic for harmonic in range(1, 6))
        air = shaped_noise(rng, run, 40, 5000, 2)
        add_at(out, at, (air + 0.4 * tone) * speed**2)
        at += run + samples(rng.uniform(3, 12))
    return out + 0.001 * shaped_noise(rng, length, 20, 8000)


MAKERS: dict[str, Maker] = {
    "white": _white,
    "pink": _pink,
    "brown": _brown,
    "hum": _hum,
    "keyboard": _keyboard,
    "chords": _chords,
    "wind": _wind,
    "clicks": _clicks,
    "door": _door,
    "fan": _fan,
}
