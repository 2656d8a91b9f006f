"""Audio files in whatever format, with a tone in each channel to know it by."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import soundfile

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt
    from av.container import OutputContainer

    from plugandtell.analytics.decoding import Samples

LOUDNESS = 0.5


def tones(seconds: float, rate: int, *frequencies_hz: float) -> Samples:
    """Sines of shape (samples, channels), a channel for each frequency; 0 is silence."""
    times = np.arange(round(seconds * rate)) / rate
    sines = [LOUDNESS * np.sin(2 * np.pi * frequency * times) for frequency in frequencies_hz]
    return np.stack(sines, axis=1).astype(np.float32)


def heard_hz(channel: npt.NDArray[np.float32], rate: int = 16_000) -> float:
    """The strongest frequency."""
    spectrum = np.abs(np.fft.rfft(channel * np.hanning(len(channel))))
    return float(np.argmax(spectrum) * rate / len(channel))


def write(path: Path, samples: Samples, rate: int, subtype: str | None = None) -> Path:
    """Write a WAV, FLAC, OGG or MP3 file, by the ending of its name."""
    soundfile.write(path, samples, rate, subtype=subtype)
    return path


def encode(path: Path, samples: Samples, rate: int, codec: str | None, *, pictures: int = 0) -> Path:
    """Write a file of any format and codec, with that many black pictures beside the sound; no codec, no sound."""
    with av.open(str(path), "w") as container:
        sound, film = None, container.add_stream("mpeg4", 25) if pictures else None
        if codec is not None:
            sound = container.add_stream(codec, rate, layout="mono" if samples.shape[1] == 1 else "stereo")
        if film is not None:
            _show_black(container, film, pictures)
        if sound is not None:
            _play(container, sound, samples)
    return path


def _show_black(container: OutputContainer, film: Any, pictures: int) -> None:
    film.width = film.height = 16
    film.pix_fmt = "yuv420p"
    for number in range(pictures):
        picture = av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8), format="rgb24")
        picture.pts, picture.time_base = number, Fraction(1, 25)
        container.mux(film.encode(picture))
    container.mux(film.encode(None))


def _play(container: OutputContainer, sound: Any, samples: Samples) -> None:
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples.reshape(1, -1)), "flt", sound.layout.name)
    frame.sample_rate, frame.pts = sound.rate, 0
    resampler = av.AudioResampler(sound.format, sound.layout, sound.rate, sound.codec_context.frame_size or None)
    for piece in (*resampler.resample(frame), *resampler.resample(None)):
        container.mux(sound.encode(piece))
    container.mux(sound.encode(None))
