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
from plugandtell.core.safe_text import escape_json
from plugandtell.core.segmenter import Ended, Gap

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

SIDECAR_VERSION = 1
_LONGEST_LABEL = 40
_UNSAFE = re.compile(r"[^A-Za-z0-9-]+")


class GapPolicy(StrEnum):
    """What becomes of a gap in the file."""

    FILL = "fill"
    DROP = "drop"


class Container(StrEnum):
    """What a finished recording is, and how its name ends. One that grows is always a WAV."""

    WAV = "wav"
    FLAC = "flac"


class Durability(StrEnum):
    """What audio survives when it is acknowledged: the death of the process, or that of the machine as well."""

    WRITE = "write"
    FSYNC = "fsync"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a recording comes from: all that is known when it begins.

    Attributes:
        segment_id: The recording's own id.
        stream_id: The stream that it was cut from.
        continues: The segment of the same stream before it, if that one was cut off: by the longest duration, by a
            connection that did not return in time, or by a crash. None after one that ended in silence.
        client: The program that captured it.
        label: The client's name for itself, as it came over the wire.
        labels: Everything the client said about itself.
        started_at: The time of the first sample.
        start_index: The first sample.
        audio: The format.
        gap_policy: What becomes of gaps.
        token_name: Whose token the stream was opened with; None without one. All else the client says of itself.
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
    token_name: str | None = None


@dataclass(frozen=True, slots=True)
class WavFile:
    """The file itself.

    Attributes:
        name: Its name, whose ending tells its container.
        samples: Its length.
        size_bytes: Its size as it lies on the disk.
        sha256: The SHA-256 of all its bytes, in hex.
        pcm_sha256: That of the samples alone, as they lie behind the header of a WAV of the same audio; None for a WAV.
    """

    name: str
    samples: int
    size_bytes: int
    sha256: str
    pcm_sha256: str | None = None

    @property
    def container(self) -> Container:
        """What kind of file it is."""
        return Container.FLAC if self.name.endswith(f".{Container.FLAC}") else Container.WAV


def recording_name(started_at: datetime, label: str, suffix: str = "") -> str:
    """The file name without its ending: `2026-11-23T15-35-00.848Z_laptop`, and whatever else tells it from another.

    Whatever the label holds, the name is made of letters, digits, `-`, `_` and `.` only, and starts with the time.
    """
    safe = _UNSAFE.sub("-", label)[:_LONGEST_LABEL].strip("-") or "client"
    return f"{utc_text(started_at).replace(':', '-')}_{safe}{suffix}"


def time_at(stream_started_at: datetime, index: int, audio: AudioFormat) -> datetime:
    """The time of sample `index` of a stream."""
    return stream_started_at + timedelta(seconds=audio.seconds_from(index))


def origin_line(origin: Origin) -> str:
    """The first line of an open sidecar: what is known when a recording begins, enough to finish it after a crash."""
    return escape_json(json.dumps(_origin_fields(origin), ensure_ascii=False)) + "\n"


def gap_line(gap: Gap) -> str:
    """Another line of an open sidecar, added when a gap is noted."""
    return json.dumps(_gap_fields(gap)) + "\n"


def final_sidecar(origin: Origin, gaps: Sequence[Gap], ended: Ended, wav: WavFile) -> str:
    """The whole sidecar."""
    length = ended.end_index - ended.start_index
    recovered = ended.reason is EndReason.RECOVERED
    voiced = None if recovered else ended.voiced_samples  # what was voice died with the process
    fields = _origin_fields(origin, wav.container) | {
        "file": wav.name,
        "reason": ended.reason.value,
        "recovered": recovered,
        "ended_at": utc_text(origin.started_at + timedelta(seconds=origin.audio.seconds_from(length))),
        "end_index": ended.end_index,
        "samples": wav.samples,
        "duration_ms": origin.audio.ms_from(wav.samples),
        "voiced_samples": voiced,
        "voiced_share": round(voiced / length, 4) if voiced is not None and length else None,
        "gaps": [_gap_fields(gap) for gap in gaps],
        "duplicate_samples": ended.duplicate_samples,
        "dropped_samples": ended.dropped_samples,
        "size_bytes": wav.size_bytes,
        "sha256": wav.sha256,
    }
    if wav.pcm_sha256 is not None:
        fields["pcm_sha256"] = wav.pcm_sha256
    return escape_json(json.dumps(fields, indent=2, ensure_ascii=False)) + "\n"


