"""FLAC out of a finished WAV part, proven to hold the same samples. Nothing else here imports soundfile.

The module is imported when FLAC is wanted: loading libsndfile takes a tenth of a second and some memory.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import soundfile

from plugandtell.core import wav

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from io import FileIO
    from pathlib import Path
    from typing import Any

    from plugandtell.core.audio import AudioFormat

_BLOCK_SAMPLES = 262_144
"""Samples that are coded at once: some milliseconds of work, in which nothing holds Python's lock. Fewer would take
it more often, and who is held up while having it holds up the event loop."""
_DTYPE = "int16"


class NotEncodable(Exception):
    """What libsndfile made is no FLAC of these samples, or it made none; the words say why."""


def is_supported() -> bool:
    """Whether this libsndfile can make FLAC."""
    return "FLAC" in soundfile.available_formats()


def encode(wav_part: Path, target: Path, audio: AudioFormat, check: Callable[[], None]) -> None:
    """Write the samples of a WAV part as FLAC, block by block. What a failure leaves of `target` proves nothing.

    Args:
        wav_part: Its header is not asked.
        target: Overwritten.
        audio: The format of the samples.
        check: Called between blocks; may raise, and so end it.

    Raises:
        NotEncodable: Libsndfile could not, for want of room perhaps.
        OSError: The part cannot be read.
    """
    try:
        with (
            wav_part.open("rb", buffering=0) as source,
            _unseeking(target, "w", audio.sample_rate, audio.channels, "PCM_16", format="FLAC") as flac,
        ):
            source.seek(wav.HEADER_BYTES)
            while block := _read_block(source, audio.bytes_in(_BLOCK_SAMPLES)):
                check()
                flac.buffer_write(block, _DTYPE)
    except (soundfile.SoundFileRuntimeError, AssertionError) as exc:  # soundfile asserts that all was written
        raise NotEncodable(f"it cannot be made FLAC: {exc or 'not all of it was written'}") from exc


def prove(flac_path: Path, wav_part: Path, audio: AudioFormat, check: Callable[[], None]) -> str:
    """Decode a FLAC file, and hold it against the WAV part sample by sample.

    Args:
        flac_path: The file.
        wav_part: What it was made of.
        audio: The format of the samples.
        check: Called between blocks; may raise, and so end it.

    Returns:
        The SHA-256 of the samples, in hex.

    Raises:
        NotEncodable: It holds others, more or less, or cannot be decoded.
        OSError: A file cannot be read.
    """
    digest = hashlib.sha256()
    block = bytearray(audio.bytes_in(_BLOCK_SAMPLES))
    try:
        with wav_part.open("rb", buffering=0) as source, _unseeking(flac_path, "r") as flac:
            source.seek(wav.HEADER_BYTES)
            if (flac.samplerate, flac.channels) != (audio.sample_rate, audio.channels):
                raise NotEncodable(f"{flac_path.name} has another rate, or number of channels")
            while expected := _read_block(source, len(block)):
                check()
                decoded = audio.bytes_in(flac.buffer_read_into(block, _DTYPE))
                if (block if decoded == len(block) else block[:decoded]) != expected:
                    raise NotEncodable(f"{flac_path.name} holds other samples than were recorded")
                digest.update(expected)
            if flac.buffer_read_into(block, _DTYPE):
                raise NotEncodable(f"{flac_path.name} holds more samples than were recorded")
    except soundfile.SoundFileRuntimeError as exc:
        raise NotEncodable(f"{flac_path.name} cannot be decoded: {exc}") from exc
    return digest.hexdigest()


def read_pieces(path: Path, pieces: Iterable[tuple[int, int]]) -> Iterator[bytes]:
    """The PCM of each piece of a FLAC file: its first sample, and how many from there on.

    Raises:
        RuntimeError: It cannot be decoded.
    """
    with soundfile.SoundFile(str(path)) as file:
        for start, samples in pieces:
            file.seek(start)
            yield bytes(file.buffer_read(samples, _DTYPE))


def _unseeking(path: Path, *arguments: Any, **options: Any) -> soundfile.SoundFile:
    """A sound file that is not told to seek to where it is after each block, at which FLAC would begin anew."""
    file = soundfile.SoundFile(str(path), *arguments, **options)
    file.seekable = lambda: False
    return file


def _read_block(source: FileIO, size_bytes: int) -> bytes:
    """So many bytes, fewer at the end only: a raw file may give less than was asked for."""
    block = source.read(size_bytes)
    while len(block) < size_bytes and (more := source.read(size_bytes - len(block))):
        block += more
    return block
