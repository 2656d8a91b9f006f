from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest

from plugandtell.doctor.finding import Verdict
from plugandtell.doctor.surroundings import (
    Ticks,
    check_clock,
    check_terminal,
    check_versions,
    judge_clock,
    judge_terminal,
)

OK, WARNING = Verdict.OK, Verdict.WARNING
NOW = datetime(2026, 11, 25, tzinfo=UTC)
UTF8 = {"TERM": "xterm", "LANG": "C.UTF-8"}


@pytest.mark.parametrize(
    ("ticks", "verdict", "said"),
    [
        (Ticks(NOW, 0.1, 0.1), OK, "2026-11-25 00:00:00 UTC"),
        (Ticks(NOW.replace(year=1970), 0.1, 0.1), WARNING, "which cannot be"),
        (Ticks(NOW.replace(year=2150), 0.1, 0.1), WARNING, "which cannot be"),
        (Ticks(NOW, 3600.1, 0.1), WARNING, "was set while we looked"),
        (Ticks(NOW, -5.0, 0.1), WARNING, "was set while we looked"),
        (Ticks(NOW, 0.1, 0.0), WARNING, "stands still"),
        (Ticks(NOW, 0.1, -0.1), WARNING, "goes back"),
    ],
)
def test_clocks(ticks: Ticks, verdict: Verdict, said: str) -> None:
    found = judge_clock(ticks)
    assert (found.verdict, said in found.said, bool(found.remedy)) == (verdict, True, verdict is WARNING)


def test_the_clock_of_this_machine_is_read() -> None:
    (found,) = check_clock()
    assert found.name == "clock"


@pytest.mark.parametrize(
    ("size", "encoding", "environ", "verdict", "said"),
    [
        (None, "utf-8", UTF8, OK, "none"),
        ((120, 40), "utf-8", UTF8, OK, "120 columns, 40 rows, UTF-8, colours"),
        ((120, 40), "utf-8", UTF8 | {"NO_COLOR": "1"}, OK, "no colours"),
        ((120, 40), "ascii", UTF8, WARNING, "no UTF-8"),
        ((120, 40), "utf-8", UTF8 | {"TERM": "dumb"}, WARNING, "cannot be drawn on"),
        ((120, 40), "utf-8", {}, WARNING, "cannot be drawn on"),
        ((79, 40), "utf-8", UTF8, WARNING, "small"),
        ((120, 19), "utf-8", UTF8, WARNING, "small"),
    ],
)
def test_terminals(
    size: tuple[int, int] | None, encoding: str, environ: dict[str, str], verdict: Verdict, said: str
) -> None:
    found = judge_terminal(size, encoding, environ)
    assert (found.verdict, said in found.said, bool(found.remedy)) == (verdict, True, verdict is WARNING)


def test_what_is_no_terminal_is_none() -> None:
    closed = io.StringIO()
    closed.close()
    for stream in (None, io.StringIO(), closed):
        (found,) = check_terminal(stream, UTF8)
        assert found.said.startswith("none")


def test_versions_are_told() -> None:
    (found,) = check_versions()
    assert (found.verdict, "plugandtell 0." in found.said, "websockets 1" in found.said) == (OK, True, True)
