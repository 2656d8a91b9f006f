"""The format of audio, and the arithmetic between samples, bytes and milliseconds.

A *sample* is one instant of all channels, so that a count of samples is a count of time. Milliseconds and seconds
appear only where people set or read them.
"""

from __future__ import annotations

from dataclasses import dataclass

BYTES_PER_VALUE = 2  # pcm_s16le, the one encoding of the protocol


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """Signed 16-bit little-endian PCM, channels interleaved.

    Raises:
        ValueError: `sample_rate` or `channels` is below 1.
    """

    sample_rate: int = 16_000
    channels: int = 1

    def __post_init__(self) -> None:
        if self.sample_rate < 1:
            raise ValueError(f"sample_rate is {self.sample_rate}, but must be at least 1 Hz")
        if self.channels < 1:
            raise ValueError(f"channels is {self.channels}, but must be at least 1")

    @property
    def bytes_per_sample(self) -> int:
        """Size of one sample of all channels."""
        return BYTES_PER_VALUE * self.channels

    def samples_in(self, size_bytes: int) -> int:
        """Whole samples in that many bytes."""
        return size_bytes // self.bytes_per_sample

    def bytes_in(self, samples: int) -> int:
        """Size of that many samples."""
        return samples * self.bytes_per_sample

    def samples_from_s(self, seconds: float) -> int:
        """The nearest whole number of samples."""
        return round(seconds * self.sample_rate)

    def samples_from_ms(self, milliseconds: float) -> int:
        """The nearest whole number of samples."""
        return round(milliseconds * self.sample_rate / 1000)

    def seconds_from(self, samples: int) -> float:
        """Length of that many samples in seconds."""
        return samples / self.sample_rate

    def ms_from(self, samples: int) -> int:
        """Length of that many samples, to the nearest millisecond."""
        return round(samples * 1000 / self.sample_rate)


SPEECH = AudioFormat()
"""What every source is converted to: 16 kHz, mono."""
