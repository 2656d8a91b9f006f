"""From what is to be shown to lines, at any size."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugandtell.core.gate import GateState
from plugandtell.core.status import LineState, Phase, SavedStatus, StreamStatus
from plugandtell.core.talk import TalkState
from plugandtell.terminal.glyphs import ASCII, UNICODE, Glyphs
from plugandtell.terminal.screen import chosen, draw
from plugandtell.terminal.spans import Look, width_of
from plugandtell.terminal.view import View
from tests.terminal.views import INFO, LISTENING, VOICE, WARNING, views

if TYPE_CHECKING:
    from plugandtell.terminal.spans import Line

BOTH = View(client=VOICE, server=LISTENING, log=(WARNING, INFO), has_keys=True)


def text_of(lines: list[Line]) -> str:
    return "\n".join("".join(span.text for span in line).rstrip() for line in lines)


def drawn(view: View, columns: int = 100, rows: int = 30, glyphs: Glyphs = UNICODE) -> str:
    return text_of(draw(view, columns, rows, glyphs))


@given(views, st.integers(0, 130), st.integers(0, 45), st.sampled_from([UNICODE, ASCII]))
def test_it_fills_the_terminal_and_is_never_wider_or_higher(
    view: View, columns: int, rows: int, glyphs: Glyphs
) -> None:
    lines = draw(view, columns, rows, glyphs)
    assert len(lines) == (rows if columns else 0)
    assert all(width_of(line) == columns for line in lines)


@given(views)
def test_nothing_on_it_reaches_the_terminal_as_a_control(view: View) -> None:
    assert all(line.isprintable() for line in drawn(view).split("\n"))


def test_side_by_side() -> None:
    top, *rest = drawn(BOTH, 120).split("\n")
    assert "─ client ─" in top[:60]
    assert "─ server ─" in top[60:]
    text = "\n".join(rest)
    for wanted in ("● voice  4.2 s", "-6 dB", "Built-in microphone  12.0 s", "● connected  ws://127.0.0.1:3000"):
        assert wanted in text
    for wanted in ("0.4 s, 0.4 s of it on disk", "134 kB, 32 kB/s", "1 stream, 32 kB/s, 120 GB free"):
        assert wanted in text
    for wanted in ("● laptop  recording 4.2 s  silence 1.5 ██████░░░░░░", "1 recording in /home/ada/audio"):
        assert wanted in text
    for wanted in ("✓   6.6 s  ▁▆▇▁", "2026-11-23T15-34-00.848Z_laptop.wav", "▲ 12:00:01 client    connection lost"):
        assert wanted in text
    assert "  space  talk on/off   m  mute   q  quit" in text


def test_in_one_column_the_client_is_above() -> None:
    text = drawn(BOTH, 50, 30)
    assert text.index("client") < text.index("● voice") < text.index("server ─") < text.index("● laptop")


def test_few_rows_show_what_matters_most() -> None:
    text = drawn(BOTH, 60, 6)
    for wanted in ("● voice", "● connected", "● listening"):
        assert wanted in text
    assert "╭" not in text


@pytest.mark.parametrize(("columns", "rows"), [(23, 30), (120, 3), (20, 1)])
def test_a_tiny_one_shows_one_line(columns: int, rows: int) -> None:
    assert drawn(BOTH, columns, rows).rstrip().startswith("● voice  4.2 s  0 saved"[:columns])
    assert "\n" not in drawn(BOTH, columns, rows).rstrip()


def test_a_server_alone_in_one_line() -> None:
    assert drawn(View(server=LISTENING), 40, 2).rstrip() == "● listening  1 in, 1 saved"


@pytest.mark.parametrize(
    ("changes", "shown", "look"),
    [
        ({"phase": Phase.STARTING}, "○ starting", Look.QUIET),
        ({"phase": Phase.FINISHING}, "● saving what is left", Look.BUSY),
        ({"gate": GateState.LISTENING}, "● listening", Look.BUSY),
        ({"gate": GateState.PAUSE, "silence_s": 1.5}, "● pause  1.5 of 3 s  ████", Look.WARM),
        ({"talk": TalkState.MUTED}, "● MUTED", Look.BAD),
        ({"talk": TalkState.SILENT}, "● not talking  space: talk", Look.BAD),
        ({"talk": TalkState.TALKING, "gate": GateState.LISTENING}, "● talking", Look.BUSY),
    ],
)
def test_the_states_of_a_client(changes: dict[str, object], shown: str, look: Look) -> None:
    lines = draw(View(client=replace(VOICE, **changes)), 60, 20, UNICODE)  # type: ignore[arg-type]
    assert shown in text_of(lines)
    assert next(span.look for span in lines[1] if span.text.strip() and span.look is not Look.FRAME) is look


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({"line": LineState.CONNECTING}, "● connecting"),
        ({"line": LineState.LOST}, "▲ lost, trying again"),
        ({"lost_s": 3.0}, "3.0 s LOST"),
        ({"leftovers": 2}, "2 left over"),
        ({"recordings": 2, "latest": "a.wav"}, "2 recordings  a.wav"),
    ],
)
def test_what_else_happens_to_a_client(changes: dict[str, object], shown: str) -> None:
    assert shown in drawn(View(client=replace(VOICE, **changes)))  # type: ignore[arg-type]


def test_many_streams_say_how_many_are_not_shown() -> None:
    streams = tuple(StreamStatus(f"desk-{number}") for number in range(30))
    text = drawn(View(server=replace(LISTENING, streams=streams, stream_count=500, saved=())), 60, 20)
    shown = text.count("● desk-")
    assert shown > 5
    assert f"and {500 - shown} more" in text


def test_a_stream_without_its_client_waits() -> None:
    gone = StreamStatus("laptop", is_connected=False, file="a.wav", seconds=1.0)
    assert "▲ laptop  recording 1.0 s  waiting for its client" in drawn(
        View(server=replace(LISTENING, streams=(gone,)))
    )


def test_the_newest_recordings_are_shown_and_one_is_always_named() -> None:
    saved = tuple(SavedStatus(f"{number}.wav", "a", 1.0, "end", (-6,)) for number in range(20))
    server = replace(LISTENING, saved=saved, saved_count=99)
    for rows in range(9, 40):
        text = drawn(View(server=server), 60, rows)
        assert "0.wav" in text
        assert "99 recordings in" in text


def test_ascii_is_enough() -> None:
    assert drawn(BOTH, glyphs=ASCII).isascii()
    assert drawn(BOTH, 10, 2, ASCII).isascii()


def test_stopping_says_how_to_end_at_once() -> None:
    assert "Ctrl-C ends it at once" in drawn(replace(BOTH, is_stopping=True))
    assert "Ctrl-C ends it at once" in drawn(replace(BOTH, client=replace(VOICE, phase=Phase.FINISHING)))


def test_old_warnings_keep_half_of_the_room() -> None:
    infos = tuple(replace(INFO, text=str(number)) for number in range(10))
    log = (replace(WARNING, text="a"), replace(WARNING, text="b"), replace(WARNING, text="c"), *infos)
    assert [line.text for line in chosen(log, 4)] == ["b", "c", "8", "9"]
    assert [line.text for line in chosen(log[:3], 2)] == ["b", "c"]
    assert [line.text for line in chosen(infos, 3)] == ["7", "8", "9"]
    assert chosen((), 5) == []
