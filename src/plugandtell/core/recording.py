"""What a recording is to everybody outside: the name of its file, and the sidecar beside it.

The sidecar is a JSON object; it is where the capture half of the product hands over to whoever reads recordings.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from plugandtell.core.audio import AudioFormat
from plugandtell.core.json_object import JsonObject, utc_text
from plugandtell.core.protocol.messages import ENCODING, MAX_INDEX, ClientInfo, EndReason
from plugandtell.core.segmenter import Gap

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from plugandtell.core.segmenter import Ended

SIDECAR_VERSION = 1
_LONGEST_LABEL = 40
_UNSAFE = re.compile(r"[^A-Za-z0-9-]+")


class GapPolicy(StrEnum):
    """What becomes of a gap in the file."""

    FILL = "fill"
    DROP = "drop"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a recording comes from: all that is known when it begins.

    Attributes:
        segment_id: The recording's own id.
        stream_id: The stream that it was cut from.
        continues: The segment of the same stream before it, if there was one and no silence came between the two.
        client: The program that captured it.
        label: The client's name for itself, as it came over the wire.
        labels: Everything the client said about itself.
        started_at: The time of the first sample.
        start_index: The first sample.
        audio: The format.
        gap_policy: What becomes of gaps.
    """

    segment_id: UUID
    stream_id: UUID
    continues: UUID | None
    client: ClientInfo
    label: str
    labels: Mapping[str, str]
    started_at: datetime
    start_index: int
    audio: AudioFormat
    gap_policy: GapPolicy


@dataclass(frozen=True, slots=True)
class WavFile:
    """The file itself: its name, its length in samples and bytes, and the SHA-256 of all its bytes, in hex."""

    name: str
    samples: int
    size_bytes: int
    sha256: str


def recording_name(started_at: datetime, label: str, attempt: int = 1) -> str:
    """The file name without its ending: `2026-11-23T15-35-00.848Z_laptop`, and `…_laptop-2` at the second attempt.

    Whatever the label holds, the name is made of letters, digits, `-`, `_` and `.` only, and starts with the time.
    """
    safe = _UNSAFE.sub("-", label)[:_LONGEST_LABEL].strip("-") or "client"
    suffix = f"-{attempt}" if attempt > 1 else ""
    return f"{utc_text(started_at).replace(':', '-')}_{safe}{suffix}"


def time_at(stream_started_at: datetime, index: int, audio: AudioFormat) -> datetime:
    """The time of sample `index` of a stream."""
    return stream_started_at + timedelta(seconds=audio.seconds_from(index))


def open_sidecar(origin: Origin, gaps: Sequence[Gap]) -> str:
    """What is known while the recording grows: enough to finish the sidecar after a crash."""
    return json.dumps(_origin_fields(origin) | {"gaps": _gap_fields(gaps)}, indent=2, ensure_ascii=False) + "\n"


def final_sidecar(origin: Origin, gaps: Sequence[Gap], ended: Ended, wav: WavFile) -> str:
    """The whole sidecar."""
    length = ended.end_index - ended.start_index
    fields = _origin_fields(origin) | {
        "file": wav.name,
        "reason": ended.reason.value,
        "recovered": ended.reason is EndReason.RECOVERED,
        "ended_at": utc_text(origin.started_at + timedelta(seconds=origin.audio.seconds_from(length))),
        "end_index": ended.end_index,
        "samples": wav.samples,
        "duration_ms": origin.audio.ms_from(wav.samples),
        "voiced_samples": ended.voiced_samples,
        "voiced_share": round(ended.voiced_samples / length, 4) if length else 0.0,
        "gaps": _gap_fields(gaps),
        "duplicate_samples": ended.duplicate_samples,
        "dropped_samples": ended.dropped_samples,
        "size_bytes": wav.size_bytes,
        "sha256": wav.sha256,
    }
    return json.dumps(fields, indent=2, ensure_ascii=False) + "\n"


def read_open_sidecar(text: str) -> tuple[Origin, list[Gap]]:
    """The origin and the gaps that `open_sidecar` wrote.

    Raises:
        ValueError: The text is something else; the error says what.
    """
    fields = JsonObject.parse(text)
    gaps = [Gap(gap.integer("start_index"), gap.integer("samples")) for gap in fields.objects("gaps")]
    return _origin_from(fields), gaps


def _origin_fields(origin: Origin) -> dict[str, Any]:
    return {
        "version": SIDECAR_VERSION,
        "segment_id": str(origin.segment_id),
        "stream_id": str(origin.stream_id),
        "continues": str(origin.continues) if origin.continues else None,
        "client": {"name": origin.client.name, "version": origin.client.version, "label": origin.label},
        "labels": dict(origin.labels),
        "format": {
            "container": "wav",
            "encoding": ENCODING,
            "sample_rate": origin.audio.sample_rate,
            "channels": origin.audio.channels,
        },
        "gap_policy": origin.gap_policy.value,
        "started_at": utc_text(origin.started_at),
        "start_index": origin.start_index,
    }


def _gap_fields(gaps: Sequence[Gap]) -> list[dict[str, int]]:
    return [{"start_index": gap.start_index, "samples": gap.samples} for gap in gaps]


def _origin_from(fields: JsonObject) -> Origin:
    client = fields.object("client")
    layout = fields.object("format")
    return Origin(
        segment_id=fields.uuid("segment_id"),
        stream_id=fields.uuid("stream_id"),
        continues=fields.uuid("continues") if fields.has("continues") else None,
        client=ClientInfo(client.text("name"), client.text("version")),
        label=client.text("label"),
        labels=fields.texts("labels"),
        started_at=fields.moment("started_at"),
        start_index=fields.integer("start_index", maximum=MAX_INDEX - 1),
        audio=AudioFormat(layout.integer("sample_rate", minimum=1), layout.integer("channels", minimum=1)),
        gap_policy=GapPolicy(fields.one_of("gap_policy", GapPolicy)),
    )
