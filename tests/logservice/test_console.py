from __future__ import annotations

import errno
import io
import os
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugandtell.core.safe_text import escape
from plugandtell.core.status import LogLine
from plugandtell.logservice.console import Console, log_line, render

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

AT = datetime(2026, 3, 1, 15, 35, 0, 848_000).astimezone().isoformat()
STREAM = "1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed"
SEGMENT = "be4adc24-0000-4000-8000-000000000000"


def event(name: str = "voice_detected", level: str = "info", **fields: object) -> dict[str, Any]:
    return {"timestamp": AT, "level": level, "event": name, "process": "client", "pid": 7, **fields}


def shown(name: str = "voice_detected", level: str = "info", *, color: bool = False, **fields: object) -> str:
    return render(event(name, level, **fields), color=color)


def test_reads_at_a_glance() -> None:
    ids = {"client": "laptop", "stream_id": STREAM, "address": "::1", "segment_id": SEGMENT}
    assert render(event("segment_saved", **ids, file="audio/a.wav", seconds=6.52), color=False) == (
        "15:35:00.848  info     segment saved             file=audio/a.wav  seconds=6.52  "
        "segment=be4adc24 stream=1b9d6bcd client=laptop address=::1\n"
    )


def test_without_fields_nothing_trails() -> None:
    assert shown() == "15:35:00.848  info     voice detected\n"


@pytest.mark.parametrize("level", ["debug", "info", "warning", "error", "critical"])
def test_color_adds_nothing_but_color(level: str) -> None:
    colored = shown(level=level, color=True, stream_id=STREAM, at_s=12.3)
    assert re.sub(r"\x1b\[\d+m", "", colored) == shown(level=level, stream_id=STREAM, at_s=12.3)
    assert colored.endswith("  \x1b[2mstream=1b9d6bcd\x1b[0m\n")


@pytest.mark.parametrize(("level", "color"), [("warning", 33), ("error", 31)])
def test_what_needs_attention_has_a_colored_event(level: str, color: int) -> None:
    assert f"\x1b[{color}mserver lost" in shown("server_lost", level, color=True)
    assert "  server lost" in shown("server_lost", color=True)


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
        ({"room": "a\x1b[2J"}, '{"room":"a\\u001b[2J"}'),
        ({"room": "\x9b\u202e"}, '{"room":"\\x9b\\u202e"}'),
        (STREAM, STREAM),
    ],
)
def test_values(value: object, text: str) -> None:
    assert shown(v=value) == shown().rstrip("\n").ljust(47) + f"  v={text}\n"


@pytest.mark.parametrize(
    "hostile", ["\x1b[2J", "\r", "\n15:35:00.848  error", "\x07", "\x7f", "\x9b1m", "\u202e", "\ud800"]
)
def test_a_client_cannot_reach_the_terminal(hostile: str) -> None:
    line = render(event(f"x{hostile}", **{f"key{hostile}": hostile, "client": hostile}), color=False)
    assert line.count("\n") == 1
    assert hostile not in line


def test_an_exception_cannot_forge_a_line() -> None:
    text = shown(level="error", exception="Traceback\nValueError: x\n15:35:00.848  info  \x1b[2Jforged")
    assert [line[:6] for line in text.splitlines()[1:]] == ["    | "] * 3
    assert "\x1b" not in text


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=4,
)
_KEYS = st.sampled_from(["client", "stream_id", "segment_id", "address"]) | st.text().map("x".__add__)


@given(st.text(), st.dictionaries(_KEYS, _VALUES, max_size=4))
def test_a_line_is_one_line_of_visible_characters(name: str, fields: dict[str, Any]) -> None:
    line = render({**event(name), **fields}, color=False)
    assert line.endswith("\n")
    assert escape(line[:-1]) == line[:-1]
    line.encode()


@given(_VALUES)
def test_what_is_called_an_exception_need_not_be_text(value: object) -> None:
    assert shown(exception=value).startswith(shown().rstrip("\n"))


