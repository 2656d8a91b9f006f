"""Messages to text or bytes, and back.

Unknown fields are ignored, so that version 1 can grow. Everything else that is off is a `ProtocolError` that carries
the close code and the raw message.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, TypeVar

from plugandtell.core.errors import ProtocolError
from plugandtell.core.json_object import InvalidField, JsonObject, NotJson, shown, utc_text
from plugandtell.core.protocol.messages import (
    MAX_INDEX,
    Ack,
    Audio,
    ClientInfo,
    ClientMessage,
    CloseCode,
    End,
    EndReason,
    Error,
    Hello,
    Position,
    SegmentDiscarded,
    SegmentSaved,
    SegmentStarted,
    ServerMessage,
    Welcome,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

M = TypeVar("M")

INDEX_BYTES = 8
"""Length of the index before the PCM of a binary message."""

_LONGEST_EXPLANATION = 4096
_FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
_FIRST_YEAR_REFUSED = 9000  # leaves room for the 557 years that an index can count at 16 kHz


def encode(message: ClientMessage | ServerMessage) -> str | bytes:
    """The message as it goes over the wire: bytes for audio, text for everything else."""
    match message:
        case Audio():
            return message.start.to_bytes(INDEX_BYTES, "little") + message.pcm
        case Ack():  # by far the most frequent of all texts
            return f'{{"type":"ack","stored_to":{message.stored_to}}}'
        case Hello():
            fields = _hello_fields(message)
        case Position(index, None):
            fields = {"type": "position", "index": index}
        case Position(index, voiced_to):
            fields = {"type": "position", "index": index, "voiced_to": voiced_to}
        case End(index):
            fields = {"type": "end", "index": index}
        case _:
            fields = _server_fields(message)
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))


def _hello_fields(hello: Hello) -> dict[str, Any]:
    continues = {} if hello.continues is None else {"continues": str(hello.continues)}
    return continues | {
        "type": "hello",
        "stream_id": str(hello.stream_id),
        "sample_rate": hello.sample_rate,
        "channels": hello.channels,
        "encoding": hello.encoding,
        "started_at": utc_text(hello.started_at),
        "client": {"name": hello.client.name, "version": hello.client.version},
        "labels": dict(hello.labels),
    }


def _server_fields(message: Welcome | SegmentStarted | SegmentSaved | SegmentDiscarded | Error) -> dict[str, Any]:
    match message:
        case Welcome():
            return {
                "type": "welcome",
                "stream_id": str(message.stream_id),
                "resume_from": message.resume_from,
                "silence_ms": message.silence_ms,
                "max_message_bytes": message.max_message_bytes,
            }
        case SegmentStarted():
            return {
                "type": "segment_started",
                "segment_id": str(message.segment_id),
                "start_index": message.start_index,
            }
        case SegmentSaved():
            return {
                "type": "segment_saved",
                "segment_id": str(message.segment_id),
                "file": message.file,
                "start_index": message.start_index,
                "end_index": message.end_index,
                "duration_ms": message.duration_ms,
                "reason": message.reason.value,
            }
        case SegmentDiscarded():
            return {
                "type": "segment_discarded",
                "segment_id": str(message.segment_id),
                "start_index": message.start_index,
                "end_index": message.end_index,
            }
        case Error():
            return {"type": "error", "code": message.code, "message": message.message}


def decode_client(raw: str | bytes) -> ClientMessage:
    """What a client sent. Audio is a view into `raw`; its length in samples is for the server machine to check.

    Raises:
        ProtocolError: With close code 4000 for a binary message shorter than its index, 1007 for text that is not a
            message of the protocol.
    """
    if isinstance(raw, bytes):
        return _decode_audio(raw)
    return _decode_text(raw, _CLIENT_DECODERS)


def decode_server(raw: str | bytes) -> ServerMessage:
    """What a server sent.

    Raises:
        ProtocolError: With close code 1003 for a binary message, 1007 for text that is not a message of the protocol.
    """
    if isinstance(raw, bytes):
        raise ProtocolError(CloseCode.UNSUPPORTED_DATA, "binary_unexpected", "a server sends no binary messages", raw)
    return _decode_text(raw, _SERVER_DECODERS)


def _decode_audio(raw: bytes) -> Audio:
    if len(raw) < INDEX_BYTES:
        raise ProtocolError(
            CloseCode.INVALID_AUDIO,
            "audio_malformed",
            f"a binary message of {len(raw)} bytes cannot hold the {INDEX_BYTES} bytes of its start index",
            raw,
        )
    start = int.from_bytes(raw[:INDEX_BYTES], "little")
    if start >= MAX_INDEX:
        raise ProtocolError(
            CloseCode.INVALID_AUDIO,
            "index_out_of_range",
            f"start index {start} is not below {MAX_INDEX}",
            raw,
        )
    return Audio(start, memoryview(raw)[INDEX_BYTES:])


def _decode_text(raw: str, decoders: Mapping[str, Callable[[JsonObject], M]]) -> M:
    try:
        fields = JsonObject.parse(raw)
        return decoders[fields.one_of("type", decoders)](fields)
    except NotJson as exc:
        raise ProtocolError(CloseCode.INVALID_DATA, "not_json", f"a text message: {exc}", raw) from exc
    except InvalidField as exc:
        raise ProtocolError(CloseCode.INVALID_DATA, "field_invalid", f"the field {exc}", raw) from exc


def _decode_hello(fields: JsonObject) -> Hello:
    client = fields.object("client")
    return Hello(
        stream_id=fields.uuid("stream_id"),
        sample_rate=fields.integer("sample_rate", minimum=1),
        channels=fields.integer("channels", minimum=1),
        started_at=fields.moment("started_at", before_year=_FIRST_YEAR_REFUSED),
        client=ClientInfo(client.text("name"), client.text("version")),
        labels=fields.texts("labels") if fields.has("labels") else {},
        encoding=fields.text("encoding"),
        continues=fields.uuid("continues") if fields.has("continues") else None,
    )


def _index(fields: JsonObject, name: str, minimum: int = 0) -> int:
    return fields.integer(name, minimum, MAX_INDEX - 1)


def _decode_position(fields: JsonObject) -> Position:
    index = _index(fields, "index")
    return Position(index, fields.integer("voiced_to", maximum=index) if fields.has("voiced_to") else None)


def _file_name(fields: JsonObject) -> str:
    """A plain name, because clients print it and scripts look it up: no path, no option, nothing a terminal obeys."""
    name = fields.text("file")
    if not _FILE_NAME.fullmatch(name):
        raise InvalidField(f"file is {shown(name)}, but must be a name of letters, digits, '-', '_' and '.'")
    return name


def _decode_segment_saved(fields: JsonObject) -> SegmentSaved:
    start_index = _index(fields, "start_index")
    return SegmentSaved(
        fields.uuid("segment_id"),
        _file_name(fields),
        start_index,
        _index(fields, "end_index", minimum=start_index),
        fields.integer("duration_ms"),
        EndReason(fields.one_of("reason", EndReason)),
    )


def _decode_segment_discarded(fields: JsonObject) -> SegmentDiscarded:
    start_index = _index(fields, "start_index")
    end_index = _index(fields, "end_index", minimum=start_index)
    return SegmentDiscarded(fields.uuid("segment_id"), start_index, end_index)


_CLIENT_DECODERS: dict[str, Callable[[JsonObject], ClientMessage]] = {
    "hello": _decode_hello,
    "position": _decode_position,
    "end": lambda fields: End(_index(fields, "index")),
}

_SERVER_DECODERS: dict[str, Callable[[JsonObject], ServerMessage]] = {
    "welcome": lambda fields: Welcome(
        fields.uuid("stream_id"),
        _index(fields, "resume_from"),
        fields.integer("silence_ms", minimum=1),
        fields.integer("max_message_bytes", minimum=INDEX_BYTES + 2),
    ),
    "ack": lambda fields: Ack(_index(fields, "stored_to")),
    "segment_started": lambda fields: SegmentStarted(fields.uuid("segment_id"), _index(fields, "start_index")),
    "segment_saved": _decode_segment_saved,
    "segment_discarded": _decode_segment_discarded,
    "error": lambda fields: Error(fields.text("code"), fields.text("message", longest=_LONGEST_EXPLANATION)),
}
