"""Recordings with their sidecars, as a server leaves them in its folder."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from plugandtell.core import wav
from plugandtell.core.audio import SPEECH
from plugandtell.core.protocol.messages import ClientInfo, EndReason
from plugandtell.core.recording import GapPolicy, Origin, WavFile, final_sidecar, recording_name
from plugandtell.core.segmenter import Ended

if TYPE_CHECKING:
    from pathlib import Path

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
SAMPLES = 1600


def segment_id(number: int) -> str:
    """The id of the recording with that number."""
    return str(UUID(int=number))


def leave_recording(folder: Path, number: int) -> Path:
    """Leave a finished recording that begins so many minutes after noon; returns the WAV."""
    folder.mkdir(exist_ok=True)
    started_at = NOON + timedelta(minutes=number)
    path = folder / f"{recording_name(started_at, 'test')}.wav"
    content = wav.header(SPEECH, SPEECH.bytes_in(SAMPLES)) + bytes([number, 0]) * SAMPLES
    path.write_bytes(content)
    origin = Origin(
        UUID(int=number), UUID(int=99), None, ClientInfo("t", "1"), "test", {}, started_at, 0, SPEECH, GapPolicy.FILL
    )
    ended = Ended(0, SAMPLES, EndReason.SILENCE, SAMPLES, 0, 0)
    file = WavFile(path.name, SAMPLES, len(content), hashlib.sha256(content).hexdigest())
    part = path.with_suffix(".json.part")
    part.write_text(final_sidecar(origin, [], ended, file), encoding="utf-8")
    part.replace(path.with_suffix(".json"))
    return path
