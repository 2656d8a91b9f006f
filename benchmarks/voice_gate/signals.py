"""Arithmetic on mono 16 kHz signals: float64 arrays where 1.0 is full scale."""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray

RATE = 16_000
FRAME = RATE // 50  # 20 ms
ACTIVE_RANGE_DB = 25.0
FLOOR_DB = -120.0

Signal = NDArray[np.float64]


def samples(seconds: float) -> int:
    """The nearest whole number of samples."""
    return round(seconds * RATE)


def generator(*names: object) -> np.random.Generator:
    """Random numbers that depend on the names alone, in every process and on every machine."""
    return np.random.default_rng(zlib.crc32("/".join(map(str, names)).encode()))


def decibels(ratio: float) -> float:
    """20 log10, with a floor instead of minus infinity."""
    return 20 * np.log10(ratio) if ratio > 10 ** (FLOOR_DB / 20) else FLOOR_DB


def frame_levels_db(signal: Signal, frame: int = FRAME) -> Signal:
    """RMS level of each whole frame in dBFS."""
    frames = signal[: len(signal) // frame * frame].reshape(-1, frame)
    power = np.maximum(np.mean(frames**2, axis=1), 10 ** (FLOOR_DB / 10))
    return np.asarray(10 * np.log10(power))


def active_level_db(signal: Signal) -> float:
    """RMS level over the frames within `ACTIVE_RANGE_DB` of the loudest one.

    So pauses between words, or between key clicks, do not count: the ratio of two such levels is the SNR used here.
    """
    levels = frame_levels_db(signal)
    active = levels[levels >= levels.max() - ACTIVE_RANGE_DB]
    return float(10 * np.log10(np.mean(10 ** (active / 10))))


def at_level(signal: Signal, level_db: float) -> Signal:
    """Scaled to that active level; silence stays silence."""
    now = active_level_db(signal)
    return signal if now <= FLOOR_DB else signal * 10 ** ((level_db - now) / 20)


def shaped_noise(rng: np.random.Generator, length: int, low_hz: float, high_hz: float, slope_db: float = 0.0) -> Signal:
    """Gaussian noise in a band, falling by `slope_db` an octave (3 is pink, 6 is brown)."""
    size = 1 << (length - 1).bit_length()
    spectrum = np.fft.rfft(rng.standard_normal(size))
    hertz = np.fft.rfftfreq(size, 1 / RATE)
    gain = np.zeros_like(hertz)
    band = (hertz >= low_hz) & (hertz <= high_hz) & (hertz > 0)
    gain[band] = (hertz[band] / 100) ** (-slope_db / 6.0206)
    noise = np.fft.irfft(spectrum * gain, size)[:length]
    return np.asarray(noise / np.sqrt(np.mean(noise**2)))


def band_pass(signal: Signal, low_hz: float, high_hz: float) -> Signal:
    """Without what lies outside the band."""
    spectrum = np.fft.rfft(signal)
    hertz = np.fft.rfftfreq(len(signal), 1 / RATE)
    spectrum[(hertz < low_hz) | (hertz > high_hz)] = 0
    return np.fft.irfft(spectrum, len(signal))


def telephoned(signal: Signal) -> Signal:
    """Through a telephone: 300 to 3400 Hz, and the 8 bits of G.711 (mu-law, as a formula)."""
    narrow = np.clip(band_pass(signal, 300, 3400), -1, 1)
    companded = np.sign(narrow) * np.log1p(255 * np.abs(narrow)) / np.log1p(255)
    stepped = np.round(companded * 127) / 127
    return np.asarray(np.sign(stepped) * np.expm1(np.abs(stepped) * np.log1p(255)) / 255)


def faded(signal: Signal, seconds: float = 0.005) -> Signal:
    """With short ramps at both ends, so that a cut makes no click."""
    count = min(samples(seconds), len(signal) // 2)
    out = signal.copy()
    if count:
        ramp = np.linspace(0, 1, count)
        out[:count] *= ramp
        out[-count:] *= ramp[::-1]
    return out


def looped(signal: Signal, length: int) -> Signal:
    """Repeated or cut to that length."""
    return np.tile(signal, -(-length // len(signal)))[:length]


def add_at(target: Signal, index: int, sound: Signal) -> None:
    """Mix a sound in; what would lie past the end is left out."""
    part = sound[: max(0, len(target) - index)]
    target[index : index + len(part)] += part


def pcm_from(signal: Signal) -> bytes:
    """Signed 16-bit little-endian; what exceeds full scale is clipped."""
    return np.clip(np.round(signal * 32768), -32768, 32767).astype("<i2").tobytes()
