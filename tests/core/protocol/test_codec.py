from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugandtell.core.errors import ProtocolError
from plugandtell.core.protocol.codec import decode_client, decode_server, encode
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
    from collections.abc import Callable

indexes = st.integers(0, MAX_INDEX - 1)
texts = st.text(st.characters(codec="utf-8"), max_size=256)
moments = st.datetimes(datetime(1971, 1, 1), datetime(8999, 1, 1), timezones=st.just(UTC)).map(  # noqa: DTZ001
    lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000)
)
positions = indexes.flatmap(
    lambda index: st.builds(Position, st.just(index), st.none() | st.integers(0, index)),
)
client_messages: st.SearchStrategy[ClientMessage] = st.one_of(
    st.builds(
        Hello,
        stream_id=st.uuids(),
        sample_rate=st.integers(1, 192_000),
        channels=st.integers(1, 8),
        started_at=moments,
        client=st.builds(ClientInfo, texts, texts),
        labels=st.dictionaries(texts, texts, max_size=16),
        encoding=texts,
        continues=st.none() | st.uuids(),
    ),
    st.builds(Audio, indexes, st.binary(max_size=64)),
    positions,
    st.builds(End, indexes),
)
server_messages: st.SearchStrategy[ServerMessage] = st.one_of(
    st.builds(Welcome, st.uuids(), indexes, st.integers(1, 3_600_000), st.integers(10, 2**30)),
    st.builds(Ack, indexes),
    st.builds(SegmentStarted, st.uuids(), indexes),
    st.tuples(indexes, indexes).flatmap(
        lambda ends: st.builds(
            SegmentSaved,
            st.uuids(),
            st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,100}", fullmatch=True),
            st.just(min(ends)),
            st.just(max(ends)),
            indexes,
            st.sampled_from(EndReason),
        )
    ),
    st.tuples(indexes, indexes).flatmap(
        lambda ends: st.builds(SegmentDiscarded, st.uuids(), st.just(min(ends)), st.just(max(ends)))
    ),
    st.builds(Error, texts, st.text(st.characters(codec="utf-8"), max_size=4096)),
)


@given(client_messages)
def test_what_a_client_says_arrives(message: ClientMessage) -> None:
    assert decode_client(encode(message)) == message


@given(server_messages)
def test_what_a_server_says_arrives(message: ServerMessage) -> None:
    assert decode_server(encode(message)) == message


@given(client_messages | server_messages)
def test_control_messages_are_one_line_of_text_that_utf_8_can_carry(message: ClientMessage | ServerMessage) -> None:
    encoded = encode(message)
    if isinstance(message, Audio):
        assert isinstance(encoded, bytes)
    else:
        assert isinstance(encoded, str)
        assert b"\n" not in encoded.encode()


def test_audio_is_its_index_in_eight_bytes_and_then_the_samples() -> None:
    assert encode(Audio(0x0102, b"ab")) == b"\x02\x01\0\0\0\0\0\0ab"
    assert encode(Audio(0x0102, memoryview(b"ab"))) == b"\x02\x01\0\0\0\0\0\0ab"


def test_received_audio_is_not_copied() -> None:
    raw = bytes(8) + b"ab"
    message = decode_client(raw)
    assert isinstance(message, Audio)
    assert isinstance(message.pcm, memoryview)
    assert message.pcm.obj is raw


def test_a_position_without_a_word_on_voice_carries_none() -> None:
    assert encode(Position(7)) == '{"type":"position","index":7}'
    assert decode_client('{"type":"position","index":7,"voiced_to":null}') == Position(7)


HELLO: dict[str, Any] = {
    "type": "hello",
    "stream_id": "00000000-0000-0000-0000-00000000000a",
    "sample_rate": 16_000,
    "channels": 1,
    "encoding": "pcm_s16le",
    "started_at": "2026-11-23T15:35:00.848Z",
    "client": {"name": "microphone", "version": "1"},
    "labels": {"name": "laptop"},
}
POSITION: dict[str, Any] = {"type": "position", "index": 10, "voiced_to": 4}
END: dict[str, Any] = {"type": "end", "index": 10}
WELCOME: dict[str, Any] = {
    "type": "welcome",
    "stream_id": "00000000-0000-0000-0000-00000000000a",
    "resume_from": 0,
    "silence_ms": 3000,
    "max_message_bytes": 1_048_576,
}
ACK: dict[str, Any] = {"type": "ack", "stored_to": 5}
STARTED: dict[str, Any] = {
    "type": "segment_started",
    "segment_id": "00000000-0000-0000-0000-00000000000a",
    "start_index": 5,
}
SAVED: dict[str, Any] = {
    "type": "segment_saved",
    "segment_id": "00000000-0000-0000-0000-00000000000a",
    "file": "a.wav",
    "start_index": 5,
    "end_index": 15,
    "duration_ms": 1,
    "reason": "silence",
}
ERROR: dict[str, Any] = {"type": "error", "code": "x", "message": "y"}
FROM_CLIENT = [HELLO, POSITION, END]
FROM_SERVER = [WELCOME, ACK, STARTED, SAVED, ERROR]
OPTIONAL = {"labels", "voiced_to", "continues"}
WRONG: list[object] = [True, 1.5, [], "\ud800"]


