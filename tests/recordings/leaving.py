"""Recordings as a server leaves them, of whatever kind a test needs."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import numpy as np
import soundfile

from plugandtell.core import wav
from plugandtell.core.audio import SPEECH
from plugandtell.core.protocol.messages import ClientInfo, EndReason
from plugandtell.core.recording import GapPolicy, Origin, WavFile, final_sidecar, origin_line, recording_name
from plugandtell.core.segmenter import Ended, Gap

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
SECOND = SPEECH.sample_rate


def tone(samples: int, peak: float = 0.5) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    """A sine, no sample of which is like its neighbour."""
    phase = 2 * np.pi * 440 * np.arange(samples) / SECOND
    return np.round(np.sin(phase) * peak * 32_767).astype(np.int16)


def id_of(number: int) -> str:
    """The id of the recording with that number; the first eight digits tell it from the others."""
    return str(UUID(int=(0xA0000000 + number) << 96))


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What is told of a recording."""

    label: str = "reception"
    token: str | None = None
    reason: EndReason = EndReason.SILENCE
    gaps: Sequence[Gap] = ()
    gap_policy: GapPolicy = GapPolicy.FILL
    continues: UUID | None = None
    twice: tuple[int, int] = (0, 0)
    ending: str = ".wav"


def origin_of(number: int, kind: Kind) -> Origin:
    """Where recording `number`, which begins so many minutes after noon, comes from."""
    return Origin(
        segment_id=UUID(id_of(number)),
        stream_id=UUID(int=99),
        continues=kind.continues,
        client=ClientInfo("tester", "1.0"),
        label=kind.label,
        labels={"room": "4"},
        started_at=NOON + timedelta(minutes=number),
        start_index=1000,
        audio=SPEECH,
        gap_policy=kind.gap_policy,
        token_name=kind.token,
    )


def leave(
    folder: Path, number: int, samples: np.ndarray[tuple[int], np.dtype[np.int16]] | None = None, **told: object
) -> Path:
    """Leave a finished recording, of a second unless given samples; returns its audio."""
    kind = Kind(**told)  # type: ignore[arg-type]
    folder.mkdir(exist_ok=True)
    sound = tone(SECOND) if samples is None else samples
    origin = origin_of(number, kind)
    path = folder / f"{recording_name(origin.started_at, kind.label)}{kind.ending}"
    content = _encoded(sound, kind.ending)
    path.write_bytes(content)
    closed = sum(gap.samples for gap in kind.gaps) if kind.gap_policy is GapPolicy.DROP else 0
    ended = Ended(1000, 1000 + len(sound) + closed, kind.reason, len(sound) // 2, *kind.twice)
    pcm_sha256 = hashlib.sha256(sound.astype("<i2").tobytes()).hexdigest() if kind.ending == ".flac" else None
    file = WavFile(path.name, len(sound), len(content), hashlib.sha256(content).hexdigest(), pcm_sha256)
    path.with_suffix(".json").write_text(final_sidecar(origin, kind.gaps, ended, file), encoding="utf-8")
    return path


def leave_growing(folder: Path, number: int) -> Path:
    """Leave what a server has while it records; returns the part of the WAV."""
    folder.mkdir(exist_ok=True)
    origin = origin_of(number, Kind())
    part = folder / f"{recording_name(origin.started_at, origin.label)}.wav.part"
    part.write_bytes(wav.header(SPEECH, 200) + bytes(200))
    part.with_name(part.name.replace(".wav", ".json")).write_text(origin_line(origin), encoding="utf-8")
    return part


def _encoded(sound: np.ndarray[tuple[int], np.dtype[np.int16]], ending: str) -> bytes:
    if ending == ".wav":
        return wav.header(SPEECH, 2 * len(sound)) + sound.astype("<i2").tobytes()
    encoded = io.BytesIO()
    soundfile.write(encoded, sound, SECOND, format="FLAC", subtype="PCM_16")
    return encoded.getvalue()
