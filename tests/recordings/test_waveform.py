from __future__ import annotations

import pytest

from plugandtell.recordings.waveform import dbfs, gap_line, time_line, waveform


def test_bars_are_as_high_as_they_are_loud() -> None:
    assert waveform([0.5, 0.25, 0.01, 0.0, 0.375], is_plain=False) == ["█", "█   █", "██  █", "██▁ █"]


def test_a_terminal_without_blocks_gets_letters() -> None:
    assert waveform([0.5, 0.25, 0.01, 0.0, 0.375], is_plain=True) == ["#", "#   #", "##  #", "##. #"]


@pytest.mark.parametrize("is_plain", [True, False])
def test_silence_is_empty(is_plain: bool) -> None:
    assert waveform([0.0] * 9, is_plain=is_plain) == [""] * 4
    assert waveform([], is_plain=is_plain) == [""] * 4


def test_gaps_are_marked_where_they_are_however_short() -> None:
    assert gap_line([(0.0, 0.2), (0.55, 0.5501), (1.0, 1.0)], 10, is_plain=True) == "xx   x   x"
    assert gap_line([(0.0, 1.0)], 3, is_plain=False) == "░░░"
    assert gap_line([], 10, is_plain=False) == ""


def test_times_stand_below_the_columns_at_which_they_begin() -> None:
    assert time_line(64.0, 64) == "0:00.0          0:16.0          0:32.0          0:48.0"
    assert time_line(64.0, 50) == "0:00.0          0:20.5          0:41.0"  # no room for the last
    assert time_line(64.0, 3) == "0:00.0"


def test_levels_end_at_what_nobody_hears() -> None:
    assert dbfs(1.0) == 0.0
    assert dbfs(0.5) == pytest.approx(-6.02, abs=0.01)
    assert dbfs(0.0) == dbfs(1e-9) == -60.0
