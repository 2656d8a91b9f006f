"""Audio to feed to a source, and ways to hear it out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from plugandtell.core.audio import SPEECH

if TYPE_CHECKING:
    from plugandtell.client.source import Source

PATIENCE_S = 10.0  # far beyond what each wait takes: it bounds a hang, nothing else

Floats = npt.NDArray[np.float64]


def noise(samples: int, seed: int = 1) -> npt.NDArray[np.int16]:
    return np.random.default_rng(seed).integers(-(2**15), 2**15, samples).astype(np.int16)


def tone(samples: int, rate: int, amplitude: float = 0.5, hz: float = 440) -> Floats:
    return amplitude * np.sin(2 * np.pi * hz * np.arange(samples) / rate)


async def read(source: Source) -> bytes:
    pcm = bytearray()
    await source.open()
    await gather(source, pcm)
    await source.close()
    return bytes(pcm)


async def gather(source: Source, pcm: bytearray) -> None:
    async for chunk in source.chunks():
        assert isinstance(chunk, bytes)
        assert chunk
        assert len(chunk) % SPEECH.bytes_per_sample == 0
        pcm += chunk
