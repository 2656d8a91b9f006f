"""From any sample rate and number of channels to `SPEECH`. Nothing else imports soxr."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import soxr

from plugandtell.core.audio import SPEECH

FULL_SCALE = 32_768
"""What a float sample of 1.0 is as 16 bits, the convention of libsndfile and PortAudio."""

Block = npt.NDArray[np.float32]
"""Audio of shape (samples, channels), full scale 1.0."""


class Converter:
    """Averages the channels, then resamples if need be.

    What was 16 kHz, mono and 16-bit before it was float comes out bit for bit. How the input is cut into blocks
    makes no difference to the output.

    Args:
        sample_rate: That of the input.
    """

    def __init__(self, sample_rate: int) -> None:
        self._resampler: soxr.ResampleStream | None = None
        if sample_rate != SPEECH.sample_rate:
            self._resampler = soxr.ResampleStream(sample_rate, SPEECH.sample_rate, 1, dtype="float32", quality="HQ")

    def feed(self, block: Block) -> bytes:
        """Convert the next block. The resampler keeps a little back."""
        mono = block.mean(axis=1, dtype=np.float32)
        # One NaN or infinity would stay in the resampler's memory and spoil everything after it.
        mono = np.nan_to_num(mono, nan=0.0, posinf=1.0, neginf=-1.0)
        return self._convert(mono, last=False)

    def feed_pcm(self, pcm: bytes, channels: int) -> bytes:
        """As `feed`, from 16-bit samples in the byte order of this machine."""
        values = np.frombuffer(pcm, np.int16).reshape(-1, channels)
        return self.feed(np.divide(values, FULL_SCALE, dtype=np.float32))

    def flush(self) -> bytes:
        """What the resampler kept back. Nothing may be fed afterwards."""
        return self._convert(np.empty(0, np.float32), last=True)

    def _convert(self, mono: Block, *, last: bool) -> bytes:
        if self._resampler is not None:
            mono = self._resampler.resample_chunk(mono, last=last)
        scaled = np.rint(mono * FULL_SCALE).clip(-FULL_SCALE, FULL_SCALE - 1)
        return scaled.astype("<i2").tobytes()
