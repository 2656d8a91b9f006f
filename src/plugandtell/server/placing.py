"""How a recording gets its final name: the audio first and the sidecar last, so that a sidecar always has its audio.

A WAV is its part under another name. A FLAC is made of that part under a temporary name, decoded and held against it,
and put on the disk; the part goes when FLAC and sidecar are in place. Until then whatever lies there can be done again.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from plugandtell.core import wav
from plugandtell.core.errors import WriteFailed
from plugandtell.core.recording import Container, Origin, WavFile, final_sidecar
from plugandtell.server.disk_sync import NEW, sync_path

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from plugandtell.core.segmenter import Ended, Gap
    from plugandtell.server.encoder import Encoder

PART = ".part"
_HASH_BLOCK_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Saved:
    """A recording under its final name."""

    path: Path
    origin: Origin
    ended: Ended
    samples: int


def parts_of(path: Path) -> tuple[Path, Path]:
    """The temporary names of the WAV and its sidecar, whatever the recording will be."""
    return path.with_name(f"{path.stem}.wav{PART}"), path.with_name(f"{path.stem}.json{PART}")


def temporary_of(path: Path) -> Path:
    """Where a FLAC is made."""
    return path.with_name(path.name + PART + NEW)


def is_taken(path: Path) -> bool:
    """Whether a finished recording has the name, be it a WAV or a FLAC."""
    return any(path.with_suffix(f".{container}").exists() for container in Container)


def move_into_place(
    path: Path, origin: Origin, gaps: Sequence[Gap], ended: Ended, encoder: Encoder | None = None
) -> Saved:
    """Complete the sidecar, and give the recording its final name. May be called again after it failed.

    Args:
        path: The final name; its ending tells the container.
        origin: Of the recording, as its gaps and its end.
        gaps: In the order of their time.
        ended: How it ended.
        encoder: Makes the FLAC; may be missing for a WAV.

    Raises:
        WriteFailed: The audio is where it was.
    """
    try:
        if path.suffix == f".{Container.FLAC}":
            assert encoder is not None
            return _place_flac(path, origin, gaps, ended, encoder)
        return _place_wav(path, origin, gaps, ended)
    except WriteFailed:
        _remove(temporary_of(path))
        raise
    except OSError as exc:
        _remove(temporary_of(path))
        raise WriteFailed(str(path), exc.strerror or str(exc)) from exc


def _place_wav(path: Path, origin: Origin, gaps: Sequence[Gap], ended: Ended) -> Saved:
    wav_part, sidecar_part = parts_of(path)
    lies_at = wav_part if wav_part.exists() else path
    size_bytes, sha256 = _measure(lies_at)
    samples = origin.audio.samples_in(size_bytes - wav.HEADER_BYTES)
    _write_whole(sidecar_part, final_sidecar(origin, gaps, ended, WavFile(path.name, samples, size_bytes, sha256)))
    _move(lies_at, path)
    return Saved(path, origin, ended, samples)


def _place_flac(path: Path, origin: Origin, gaps: Sequence[Gap], ended: Ended, encoder: Encoder) -> Saved:
    wav_part, sidecar_part = parts_of(path)
    samples = origin.audio.samples_in(wav_part.stat().st_size - wav.HEADER_BYTES)
    lies_at, pcm_sha256 = encoder.make(wav_part, temporary_of(path), path, origin.audio)
    size_bytes, sha256 = _measure(lies_at)
    file = WavFile(path.name, samples, size_bytes, sha256, pcm_sha256)
    _write_whole(sidecar_part, final_sidecar(origin, gaps, ended, file))
    _move(lies_at, path)
    with suppress(OSError):  # what was recorded is in place: the next start of the server removes the part
        wav_part.unlink()
    return Saved(path, origin, ended, samples)


def _move(lies_at: Path, path: Path) -> None:
    """Give the audio and its sidecar their final names."""
    lies_at.replace(path)
    parts_of(path)[1].replace(path.with_suffix(".json"))
    sync_path(path.parent)


def _remove(temporary: Path) -> None:
    with suppress(OSError):
        temporary.unlink(missing_ok=True)


def _write_whole(path: Path, text: str) -> None:
    """Replace a small file in one step, so that a crash leaves the old one or the new one."""
    temporary = path.with_name(path.name + NEW)
    try:
        with temporary.open("w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        _remove(temporary)
        raise


def _measure(path: Path) -> tuple[int, str]:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_HASH_BLOCK_BYTES):
            digest.update(block)
        return file.tell(), digest.hexdigest()
