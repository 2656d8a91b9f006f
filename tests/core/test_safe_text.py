from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugandtell.core.safe_text import escape, escape_json, escape_lines, foreign

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Küche 🎤", "Küche 🎤"),
        ("a\nb\r", r"a\nb\r"),
        ("\x1b[2J\x9b1m\x7f\x00", r"\x1b[2J\x9b1m\x7f\x00"),
        ("gpj\u202eexe", r"gpj\u202eexe"),
        ("\u200b\u2028\ud800", r"\u200b\u2028\ud800"),
    ],
)
def test_what_is_invisible_is_spelled_out(text: str, shown: str) -> None:
    assert escape(text) == shown


@given(st.text())
def test_no_text_reaches_the_terminal(text: str) -> None:
    assert escape(text).isprintable()
    assert foreign(text, 20).isprintable()
    assert len(foreign(text, 20)) <= 21
    assert all(line.isprintable() for line in escape_lines(text).split("\n"))


def test_what_a_peer_says_is_cut() -> None:
    assert foreign("x" * 10_000, 5) == "xxxxx…"
    assert foreign("xxxxx", 5) == "xxxxx"


@given(JSON)
def test_escaped_json_reads_the_same_and_shows_all(value: object) -> None:
    text = escape_json(json.dumps(value, ensure_ascii=False, indent=1))
    assert json.loads(text) == value
    assert all(line.isprintable() for line in text.split("\n"))
