from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugandtell.core.json_object import InvalidField, JsonObject, NotJson, shown, utc_text

if TYPE_CHECKING:
    from collections.abc import Callable

READERS: dict[str, Callable[[JsonObject], object]] = {
    "text": lambda fields: fields.text("x"),
    "one_of": lambda fields: fields.one_of("x", ["red", "blue"]),
    "integer": lambda fields: fields.integer("x", minimum=-3, maximum=5),
    "uuid": lambda fields: fields.uuid("x"),
    "moment": lambda fields: fields.moment("x"),
    "object": lambda fields: fields.object("x"),
    "objects": lambda fields: fields.objects("x"),
    "texts": lambda fields: fields.texts("x"),
}


@pytest.mark.parametrize(
    ("reader", "value", "expected"),
    [
        ("text", "", ""),
        ("text", "ü" * 256, "ü" * 256),
        ("one_of", "red", "red"),
        ("integer", -3, -3),
        ("integer", 5, 5),
        ("uuid", "00000000-0000-0000-0000-00000000000a", UUID(int=10)),
        ("moment", "2026-11-23T15:35:00.848Z", datetime(2026, 11, 23, 15, 35, 0, 848_000, tzinfo=UTC)),
        ("moment", "2026-11-23T15:35:00+01:00", datetime(2026, 11, 23, 14, 35, tzinfo=UTC)),
        ("objects", [], []),
        ("texts", {"a": "b"}, {"a": "b"}),
    ],
)
def test_a_field_of_the_right_type_is_read(reader: str, value: object, expected: object) -> None:
    assert READERS[reader](JsonObject({"x": value})) == expected


@pytest.mark.parametrize(
    ("reader", "value"),
    [
        ("text", 5),
        ("text", None),
        ("text", "x" * 257),
        ("text", "\ud800"),
        ("one_of", "green"),
        ("one_of", ["red"]),
        ("one_of", {}),
        ("integer", True),
        ("integer", 1.0),
        ("integer", "1"),
        ("integer", -4),
        ("integer", 6),
        ("integer", 10**400),
        ("uuid", "x"),
        ("uuid", 5),
        ("moment", "yesterday"),
        ("moment", "2026-11-23T15:35:00"),
        ("moment", "1969-12-31T23:59:59Z"),
        ("moment", "9900-01-01T00:00:00Z"),
        ("moment", "1970-01-01T00:00:00+05:00"),  # 1969 in UTC
        ("moment", "9899-12-31T23:00:00-05:00"),  # 9900 in UTC
        ("moment", "9999-12-31T23:00:00-05:00"),  # beyond the last year in UTC
        ("moment", "0001-01-01T00:00:00+14:00"),
        ("moment", 1_700_000_000),
        ("object", []),
        ("object", "{}"),
        ("objects", {}),
        ("objects", [{}, 1]),
        ("texts", []),
        ("texts", {"a": 1}),
        ("texts", {"a": "\udfff"}),
        ("texts", {"\udfff": "a"}),
        ("texts", {"k" * 257: "a"}),
        ("texts", {str(key): "a" for key in range(17)}),
    ],
)
def test_anything_else_is_named_with_its_value_in_words_that_can_be_sent(reader: str, value: object) -> None:
    with pytest.raises(InvalidField, match=r"^x(\.a)? is .+, but must be .+") as error:
        READERS[reader](JsonObject({"x": value}))
    assert len(str(error.value).encode()) < 400


def test_times_are_told_in_utc_to_the_millisecond() -> None:
    assert utc_text(datetime.fromisoformat("2026-11-23T16:35:00.848999+01:00")) == "2026-11-23T15:35:00.848Z"


@pytest.mark.parametrize("reader", READERS)
def test_a_missing_field_is_named(reader: str) -> None:
    with pytest.raises(InvalidField, match=r"^x is missing$"):
        READERS[reader](JsonObject({"y": 1}))


def test_a_field_of_a_field_is_named_with_its_path() -> None:
    fields = JsonObject.parse('{"gaps": [{}, {"at": {"index": -1}}]}')
    with pytest.raises(InvalidField, match=r"^gaps\[1\]\.at\.index is -1, but must be"):
        fields.objects("gaps")[1].object("at").integer("index")


def test_null_is_not_there() -> None:
    fields = JsonObject.parse('{"a": null, "b": 0}')
    assert [fields.has(name) for name in "abc"] == [False, True, False]


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "1", '"{}"', '{"a": NaN}', '{"a": -Infinity}', "{'a': 1}"])
def test_what_is_no_json_object_is_shown(text: str) -> None:
    with pytest.raises(NotJson) as error:
        JsonObject.parse(text)
    assert shown(text) in str(error.value)


@pytest.mark.parametrize("depth", [10, 300, *range(900, 1000), 5_000, 200_000])
def test_no_depth_of_nesting_is_too_deep(depth: int) -> None:
    """Where the parser gives up depends on the interpreter; below that, the value has still to be shown."""
    try:
        fields = JsonObject.parse('{"x": ' + "[" * depth + "]" * depth + "}")
    except NotJson:
        return
    for name in ("text", "one_of", "integer", "uuid", "moment", "object", "objects", "texts"):
        with pytest.raises(InvalidField, match=r"^x is a list of 1, but must be .{1,100}$"):
            READERS[name](fields)


def test_a_number_beyond_what_can_be_turned_into_one_is_not_json() -> None:
    with pytest.raises(NotJson):
        JsonObject.parse('{"x": ' + "9" * 10_000 + "}")


@given(st.text(st.characters()) | st.integers() | st.floats() | st.none() | st.lists(st.integers()))
def test_any_value_is_shown_short_and_printable(value: object) -> None:
    assert len(shown(value)) <= 81
    assert shown(value).isprintable()


@given(st.text(st.characters()))
def test_arbitrary_text_is_an_object_or_refused(text: str) -> None:
    try:
        JsonObject.parse(text)
    except NotJson:
        return
    assert isinstance(json.loads(text), dict)
