"""What is in an audio folder."""

from __future__ import annotations

import hashlib
import json
import wave
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Found:
    """A recording and its sidecar."""

    path: Path
    pcm: bytes
    sidecar: dict[str, Any]


def read_wav(path: Path) -> bytes:
    """The samples of a 16 kHz mono 16-bit WAV."""
    with wave.open(str(path), "rb") as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16_000, 1, 2)
        return file.readframes(file.getnframes())


def recordings(folder: Path) -> list[Found]:
    """Every recording, in the order of their names. Nothing else may lie there, and the sidecars must be true."""
    visible = {path.name for path in folder.iterdir() if not path.name.startswith(".")}
    wavs = sorted(folder.glob("*.wav"))
    assert visible == {name for path in wavs for name in (path.name, path.with_suffix(".json").name)}
    return [_found(path) for path in wavs]


def _found(path: Path) -> Found:
    sidecar = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    content = path.read_bytes()
    assert sidecar["file"] == path.name
    assert sidecar["sha256"] == hashlib.sha256(content).hexdigest()
    assert sidecar["size_bytes"] == len(content)
    pcm = read_wav(path)
    assert sidecar["samples"] == len(pcm) // 2
    return Found(path, pcm, sidecar)


def slices_of(whole: bytes, folder: Path) -> list[tuple[int, int]]:
    """Where each recording lies in the input; fails unless it is there, sample for sample."""
    found = []
    for item in recordings(folder):
        start, end = item.sidecar["start_index"], item.sidecar["end_index"]
        assert item.pcm == whole[2 * start : 2 * end]
        found.append((start, end))
    return found
