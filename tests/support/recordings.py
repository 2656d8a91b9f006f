"""What is in an audio folder."""

from __future__ import annotations

import hashlib
import json
import wave
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import soundfile

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


def read_flac(path: Path) -> bytes:
    """The samples of a 16 kHz mono 16-bit FLAC."""
    with soundfile.SoundFile(path) as file:
        assert (file.format, file.subtype, file.samplerate, file.channels) == ("FLAC", "PCM_16", 16_000, 1)
        return bytes(file.read(dtype="int16").astype("<i2").tobytes())


def recordings(folder: Path) -> list[Found]:
    """Every recording, in the order of their names. Nothing else may lie there, and the sidecars must be true."""
    visible = {path.name for path in folder.iterdir() if not path.name.startswith(".")}
    paths = sorted([*folder.glob("*.wav"), *folder.glob("*.flac")])
    assert len({path.stem for path in paths}) == len(paths)
    assert visible == {name for path in paths for name in (path.name, path.with_suffix(".json").name)}
    return [_found(path) for path in paths]


def _found(path: Path) -> Found:
    sidecar = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    content = path.read_bytes()
    assert sidecar["file"] == path.name
    assert sidecar["sha256"] == hashlib.sha256(content).hexdigest()
    assert sidecar["size_bytes"] == len(content)
    assert sidecar["format"]["container"] == path.suffix[1:]
    pcm = read_flac(path) if path.suffix == ".flac" else read_wav(path)
    if path.suffix == ".flac":
        assert sidecar["pcm_sha256"] == hashlib.sha256(pcm).hexdigest()
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
