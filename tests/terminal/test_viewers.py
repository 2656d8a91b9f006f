"""Who looks at a process, and what becomes of it when they do not."""

from __future__ import annotations

import asyncio
import itertools
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from plugandtell.core.status import ClientStatus, LogLine, Report, ServerStatus, decode
from plugandtell.terminal.choosing import shows_screen, viewer_for
from plugandtell.terminal.viewers import LOOK_EVERY_S, Nobody, Parent, looking

if TYPE_CHECKING:
    from pathlib import Path

EVENT = {"timestamp": "2026-03-01T15:35:00+00:00", "level": "warning", "event": "hole", "at_s": 1}
REPORTING = """
import asyncio, itertools, sys
from plugandtell.core.status import ClientStatus
from plugandtell.terminal.viewers import Parent

async def main():
    viewer = Parent("client")
    numbers = itertools.count()
    async with viewer.viewing(lambda: ClientStatus(source="x" * 10_000 + str(next(numbers))), None):
        await asyncio.sleep(float(sys.argv[1]))
    viewer.divert({"timestamp": "2026-03-01T15:35:00+00:00", "level": "info", "event": "last"})

asyncio.run(main())
print("done", file=sys.stderr)
"""


def reports_in(data: bytes) -> list[Report]:
    return [decode(line) for line in data.decode().splitlines()]


def test_a_parent_reads_what_is_new_and_the_last_word() -> None:
    done = subprocess.run([sys.executable, "-c", REPORTING, "0.35"], capture_output=True, check=True)
    reports = reports_in(done.stdout)
    sources = [one.source.lstrip("x") for one in reports if isinstance(one, ClientStatus)]
    assert sources == sorted(set(sources), key=int)
    assert 2 <= len(sources) <= 6
    assert [(one.process, one.text) for one in reports if isinstance(one, LogLine)] == [("client", "last")]


def test_a_parent_that_does_not_read_holds_up_nobody() -> None:
    """The pipe takes 64 KiB, six snapshots: after that only the latest is kept, and the process goes on and ends."""
    with subprocess.Popen([sys.executable, "-c", REPORTING, "2"], stdout=-1, stderr=-1) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == b"done\n"
        process.kill()


def test_events_are_diverted_but_for_those_that_a_snapshot_tells() -> None:
    reading, writing = os.pipe()
    viewer = Parent("server", writing)
    assert viewer.divert({**EVENT, "event": "transfer_in_progress"})
    assert viewer.divert(EVENT)
    (line,) = reports_in(os.read(reading, 10_000))
    assert isinstance(line, LogLine)
    assert (line.process, line.level, line.text) == ("server", "warning", "hole  at_s=1")
    assert not Nobody().divert(EVENT)


async def test_it_looks_ten_times_a_second_and_posts_what_is_new() -> None:
    numbers, posted = itertools.count(), []
    enough = asyncio.Event()

    def post(status: ClientStatus | ServerStatus) -> None:
        posted.append(status)
        if len(posted) == 3:
            enough.set()

    loop = asyncio.get_running_loop()
    began = loop.time()
    async with looking(lambda: ClientStatus(source=str(next(numbers) // 2)), post):
        await enough.wait()
    assert loop.time() - began > 3 * LOOK_EVERY_S
    assert [status.source for status in posted if isinstance(status, ClientStatus)][:3] == ["0", "1", "2"]


async def test_it_looks_once_more_at_the_end() -> None:
    posted: list[ClientStatus | ServerStatus] = []
    phase = ["begin"]
    first = asyncio.Event()

    def post(status: ClientStatus | ServerStatus) -> None:
        posted.append(status)
        first.set()

    async with looking(lambda: ClientStatus(source=phase[-1]), post):
        await first.wait()
        phase.append("end")
    assert posted[-1] == ClientStatus(source="end")


async def test_a_picture_that_fails_is_logged_and_stops_nothing() -> None:
    failed = asyncio.Event()

    def look() -> ClientStatus:
        failed.set()
        raise ValueError("on purpose")

    with capture_logs() as lines:
        async with looking(look, lambda _: None):
            await failed.wait()
    assert [line["event"] for line in lines] == ["picture_failed"]


def test_what_is_no_terminal_has_no_screen(tmp_path: Path) -> None:
    with (tmp_path / "out").open("w") as stream:
        assert not shows_screen(stream, {"TERM": "xterm"})
    assert not shows_screen(stream, {"TERM": "xterm"})  # closed
    assert not shows_screen(None, {"TERM": "xterm"})
    assert isinstance(viewer_for("client", plain=True, reports=True), Parent)


@pytest.mark.parametrize(("environ", "shown"), [({"TERM": "xterm"}, True), ({"TERM": "dumb"}, False), ({}, False)])
def test_a_terminal_must_be_able_to_and_ours(
    environ: dict[str, str], shown: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = os.openpty()
    with os.fdopen(theirs, "w") as stream:
        assert not shows_screen(stream, environ)  # it is not the terminal of this process
        monkeypatch.setattr(os, "tcgetpgrp", lambda _: os.getpgrp())
        assert shows_screen(stream, environ) is shown
    os.close(ours)
