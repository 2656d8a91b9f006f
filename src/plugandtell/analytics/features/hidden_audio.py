"""A call's audio with pieces of it silent or beeped over: a new WAV file at 16 kHz with the same channels."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from plugandtell.analytics.settings import Cover
from plugandtell.core.audio import SPEECH, AudioFormat
from plugandtell.core.errors import InputTooLong, WriteFailed
from plugandtell.core.wav import MAX_DATA_BYTES, header

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from plugandtell.core.transcript import Span

Samples: TypeAlias = npt.NDArray[np.float32]

_BLOCK_SAMPLES: Final = 60 * SPEECH.sample_rate
_MARGIN_MS: Final = 150
"""How much is hidden before and behind: the times of words are that uncertain."""

_BEEP_HZ: Final = 1_000
_BEEP_PEAK: Final = 0.1
_BEEP_PERIOD: Final = SPEECH.sample_rate // _BEEP_HZ


def write_hidden(channels: Sequence[Samples], spans: Iterable[Span], target: Path, cover: Cover) -> None:
    """Write the channels as a WAV file in which nobody is heard during the spans, nor a little before and after.

    All channels are covered: what one party says, the other often repeats. The file is written under another name
    first, piece by piece: it is whole whenever it is there, and takes little memory however long it is.

    Args:
        channels: One or more of the same length, at 16 kHz and full scale 1.0.
        spans: What to hide, in any order; they may overlap, and reach beyond the end.
        target: The file; one that is there is replaced.
        cover: What is heard instead.

    Raises:
        InputTooLong: It is longer than a WAV file can be.
        WriteFailed: It cannot be written.
    """
    audio = AudioFormat(SPEECH.sample_rate, len(channels))
    samples = len(channels[0])
    data_bytes = audio.bytes_in(samples)
    if data_bytes > MAX_DATA_BYTES:
        raise InputTooLong(str(target), "a WAV file has at most 4 GiB")
    hidden = [_covered(span) for span in spans]
    partial = target.with_name(target.name + ".part")
    try:
        with partial.open("wb") as file:
            file.write(header(audio, data_bytes))
            _write_blocks(file, channels, hidden, cover)
        partial.replace(target)
    except OSError as exc:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        raise WriteFailed(str(target), exc.strerror or str(exc)) from exc


def _covered(span: Span) -> tuple[int, int]:
    """The samples that a span covers, with its margins."""
    start_ms = max(0, span.start_ms - _MARGIN_MS)
    return SPEECH.samples_from_ms(start_ms), SPEECH.samples_from_ms(span.end_ms + _MARGIN_MS)


def _write_blocks(file: BinaryIO, channels: Sequence[Samples], hidden: Sequence[tuple[int, int]], cover: Cover) -> None:
    """Write all samples, a block at a time."""
    for start in range(0, len(channels[0]), _BLOCK_SAMPLES):
        block = np.stack([channel[start : start + _BLOCK_SAMPLES] for channel in channels], axis=1)
        for first, last in hidden:
            begin, end = max(first - start, 0), min(last - start, len(block))
            if begin < end:
                block[begin:end] = _instead(start + begin, end - begin, cover)
        file.write(np.round(np.clip(block, -1.0, 1.0) * 32_767).astype("<i2").tobytes())


def _instead(start: int, samples: int, cover: Cover) -> Samples:
    """What is heard instead, from a sample of the call on, so that a beep goes on smoothly over blocks."""
    if cover is Cover.MUTE:
        return np.zeros((samples, 1), np.float32)
    phase = np.arange(start, start + samples) % _BEEP_PERIOD
    return (_BEEP_PEAK * np.sin(2 * np.pi * phase / _BEEP_PERIOD)).astype(np.float32)[:, None]
