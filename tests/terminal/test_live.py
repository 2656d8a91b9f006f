"""The loop that draws, on a pty of the test's own."""

from __future__ import annotations

import re
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from plugandtell.core.status import ClientStatus, LogLine
from plugandtell.terminal.board import Board
from plugandtell.terminal.view import View
from tests.support.terminal import in_terminal

if TYPE_CHECKING:
    from pathlib import Path

BUSY = """
import asyncio, itertools, sys, time
from plugandtell.core.status import ClientStatus, Phase
from plugandtell.terminal.person import new_screen
from plugandtell.terminal.view import View

async def main(changes_s, rest_s):
    board, live = new_screen(View(client=ClientStatus()), reads_stdin=False)
    with live.showing(lambda _: None):
        began = time.monotonic()
        for number in itertools.count():
            if time.monotonic() - began > changes_s:
                break
            board.post(ClientStatus(Phase.RUNNING, source=f"number {number}"))
            await asyncio.sleep(0.001)
        board.post(ClientStatus(Phase.RUNNING, source="at rest"))
        await asyncio.sleep(rest_s)
    print(f"{time.monotonic() - began:.3f} s")

asyncio.run(main(float(sys.argv[1]), float(sys.argv[2])))
"""
TEARING = """
import asyncio, os, subprocess, sys
from plugandtell.core.status import ClientStatus, LogLine, Phase
from plugandtell.terminal.person import new_screen
from plugandtell.terminal.view import View

async def main():
    board, live = new_screen(View(client=ClientStatus(Phase.RUNNING)), reads_stdin=False)
    with live.showing(lambda _: None):
        os.write(2, b"ALSA lib: no such thing\\n")
        subprocess.run(["sh", "-c", "echo from a child >&2"])
        print("a name")
        print("for a person", file=sys.stderr)
        board.post(LogLine("", "warning", "12:00:00", "this is severe"))
        board.post(LogLine("", "info", "12:00:00", "this is not"))
        await asyncio.sleep(0.3)
        if sys.argv[1] == "raise":
            raise ValueError("on purpose")
        if sys.argv[1] == "exit":
            sys.exit(3)

asyncio.run(main())
"""


def python(program: str) -> tuple[str, ...]:
    return (sys.executable, "-c", program)


async def test_it_draws_ten_times_a_second_at_most_and_only_what_is_new(tmp_path: Path) -> None:
    async with in_terminal(tmp_path, "1.0", "1.0", program=python(BUSY)) as terminal:
        await terminal.shows("at rest")
        drawn = terminal.raw.count(b"number ")
        await terminal.ended()
        assert 3 <= drawn <= 12
        # What comes while nothing changes: nothing but the return to the first screen.
        rest = terminal.raw.partition(b"at rest")[2]
        assert len(rest) < 1500
        assert rest.count(b"\x1b[1;1H") == 0
        assert terminal.is_as_before()


@pytest.mark.parametrize(("how", "status"), [("return", 0), ("raise", 1), ("exit", 3)])
async def test_what_is_printed_does_not_tear_it_and_is_told_afterwards(tmp_path: Path, how: str, status: int) -> None:
    async with in_terminal(tmp_path, how, program=python(TEARING)) as terminal:
        await terminal.shows("╭─ client")
        assert await terminal.ended() == status
        assert terminal.is_as_before()
    screen, _, after = terminal.raw.rpartition(b"\x1b[?1049l")
    for line in (b"ALSA lib: no such thing", b"from a child", b"for a person", b"this is severe"):
        assert screen.count(line) == 1  # in the strip
        assert line in after
    assert b"a name" not in screen
    assert b"a name" in after
    assert b"this is not" not in after
    assert (b"ValueError: on purpose" in after) is (how == "raise")


async def test_a_terminal_that_is_paused_stops_nothing_but_the_picture(tmp_path: Path) -> None:
    async with in_terminal(tmp_path, "1.5", "0.1", program=python(BUSY)) as terminal:
        await terminal.shows("number")
        terminal.type("\x13")  # Ctrl-S
        await terminal.ended()
        assert terminal.is_as_before()
    passed = re.search(rb"(\d\.\d{3}) s", terminal.raw)
    assert passed is not None, terminal.raw[-600:]
    assert float(passed[1]) >= 1.6


def test_a_board_waits_for_news_and_ends() -> None:
    board = Board(View(), has_keys=True)
    assert board.wait(0) == View(has_keys=True)
    board.post(ClientStatus(source="a"))
    board.post(LogLine("", "info", "", "b"))
    view = board.wait(60)
    assert view == View(ClientStatus(source="a"), None, (LogLine("", "info", "", "b"),), has_keys=True)
    waiting = threading.Thread(target=lambda: board.wait(60))
    waiting.start()
    board.close()
    waiting.join(20)
    assert not waiting.is_alive()
    assert board.wait(60) is None


def test_a_board_keeps_the_last_warnings_whatever_comes_after_them() -> None:
    board = Board(View())
    board.post(LogLine("", "error", "", "first"))
    for number in range(1000):
        board.post(LogLine("", "info", "", str(number)))
    view = board.wait(0)
    assert view is not None
    assert (view.log[0].text, view.log[-1].text) == ("first", "999")
    assert len(view.log) < 250
    assert [line.text for line in board.severe] == ["first"]
