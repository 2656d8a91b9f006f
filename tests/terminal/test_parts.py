"""Bars, words, keys, glyphs, and what a terminal is sent."""

from __future__ import annotations

import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugandtell.core.talk import Key
from plugandtell.terminal.bars import bar, graph, meter, waveform
from plugandtell.terminal.glyphs import ASCII, UNICODE, Glyphs, glyphs_for
from plugandtell.terminal.keys import keys_in
from plugandtell.terminal.painter import Painter
from plugandtell.terminal.screen import draw
from plugandtell.terminal.spans import Look, Span, cut, cut_middle, fitted, width_of
from plugandtell.terminal.wording import counted, seconds, size
from tests.terminal.views import views

glyph_sets = st.sampled_from([UNICODE, ASCII])


@given(st.floats(-1, 2), st.integers(0, 80), glyph_sets)
def test_a_bar_is_as_long_as_asked(share: float, columns: int, glyphs: Glyphs) -> None:
    assert width_of(bar(share, columns, glyphs, Look.GOOD)) == columns


@given(st.floats(-90, 10), st.integers(0, 80), glyph_sets)
def test_a_meter_is_as_long_as_asked(level_db: float, columns: int, glyphs: Glyphs) -> None:
    assert width_of(meter(level_db, columns, glyphs)) == columns


def test_a_meter_turns_yellow_and_red() -> None:
    looks = [span.look for span in meter(0, 60, UNICODE) if span.text]
    assert looks == [Look.GOOD, Look.WARM, Look.BAD]
    assert [span.look for span in meter(-30, 60, UNICODE) if span.text] == [Look.GOOD, Look.FRAME]


@given(st.lists(st.integers(-60, 0), max_size=100), st.integers(1, 90), st.integers(1, 5), glyph_sets)
def test_a_graph_fills_its_rows(levels_db: list[int], columns: int, rows: int, glyphs: Glyphs) -> None:
    lines = graph(levels_db, "v" * len(levels_db), columns, rows, glyphs)
    assert [width_of(line) for line in lines] == [columns] * rows


def test_a_graph_has_the_newest_on_the_right_in_its_colour() -> None:
    (line,) = graph([-60, 0], "lm", 4, 1, UNICODE)
    assert line == (Span("  "), Span("▁", Look.QUIET), Span("█", Look.BAD))


def test_a_waveform_keeps_the_peaks_of_what_it_squeezes() -> None:
    assert waveform([-60, -60, 0, -60], 2, UNICODE) == "▁█"
    assert waveform([-60, 0], 9, UNICODE) == "▁█"
    assert waveform([], 9, UNICODE) == ""


@pytest.mark.parametrize(("value", "shown"), [(0, "0.0 s"), (59.94, "59.9 s"), (61, "1:01"), (7384, "2:03:04")])
def test_lengths(value: float, shown: str) -> None:
    assert seconds(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"), [(0, "0 B"), (999, "999 B"), (32_000, "32 kB"), (1_234_567, "1.2 MB"), (5e14, "500.0 TB")]
)
def test_sizes(value: float, shown: str) -> None:
    assert size(value) == shown


def test_plurals() -> None:
    assert (counted(1, "stream"), counted(0, "stream")) == ("1 stream", "0 streams")


@given(st.text(max_size=40), st.integers(0, 40))
def test_what_is_cut_fits(text: str, columns: int) -> None:
    for cut_off in (cut, cut_middle):
        assert width_of((Span(cut_off(text, columns, "…")),)) <= columns


def test_the_middle_of_a_name_goes_first() -> None:
    assert cut_middle("2026-11-23_laptop.wav", 13, "…") == "2026-1…op.wav"
    assert cut("2026-11-23_laptop.wav", 7, "…") == "2026-1…"


def test_wide_signs_are_two_columns() -> None:
    assert width_of(fitted([Span("日本語")], 5)) == 5


@pytest.mark.parametrize(
    ("typed", "keys"),
    [
        ("q", [Key.QUIT]),
        (" mM", [Key.TALK, Key.MUTE, Key.MUTE]),
        ("xyz\r\n", []),
        ("\x1b[A\x1bOq\x1b[1;5mq", [Key.QUIT]),  # arrows and function keys, then q
        ("\x1bq", []),  # with Alt
        ("\x1b", []),
    ],
)
def test_special_keys_mean_nothing(typed: str, keys: list[Key]) -> None:
    assert keys_in(typed) == keys


@pytest.mark.parametrize(
    ("encoding", "environ", "glyphs"),
    [
        ("utf-8", {"LANG": "en_US.UTF-8"}, UNICODE),
        ("UTF8", {}, UNICODE),
        ("iso8859-1", {"LANG": "de_DE"}, ASCII),
        ("utf-8", {"LC_ALL": "C", "LANG": "en_US.UTF-8"}, ASCII),
        ("utf-8", {"LANG": "C.UTF-8", "TERM": "linux"}, ASCII),
        (None, {}, ASCII),
    ],
)
def test_a_terminal_gets_signs_that_it_can_show(encoding: str | None, environ: dict[str, str], glyphs: Glyphs) -> None:
    assert glyphs_for(encoding, environ) is glyphs


def test_only_what_changed_is_painted() -> None:
    painter = Painter(color=True)
    first, second, other = (Span("one"),), (Span("two", Look.GOOD),), (Span("2", Look.GOOD),)
    assert painter.paint([first, second], (3, 2)) == "\x1b[2J\x1b[1;1Hone\x1b[2;1H\x1b[32mtwo\x1b[0m"
    assert painter.paint([first, second], (3, 2)) == ""
    assert painter.paint([first, other], (3, 2)) == "\x1b[2;1H\x1b[32m2\x1b[0m"
    assert "one" in painter.paint([first, other], (4, 2))
    painter.forget()
    assert "one" in painter.paint([first, other], (4, 2))


@given(st.lists(views, min_size=1, max_size=4), st.integers(1, 90), st.integers(1, 30))
def test_what_is_painted_is_what_the_terminal_shows(shown: list[object], columns: int, rows: int) -> None:
    """Whatever was there before: the terminal has the same letters in the same places."""
    screen = pyte.Screen(columns, rows)
    stream = pyte.Stream(screen)
    painter = Painter(color=False)
    for view in shown:
        lines = draw(view, columns, rows, ASCII)  # type: ignore[arg-type]
        stream.feed(painter.paint(lines, (columns, rows)))
    texts = ["".join(span.text for span in line) for line in lines]
    assert [line for line, text in zip(screen.display, texts, strict=True) if text.isascii()] == [
        text for text in texts if text.isascii()
    ]


def test_without_colours_there_is_no_style() -> None:
    assert "m" not in Painter(color=False).paint([(Span("x", Look.BAD),)], (1, 1))
