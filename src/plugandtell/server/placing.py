"""How a recording gets its final name: the WAV first and the sidecar last, so that a sidecar always has its WAV."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from plugandtell.core import wav
from plugandtell.core.errors import WriteFailed
from plugandtell.core.recording import Origin, WavFile, final_sidecar
from plugandtell.server.disk_sync import NEW, sync_path

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from plugandtell.core.segmenter import Ended, Gap

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
    """The temporary names of the WAV and its sidecar."""
    return path.with_name(path.name + PART), path.with_name(path.stem + ".json" + PART)


def move_into_place(path: Path, origin: Origin, gaps: Sequence[Gap], ended: Ended) -> Saved:
    """Complete the sidecar, and give both parts their final names. May be called again after it failed.

    Raises:
        WriteFailed: The parts stay where they are.
    """
    wav_part, sidecar_part = parts_of(path)
    try:
        lies_at = wav_part if wav_part.exists() else path
        size_bytes, sha256 = _measure(lies_at)
        samples = origin.audio.samples_in(size_bytes - wav.HEADER_BYTES)
        _write_whole(sidecar_part, final_sidecar(origin, gaps, ended, WavFile(path.name, samples, size_bytes, sha256)))
        lies_at.replace(path)
        sidecar_part.replace(path.with_suffix(".json"))
        sync_path(path.parent)
    except OSError as exc:
        raise WriteFailed(str(path), exc.strerror or str(exc)) from exc
    return Saved(path, origin, ended, samples)


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
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


def _measure(path: Path) -> tuple[int, str]:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_HASH_BLOCK_BYTES):
            digest.update(block)
        return file.tell(), digest.hexdigest()