def read_open_sidecar(text: str) -> tuple[Origin, list[Gap]]:
    """The origin and the gaps in the lines of an open sidecar, up to the first gap that a crash cut short.

    Raises:
        ValueError: The first line is something else; the error says what.
    """
    first, *others = text.split("\n")
    origin = _origin_from(JsonObject.parse(first))
    gaps: list[Gap] = []
    for line in others:
        try:
            gaps.append(_gap_from(JsonObject.parse(line)))
        except ValueError:
            break
    return origin, gaps


def read_final_sidecar(text: str) -> tuple[Origin, Ended, WavFile]:
    """What `final_sidecar` wrote, but for the gaps.

    Raises:
        ValueError: The text is something else; the error says what.
    """
    fields = JsonObject.parse(text)
    origin = _origin_from(fields)
    ended = Ended(
        start_index=origin.start_index,
        end_index=fields.integer("end_index", origin.start_index),
        reason=EndReason(fields.one_of("reason", EndReason)),
        voiced_samples=fields.integer("voiced_samples") if fields.has("voiced_samples") else 0,
        duplicate_samples=fields.integer("duplicate_samples"),
        dropped_samples=fields.integer("dropped_samples"),
    )
    name, sha256 = fields.text("file"), fields.text("sha256")
    pcm_sha256 = fields.text("pcm_sha256") if fields.has("pcm_sha256") else None
    file = WavFile(name, fields.integer("samples"), fields.integer("size_bytes"), sha256, pcm_sha256)
    return origin, ended, file


def read_final_gaps(text: str) -> list[Gap]:
    """The gaps in what `final_sidecar` wrote.

    Raises:
        ValueError: The text is something else; the error says what.
    """
    return [Gap(_index(gap, "start_index"), _index(gap, "samples")) for gap in JsonObject.parse(text).objects("gaps")]


def read_stream_id(text: str) -> UUID:
    """The stream of a sidecar, open or whole.

    Raises:
        ValueError: The text is something else; the error says what.
    """
    try:
        return read_open_sidecar(text)[0].stream_id
    except ValueError:
        return read_final_sidecar(text)[0].stream_id


def gaps_within(origin: Origin, gaps: Sequence[Gap], samples: int) -> tuple[list[Gap], int]:
    """The gaps that a file of `samples` samples holds, and the index at which it ends.

    A gap is noted before it is filled, so that a crash may leave one that the file holds in part or not at all.
    """
    kept: list[Gap] = []
    index, left = origin.start_index, samples
    for gap in gaps:
        heard = gap.start_index - index
        if not 0 <= heard < left:
            break
        left -= heard
        length = min(gap.samples, left) if origin.gap_policy is GapPolicy.FILL else gap.samples
        left -= length if origin.gap_policy is GapPolicy.FILL else 0
        kept.append(Gap(gap.start_index, length))
        index = gap.start_index + length
    return kept, index + left


def _gap_from(fields: JsonObject) -> Gap:
    return Gap(_index(fields, "start_index"), _index(fields, "samples"))


def _origin_fields(origin: Origin, container: Container = Container.WAV) -> dict[str, Any]:
    return {
        "version": SIDECAR_VERSION,
        "segment_id": str(origin.segment_id),
        "stream_id": str(origin.stream_id),
        "continues": str(origin.continues) if origin.continues else None,
        "client": {
            "name": origin.client.name,
            "version": origin.client.version,
            "label": origin.label,
            "token_name": origin.token_name,
        },
        "labels": dict(origin.labels),
        "format": {
            "container": container.value,
            "encoding": ENCODING if container is Container.WAV else container.value,
            "sample_rate": origin.audio.sample_rate,
            "channels": origin.audio.channels,
        },
        "gap_policy": origin.gap_policy.value,
        "started_at": utc_text(origin.started_at),
        "start_index": origin.start_index,
    }


def _gap_fields(gap: Gap) -> dict[str, int]:
    return {"start_index": gap.start_index, "samples": gap.samples}


def _index(fields: JsonObject, name: str) -> int:
    return fields.integer(name, maximum=MAX_INDEX - 1)


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
        start_index=_index(fields, "start_index"),
        audio=AudioFormat(layout.integer("sample_rate", minimum=1), layout.integer("channels", minimum=1)),
        gap_policy=GapPolicy(fields.one_of("gap_policy", GapPolicy)),
        token_name=client.text("token_name") if client.has("token_name") else None,
    )
