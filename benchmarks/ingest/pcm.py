"""What the load generator sends, and whether a folder of WAV files holds all of it.

A sample is a function of the stream's number and of its index (`generator/pcm.h` computes the same), so that a file can
be told from its first samples, and each sample of it from its place. None is 0, as a hole in a file reads.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

HEADER_BYTES = 44
_KEY_SAMPLES = 8


def samples(stream: int, first: int, count: int) -> NDArray[np.int16]:
    """What a stream says from a sample on."""
    x = np.arange(first, first + count, dtype=np.uint32)
    x *= np.uint32(2654435761)
    x += np.uint32((stream + 1) * 0x85EBCA6B & 0xFFFFFFFF)
    x ^= x >> np.uint32(16)
    x *= np.uint32(0x7FEB352D)
    x ^= x >> np.uint32(15)
    return ((x >> np.uint32(16)) | np.uint32(1)).astype(np.uint16).view(np.int16)


def key(stream: int) -> bytes:
    """The beginning of a stream, which no other has."""
    return samples(stream, 0, _KEY_SAMPLES).tobytes()


def stream_files(paths: Iterable[Path], streams: int) -> dict[int, list[Path]]:
    """Which files begin as which stream does; those that begin as none are missing from it."""
    numbers = {key(stream): stream for stream in range(streams)}
    found: dict[int, list[Path]] = {}
    for path in paths:
        with path.open("rb") as file:
            file.seek(HEADER_BYTES)
            number = numbers.get(file.read(2 * _KEY_SAMPLES))
        if number is not None:
            found.setdefault(number, []).append(path)
    return found


@dataclass(frozen=True, slots=True)
class Proof:
    """What reading all the files showed."""

    files: int
    samples: int
    faults: tuple[str, ...]


def fault_of(path: Path, stream: int, sent: int) -> str | None:
    """What is wrong with a stream's recording; None if it is the stream from its first sample to its last."""
    data = path.read_bytes()
    (told,) = struct.unpack_from("<I", data, HEADER_BYTES - 4)
    if told != len(data) - HEADER_BYTES:
        return f"stream {stream}: the header tells of {told} bytes of audio, the file has {len(data) - HEADER_BYTES}"
    audio = np.frombuffer(data, dtype="<i2", offset=HEADER_BYTES)
    common = min(len(audio), sent)
    wrong = np.flatnonzero(audio[:common] != samples(stream, 0, common))
    if len(wrong):
        return f"stream {stream}: sample {wrong[0]} is not what was sent"
    if len(audio) != sent:
        return f"stream {stream}: {len(audio)} samples of {sent}"
    return None


def prove(paths: Sequence[Path], sent: Mapping[int, int]) -> Proof:
    """Read all recordings, and compare every sample with what each stream sent.

    Args:
        paths: All WAV files of the folder.
        sent: How many samples each stream sent.
    """
    files = stream_files(paths, max(sent, default=-1) + 1)
    faults = []
    for stream, count in sent.items():
        match files.get(stream, []):
            case [path]:
                fault = fault_of(path, stream, count)
            case []:
                fault = f"stream {stream}: no file" if count else None
            case several:
                fault = f"stream {stream}: {len(several)} files"
        if fault is not None:
            faults.append(fault)
    if strangers := len(paths) - sum(map(len, files.values())):
        faults.append(f"{strangers} files begin as no stream does")
    return Proof(len(paths), sum(sent.values()), tuple(faults))
