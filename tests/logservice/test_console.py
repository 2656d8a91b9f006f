from __future__ import annotations

import io
import re
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugandtell.logservice.console import Console, escape, render
from plugandtell.logservice.entry import Entry, Plain

AT_S = datetime(2026, 3, 1, 15, 35, 0, 848_000).astimezone().timestamp()
STREAM = "1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed"


def shown(event: str = "voice_detected", level: str = "info", color: bool = False, **fields: Plain) -> str:
    return render(Entry(AT_S, level, event, fields), "client", color=color)


def test_reads_at_a_glance() -> None:
    assert shown(stream=STREAM, at_s=12.3) == (
        "15:35:00.848  info     client  voice detected            stream=1b9d6bcd  at_s=12.3\n"
    )


def test_without_fields_nothing_trails() -> None:
    assert shown() == "15:35:00.848  info     client  voice detected\n"


def test_color_adds_nothing_but_color() -> None:
    colored = shown(level="error", color=True, stream=STREAM)
    assert "\x1b[31m" in colored
    assert "\x1b[36mclient" in colored
    assert re.sub(r"\x1b\[\d+m", "", colored) == shown(level="error", stream=STREAM)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("plain", "plain"),
        ("", '""'),
        ("two words", '"two words"'),
        ("a=b", '"a=b"'),
        ('say "no" \\', r'"say \"no\" \\"'),
        ("C:\\logs", "C:\\logs"),
        ("été 🎤", '"été 🎤"'),
        (None, "null"),
        (True, "true"),
        (1234567.8912, "1234567.891"),
        (0.00012345, "0.000123"),
        ({"room": "a\x1b[2J"}, '{"room":"a\\u001b[2J"}'),
        ({"room": "\x9b\u202e"}, '{"room":"\\x9b\\u202e"}'),
        (f"audio/{STREAM}.wav", f"audio/{STREAM}.wav"),
    ],
)
def test_values(value: Plain, text: str) -> None:
    assert shown(v=value) == shown().rstrip("\n").ljust(55) + f"  v={text}\n"


@pytest.mark.parametrize(
    "hostile", ["\x1b[2J", "\r", "\n15:35:00.848  error", "\x07", "\x7f", "\x9b1m", "\u202e", "\ud800"]
)
def test_a_client_cannot_reach_the_terminal(hostile: str) -> None:
    line = render(Entry(AT_S, "info", f"x{hostile}", {f"key{hostile}": hostile}), "client", color=False)
    assert line.count("\n") == 1
    assert hostile not in line


def test_an_exception_cannot_forge_a_line() -> None:
    text = shown(level="error", exception="Traceback\nValueError: x\n15:35:00.848  info  \x1b[2Jforged")
    assert [line[:6] for line in text.splitlines()[1:]] == ["    | "] * 3
    assert "\x1b" not in text


@given(st.text(), st.text(), st.text())
def test_a_line_is_one_line_of_visible_characters(event: str, key: str, value: str) -> None:
    line = render(Entry(AT_S, "info", event, {key + "!": value}), "client", color=False)
    assert line.endswith("\n")
    assert escape(line[:-1]) == line[:-1]
    line.encode()


def test_a_broken_stream_is_given_up_on_silently() -> None:
    closed = io.StringIO()
    closed.close()
    for stream in (closed, None):
        Console(stream, "client", color=False).write(Entry(AT_S, "info", "x", {}))


def test_a_stream_that_knows_ascii_only() -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    Console(stream, "client", color=False).write(Entry(AT_S, "info", "x", {"label": "été"}))
    Console(stream, "client", color=False).write(Entry(AT_S, "info", "y", {}))
    stream.seek(0)
    assert stream.read().endswith("client  y\n")
