from __future__ import annotations

import json
from array import array
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from fractions import Fraction
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugandtell.logservice.entry import plain, plain_fields

SAMPLES = np.arange(320, dtype=np.int16)


class Reason(StrEnum):
    SILENCE = "silence"


class Code(IntEnum):
    BUSY = 1013


@dataclass(frozen=True, slots=True)
class Chunk:
    index: int
    payload: bytes
    token: str


class Unshowable:
    def __str__(self) -> str:
        raise ValueError("no")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, None),
        (True, True),
        (7, 7),
        (2**80, hex(2**80)),
        (1.5, 1.5),
        (float("inf"), "inf"),
        (Fraction(1, 2), 0.5),
        (np.float32(0.5), 0.5),
        (np.float64(0.5), 0.5),
        (np.int16(-3), -3),
        (np.bool_(True), True),
        (np.array(0.5), 0.5),
        ("text", "text"),
        (Reason.SILENCE, "silence"),
        (Code.BUSY, 1013),
        (Path("a") / "b", str(Path("a") / "b")),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        ((1, "b"), [1, "b"]),
        ({"a": {1: None}}, {"a": {"1": None}}),
        (OSError("disk full"), "OSError: disk full"),
        (TimeoutError(), "TimeoutError"),
        (Unshowable(), "<Unshowable that cannot be shown>"),
        (Chunk(3, b"1234", "abc"), {"index": 3, "payload": "<4 bytes>", "token": "***"}),
    ],
)
def test_values_become_what_json_holds(value: object, shown: object) -> None:
    found = plain(value)
    assert found == shown
    assert type(found) is type(shown)


@pytest.mark.parametrize(
    "audio",
    [SAMPLES.tobytes(), bytearray(640), memoryview(SAMPLES.tobytes()), array("h", SAMPLES), SAMPLES, SAMPLES[::1]],
)
def test_audio_becomes_its_size(audio: object) -> None:
    assert plain({"deep": [audio]}) == {"deep": ["<640 bytes>"]}


def test_a_list_of_samples_is_cut() -> None:
    found = plain(SAMPLES.tolist())
    assert isinstance(found, list)
    assert found[-1] == "<256 more>"
    assert len(found) == 65


@pytest.mark.parametrize("key", ["token", "Authorization", "password", "secret", "auth_token", "X-Client-Secret"])
def test_secrets_are_hidden_at_any_depth(key: str) -> None:
    assert plain_fields({key: "s3cret"}) == {key: "***"}
    assert plain_fields({"headers": [{key: ["s3cret"]}]}) == {"headers": [{key: "***"}]}


def test_what_only_sounds_like_a_secret_is_shown() -> None:
    assert plain_fields({"tokens": 3, "token_count": 4}) == {"tokens": 3, "token_count": 4}


def test_a_structure_that_contains_itself_ends() -> None:
    knot: list[Any] = []
    knot.append(knot)
    assert "<too deep>" in json.dumps(plain(knot))


_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner),
)


@given(_ANYTHING)
def test_everything_fits_into_strict_json(value: object) -> None:
    found = plain(value)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