class BreaksOnce(io.StringIO):
    """A stream whose first write fails."""

    def __init__(self) -> None:
        super().__init__()
        self.failures = 0

    def write(self, text: str) -> int:
        if not self.failures:
            self.failures += 1
            raise OSError(errno.EIO, "broken")
        return super().write(text)


@pytest.mark.parametrize("color", [True, False])
@pytest.mark.parametrize(
    ("columns", "left"),
    [
        (None, ["segment", "stream", "client", "address"]),
        (200, ["segment", "stream", "client", "address"]),
        (115, ["segment", "stream", "client"]),
        (98, ["segment", "stream"]),
        (80, ["segment"]),
        (40, []),
        (0, []),
    ],
)
def test_a_line_that_is_too_long_goes_without_ids(columns: int | None, left: list[str], color: bool) -> None:
    ids = {"segment_id": SEGMENT, "stream_id": STREAM, "client": "reception", "address": "127.0.0.1:4711"}
    line = re.sub(r"\x1b\[\d*m", "", render(event(seconds=1.5, **ids), color=color, columns=columns))
    assert re.findall(r"(segment|stream|client|address)=", line) == left
    assert "seconds=1.5" in line
    assert not left or columns is None or len(line) <= columns + 1  # with the line break


def test_a_broken_stream_is_given_up_on_silently_line_by_line() -> None:
    stream = BreaksOnce()
    console = Console(stream, color=False)
    console.show(event("lost"))
    console.show(event("shown"))
    assert stream.failures == 1
    assert "shown" in stream.getvalue()
    assert "lost" not in stream.getvalue()


@pytest.mark.parametrize("stream", [None, io.StringIO()])
def test_where_nothing_can_be_shown_the_program_goes_on(stream: io.StringIO | None) -> None:
    if stream is not None:
        stream.close()
    console = Console(stream, color=False)
    for name in ("one", "two"):
        console.show(event(name))
    assert stream is None or stream.closed


def test_a_stream_that_knows_ascii_only() -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    Console(stream, color=False).show(event("x", label="été"))
    Console(stream, color=False).show(event("y"))
    stream.seek(0)
    assert stream.read().endswith("  y\n")


def test_what_silences_stderr_for_a_moment_does_not_silence_the_console(tmp_path: Path) -> None:
    """PortAudio's start is made to: what it has to say goes nowhere, and so must not what we say meanwhile."""
    with (tmp_path / "stderr").open("w") as stream, (tmp_path / "nowhere").open("w") as nowhere:
        console = Console(stream, color=False)
        os.dup2(nowhere.fileno(), stream.fileno())
        console.show(event("heard"))
        console.close()
        console.show(event("closed"))
    assert (tmp_path / "stderr").read_text().endswith("  heard\n")
    assert (tmp_path / "nowhere").read_text() == ""


def test_what_is_shown_elsewhere_is_not_on_the_console(tmp_path: Path) -> None:
    seen: list[str] = []

    def divert(one: Mapping[str, Any]) -> bool:
        seen.append(one["event"])
        return bool(one["event"] == "first")

    with (tmp_path / "out").open("w") as stream:
        console = Console(stream, color=False, divert=divert)
        for name in ("first", "second"):
            console.show(event(name))
        console.close()
    assert seen == ["first", "second"]
    assert (tmp_path / "out").read_text() == "15:35:00.848  info     second\n"


def test_a_line_for_a_screen_has_no_ids_and_the_last_line_of_a_traceback() -> None:
    line = log_line(event("write_failed", "error", file="a b", stream_id=STREAM, exception="Trace\n  x\nOSError: \x1b"))
    assert line == LogLine("", "error", "15:35:00", 'write failed  file="a b"  OSError: \\x1b')
    assert log_line(event("Foreign \x1b"), "server").text == "Foreign \\x1b"