def decode(fields: dict[str, Any]) -> ClientMessage | ServerMessage:
    raw = json.dumps(fields)
    return decode_client(raw) if fields["type"] in {"hello", "position", "end"} else decode_server(raw)


def refused(fields: dict[str, Any]) -> ProtocolError:
    with pytest.raises(ProtocolError) as caught:
        decode(fields)
    assert caught.value.raw == json.dumps(fields)
    assert caught.value.close_code == CloseCode.INVALID_DATA
    assert caught.value.message.encode()
    assert len(caught.value.message) < 400
    return caught.value


@pytest.mark.parametrize("fields", [*FROM_CLIENT, *FROM_SERVER], ids=lambda fields: fields["type"])
def test_unknown_fields_are_ignored(fields: dict[str, Any]) -> None:
    assert decode(fields | {"later": {"version": [2, "\ud800"]}}) == decode(fields)


@pytest.mark.parametrize(
    ("fields", "name"),
    [(fields, name) for fields in [*FROM_CLIENT, *FROM_SERVER] for name in fields if name != "type"],
)
def test_a_field_that_is_missing_or_of_the_wrong_type_is_named(fields: dict[str, Any], name: str) -> None:
    for wrong in WRONG:
        error = refused(fields | {name: wrong})
        assert error.code == "field_invalid"
        assert f"the field {name} is " in error.message
    without = {key: value for key, value in fields.items() if key != name}
    if name in OPTIONAL:
        decode(without)
    else:
        assert f"the field {name} is missing" in refused(without).message


@pytest.mark.parametrize(
    ("fields", "change", "said"),
    [
        (HELLO, {"client": {"name": "x"}}, "client.version is missing"),
        (HELLO, {"client": {"name": "x", "version": 1}}, "client.version is 1,"),
        (HELLO, {"stream_id": "me"}, "stream_id is 'me', but must be a UUID"),
        (HELLO, {"sample_rate": 0}, "sample_rate is 0, but must be a whole number from 1"),
        (HELLO, {"channels": -1}, "channels is -1,"),
        (HELLO, {"started_at": "2026-11-23T15:35:00"}, "started_at is '2026-11-23T15:35:00', but must be a time"),
        (HELLO, {"started_at": "9999-12-31T23:59:59-23:59"}, "started_at is "),
        (HELLO, {"started_at": "1970-01-01T00:00:00+05:00"}, "started_at is "),
        (HELLO, {"started_at": "8999-12-31T23:00:00-05:00"}, "started_at is "),
        (HELLO, {"labels": {"name": 1}}, "labels.name is 1,"),
        (HELLO, {"labels": {"\ud800": "x"}}, "labels is an object of 1,"),
        (HELLO, {"labels": {"x" * 5000: "x"}}, "labels is an object of 1,"),
        (HELLO, {"labels": {str(key): "" for key in range(17)}}, "labels is an object of 17,"),
        (POSITION, {"index": MAX_INDEX}, f"index is {MAX_INDEX}, but must be a whole number from 0 to {MAX_INDEX - 1}"),
        (POSITION, {"index": 10**300}, "index is 1000000000"),
        (POSITION, {"index": "10"}, "index is '10',"),
        (POSITION, {"index": 1e3}, "index is 1000.0,"),
        (POSITION, {"voiced_to": 11}, "voiced_to is 11, but must be a whole number from 0 to 10"),
        (END, {"index": -1}, "index is -1,"),
        (WELCOME, {"silence_ms": 0}, "silence_ms is 0,"),
        (WELCOME, {"max_message_bytes": 9}, "max_message_bytes is 9,"),
        (SAVED, {"reason": "boredom"}, "reason is 'boredom', but must be one of silence, disconnect,"),
        (SAVED, {"end_index": 4}, "end_index is 4, but must be a whole number from 5"),
        (ERROR, {"message": "x" * 4097}, "message is 'xxx"),
        ({"type": "end"}, {}, "index is missing"),
    ],
)
def test_a_value_out_of_range_is_named(fields: dict[str, Any], change: dict[str, Any], said: str) -> None:
    assert f"the field {said}" in refused(fields | change).message


