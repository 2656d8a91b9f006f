"""Messages to text or bytes, and back.

Unknown fields are ignored, so that version 1 can grow. Everything else that is off is a `ProtocolError` that carries
the close code and the raw message.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar
from uuid import UUID

from plugandtell.core.errors import ProtocolError
from plugandtell.core.protocol.messages import (
    ENCODING,
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
    SegmentSaved,
    SegmentStarted,
    ServerMessage,
    Welcome,
)

if TYPE_CHECKING:
    from collections.abc import Callable

M = TypeVar("M")

_INDEX_BYTES = 8
_SHOWN = 80
_LONGEST_TEXT = 256
_LONGEST_EXPLANATION = 4096
_MOST_LABELS = 16


def utc_text(moment: datetime) -> str:
    """ISO 8601 in UTC with milliseconds: `2026-11-23T15:35:00.848Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def encode(message: ClientMessage | ServerMessage) -> str | bytes:
    """The message as it goes over the wire: bytes for audio, text for everything else."""
    match message:
        case Audio():
            return message.start.to_bytes(_INDEX_BYTES, "little") + message.pcm
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
    return {
        "type": "hello",
        "stream_id": str(hello.stream_id),
        "sample_rate": hello.sample_rate,
        "channels": hello.channels,
        "encoding": hello.encoding,
        "started_at": utc_text(hello.started_at),
        "client": {"name": hello.client.name, "version": hello.client.version},
        "labels": dict(hello.labels),
    }


def _server_fields(message: ServerMessage) -> dict[str, Any]:
    match message:
        case Welcome():
            return {
                "type": "welcome",
                "stream_id": str(message.stream_id),
                "resume_from": message.resume_from,
                "silence_ms": message.silence_ms,
                "max_message_bytes": message.max_message_bytes,
            }
        case Ack():
            return {"type": "ack", "stored_to": message.stored_to}
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
    fields = _Fields(raw)
    return fields.decode_as(_CLIENT_DECODERS)


def decode_server(raw: str | bytes) -> ServerMessage:
    """What a server sent.

    Raises:
        ProtocolError: With close code 1003 for a binary message, 1007 for text that is not a message of the protocol.
    """
    if isinstance(raw, bytes):
        raise ProtocolError(CloseCode.UNSUPPORTED_DATA, "binary_unexpected", "a server sends no binary messages", raw)
    return _Fields(raw).decode_as(_SERVER_DECODERS)


def _decode_audio(raw: bytes) -> Audio:
    if len(raw) < _INDEX_BYTES:
        raise ProtocolError(
            CloseCode.INVALID_AUDIO,
            "audio_malformed",
            f"a binary message of {len(raw)} bytes cannot hold the {_INDEX_BYTES} bytes of its start index",
            raw,
        )
    start = int.from_bytes(raw[:_INDEX_BYTES], "little")
    if start >= MAX_INDEX:
        raise ProtocolError(
            CloseCode.INVALID_AUDIO,
            "index_out_of_range",
            f"start index {start} is not below {MAX_INDEX}",
            raw,
        )
    return Audio(start, memoryview(raw)[_INDEX_BYTES:])


class _Fields:
    """One JSON object that names the field and the value when something is off."""

    def __init__(self, raw: str, values: dict[str, Any] | None = None, path: str = "") -> None:
        self._raw = raw
        self._path = path
        self._values = self._parse() if values is None else values

    def decode_as(self, decoders: dict[str, Callable[[_Fields], M]]) -> M:
        kind = self.text("type")
        if kind not in decoders:
            self._fail("type", f"is {_shown(kind)}, but must be one of {', '.join(decoders)}")
        return decoders[kind](self)

    def text(self, name: str, *, longest: int = _LONGEST_TEXT) -> str:
        value = self._get(name)
        if not isinstance(value, str) or len(value) > longest:
            self._fail(name, f"is {_shown(value)}, but must be a string of at most {longest} characters")
        if any("\ud800" <= character <= "\udfff" for character in value):
            self._fail(name, f"is {_shown(value)}, but half a surrogate pair is no text")
        return value

    def integer(self, name: str, *, minimum: int = 0, below: int = MAX_INDEX) -> int:
        value = self._get(name)
        if not isinstance(value, int) or isinstance(value, bool) or not minimum <= value < below:
            self._fail(name, f"is {_shown(value)}, but must be a whole number from {minimum} to below {below}")
        return value

    def optional_integer(self, name: str) -> int | None:
        return None if self._values.get(name) is None else self.integer(name)

    def uuid(self, name: str) -> UUID:
        value = self.text(name)
        try:
            return UUID(value)
        except ValueError:
            self._fail(name, f"is {_shown(value)}, but must be a UUID")

    def moment(self, name: str) -> datetime:
        value = self.text(name)
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is None or not 1970 <= moment.year < 9000:
            self._fail(name, f"is {_shown(value)}, but must be a time such as 2026-11-23T15:35:00.848Z")
        return moment.astimezone(UTC)

    def reason(self, name: str) -> EndReason:
        value = self.text(name)
        try:
            return EndReason(value)
        except ValueError:
            self._fail(name, f"is {_shown(value)}, but must be one of {', '.join(EndReason)}")

    def object(self, name: str) -> _Fields:
        value = self._get(name)
        if not isinstance(value, dict):
            self._fail(name, f"is {_shown(value)}, but must be an object")
        return _Fields(self._raw, value, f"{self._path}{name}.")

    def labels(self, name: str) -> dict[str, str]:
        values = self._values.get(name, {})
        if not isinstance(values, dict) or len(values) > _MOST_LABELS:
            self._fail(name, f"is {_shown(values)}, but must be an object of at most {_MOST_LABELS} strings")
        inner = _Fields(self._raw, values, f"{self._path}{name}.")
        return {key: inner.text(key) for key in values}

    def _parse(self) -> dict[str, Any]:
        try:
            values = json.loads(self._raw)
        except (ValueError, RecursionError) as exc:
            raise ProtocolError(
                CloseCode.INVALID_DATA,
                "not_json",
                f"a text message is not JSON: {_shown(self._raw)}",
                self._raw,
            ) from exc
        if not isinstance(values, dict):
            raise ProtocolError(
                CloseCode.INVALID_DATA,
                "not_json",
                f"a text message is no JSON object: {_shown(self._raw)}",
                self._raw,
            )
        return values

    def _get(self, name: str) -> Any:
        if name not in self._values:
            self._fail(name, "is missing")
        return self._values[name]

    def _fail(self, name: str, problem: str) -> NoReturn:
        raise ProtocolError(
            CloseCode.INVALID_DATA, "field_invalid", f"the field {self._path}{name} {problem}", self._raw
        )


def _shown(value: object) -> str:
    """The offending value, short enough for a message."""
    text = repr(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


def _decode_hello(fields: _Fields) -> Hello:
    encoding = fields.text("encoding")
    if encoding != ENCODING:
        raise ProtocolError(
            CloseCode.POLICY_VIOLATION,
            "format_refused",
            f"encoding is {_shown(encoding)}, but must be {ENCODING}",
        )
    client = fields.object("client")
    return Hello(
        stream_id=fields.uuid("stream_id"),
        sample_rate=fields.integer("sample_rate", minimum=1),
        channels=fields.integer("channels", minimum=1),
        started_at=fields.moment("started_at"),
        client=ClientInfo(client.text("name"), client.text("version")),
        labels=fields.labels("labels"),
    )


_CLIENT_DECODERS: dict[str, Callable[[_Fields], ClientMessage]] = {
    "hello": _decode_hello,
    "position": lambda fields: Position(fields.integer("index"), fields.optional_integer("voiced_to")),
    "end": lambda fields: End(fields.integer("index")),
}

_SERVER_DECODERS: dict[str, Callable[[_Fields], ServerMessage]] = {
    "welcome": lambda fields: Welcome(
        fields.uuid("stream_id"),
        fields.integer("resume_from"),
        fields.integer("silence_ms", minimum=1),
        fields.integer("max_message_bytes", minimum=_INDEX_BYTES + 2),
    ),
    "ack": lambda fields: Ack(fields.integer("stored_to")),
    "segment_started": lambda fields: SegmentStarted(fields.uuid("segment_id"), fields.integer("start_index")),
    "segment_saved": lambda fields: SegmentSaved(
        fields.uuid("segment_id"),
        fields.text("file"),
        fields.integer("start_index"),
        fields.integer("end_index"),
        fields.integer("duration_ms"),
        fields.reason("reason"),
    ),
    "error": lambda fields: Error(fields.text("code"), fields.text("message", longest=_LONGEST_EXPLANATION)),
}