@pytest.mark.parametrize("kind", ["dance", "", "ack", None, 5, ["hello"], {"hello": 1}])
def test_an_unknown_type_is_answered_with_the_known_ones(kind: object) -> None:
    raw = json.dumps({"type": kind, "index": 1})
    with pytest.raises(ProtocolError, match=r"type is .* must be one of hello, position, end") as caught:
        decode_client(raw)
    assert (caught.value.close_code, caught.value.raw) == (CloseCode.INVALID_DATA, raw)


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "speak",
        "[]",
        "null",
        "5",
        '"hello"',
        '{"type":"end","index":NaN}',
        '{"type":"end","index":1,"later":Infinity}',
        "[" * 100_000,
        '{"type":' * 100_000,
        '{"type":"end","index":' + "9" * 10_000 + "}",
    ],
    ids=lambda raw: raw[:20],
)
def test_what_is_no_json_object_is_refused(raw: str) -> None:
    for decoder in (decode_client, decode_server):
        with pytest.raises(ProtocolError) as caught:
            decoder(raw)
        assert (caught.value.close_code, caught.value.code) == (CloseCode.INVALID_DATA, "not_json")
        assert caught.value.raw == raw
        assert len(caught.value.message) < 200


@pytest.mark.parametrize("depth", [100, 900, 950, 980, 990])
def test_a_value_nested_as_deep_as_json_goes_is_still_shown(depth: int) -> None:
    raw = '{"type": ' + "[" * depth + "]" * depth + "}"
    with pytest.raises(ProtocolError) as caught:
        decode_client(raw)
    assert caught.value.close_code == CloseCode.INVALID_DATA


@pytest.mark.parametrize("size", range(8))
def test_a_binary_message_without_room_for_its_index_is_refused(size: int) -> None:
    with pytest.raises(ProtocolError, match=f"of {size} bytes") as caught:
        decode_client(bytes(size))
    assert (caught.value.close_code, caught.value.raw) == (CloseCode.INVALID_AUDIO, bytes(size))


def test_an_index_out_of_range_is_refused() -> None:
    assert decode_client((MAX_INDEX - 1).to_bytes(8, "little")) == Audio(MAX_INDEX - 1, b"")
    raw = MAX_INDEX.to_bytes(8, "little") + b"ab"
    with pytest.raises(ProtocolError, match=f"start index {MAX_INDEX} is not below") as caught:
        decode_client(raw)
    assert (caught.value.close_code, caught.value.code) == (CloseCode.INVALID_AUDIO, "index_out_of_range")
    assert caught.value.raw == raw


def test_a_server_that_sends_bytes_is_refused() -> None:
    with pytest.raises(ProtocolError) as caught:
        decode_server(b"audio")
    assert (caught.value.close_code, caught.value.raw) == (CloseCode.UNSUPPORTED_DATA, b"audio")


def test_a_stream_id_may_be_spelled_in_any_usual_way() -> None:
    hello = decode(HELLO | {"stream_id": "{0000000000000000000000000000000A}"})
    assert isinstance(hello, Hello)
    assert hello.stream_id == UUID(int=10)


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=10)
    | st.sampled_from(["hello", "position", "end", "ack", "silence", HELLO["stream_id"], HELLO["started_at"]]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(), max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
mangled = st.sampled_from([*FROM_CLIENT, *FROM_SERVER]).flatmap(
    lambda fields: st.dictionaries(st.sampled_from(list(fields)), values, max_size=3).map(
        lambda changes: json.dumps(fields | changes)
    )
)


@given(st.binary(max_size=40) | st.text(st.characters()) | values.map(json.dumps) | mangled)
def test_whatever_arrives_is_a_message_or_a_protocol_error_that_can_be_sent_back(raw: str | bytes) -> None:
    for decoder in (decode_client, decode_server):
        encoded = encode(message_or_answer(decoder, raw))
        assert isinstance(encoded, bytes) or encoded.encode()


def message_or_answer(
    decoder: Callable[[str | bytes], ClientMessage | ServerMessage], raw: str | bytes
) -> ClientMessage | ServerMessage:
    try:
        return decoder(raw)
    except ProtocolError as caught:
        error = caught
    assert error.raw is raw
    assert error.close_code in {CloseCode.INVALID_DATA, CloseCode.INVALID_AUDIO, CloseCode.UNSUPPORTED_DATA}
    answer = Error(error.code, error.message)
    assert decode_server(encode(answer)) == answer
    return answer


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../a.wav", "a/b.wav", "a\\b.wav", "-rf", ".wav", "a\x1b[2J.wav", "a\n.wav", "é"]
)
def test_a_recording_has_a_plain_name(name: str) -> None:
    raw = encode(SegmentSaved(UUID(int=1), name, 0, 1, 1, EndReason.END))
    with pytest.raises(ProtocolError, match="file is ") as caught:
        decode_server(raw)
    assert caught.value.close_code == CloseCode.INVALID_DATA
    assert str(caught.value).isprintable()
