from __future__ import annotations

import io
import logging
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from plugandtell.logservice.console import Console
from plugandtell.logservice.entry import Entry
from plugandtell.logservice.logfile import LogFile
from plugandtell.logservice.writer import Inbox, Signal, Writer

from .reading import events_of, lines_of

if TYPE_CHECKING:
    from collections.abc import Iterable

FULL_DISK = Path("/dev/full")
WHERE_OPEN_FILES_CAN_GO = pytest.mark.skipif(os.name == "nt", reason="Windows keeps open files where they are")


def offer(inbox: Inbox, events: Iterable[object]) -> None:
    for event in events:
        message = Entry(0, "info", event, {}) if isinstance(event, str) else event
        inbox.handle(logging.LogRecord("plugandtell", logging.INFO, __file__, 1, message, (), None))


def drained(inbox: Inbox) -> list[str]:
    inbox.signal(Signal.END)
    entries = iter(inbox.queue.get, Signal.END)
    return [f"{e.event} {e.fields.get('count', '')}".strip() for e in entries if isinstance(e, Entry)]


def start(inbox: Inbox, path: Path, stderr: io.StringIO) -> Writer:
    return Writer(inbox, Console(stderr, "client", color=False), LogFile(path, 1_000_000, 1), "client", 7)


class PausedTerminal(io.StringIO):
    """A terminal that takes nothing until it is resumed."""

    def __init__(self) -> None:
        super().__init__()
        self.reached = threading.Event()
        self.resumed = threading.Event()

    def write(self, text: str) -> int:
        self.reached.set()
        self.resumed.wait()
        return super().write(text)


def test_a_full_queue_drops_and_counts() -> None:
    inbox = Inbox(2)
    offer(inbox, "abcde")
    assert drained(inbox) == ["a", "b", "log_events_dropped 3"]


def test_the_count_stands_where_the_events_are_missing() -> None:
    inbox = Inbox(2)
    offer(inbox, "abcd")
    assert [inbox.queue.get(), inbox.queue.get()]
    offer(inbox, "ef")
    assert drained(inbox) == ["log_events_dropped 2", "e", "log_events_dropped 1"]


def test_a_record_that_cannot_be_understood_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    class Broken:
        def __str__(self) -> str:
            raise RuntimeError("no text")

    inbox = Inbox(2)
    offer(inbox, [Broken()])
    assert drained(inbox) == ["log_events_dropped 1"]
    assert capsys.readouterr().err == ""


def test_everything_is_written_in_order_before_the_end(tmp_path: Path) -> None:
    inbox, stderr = Inbox(10_000), io.StringIO()
    writer = start(inbox, tmp_path / "client.log", stderr)
    names = [f"event_{n}" for n in range(100)]
    offer(inbox, names)
    assert writer.finish(timeout_s=30)
    assert events_of(tmp_path / "client.log") == names
    assert [line.split("client  ")[1] for line in stderr.getvalue().splitlines()] == [
        n.replace("_", " ") for n in names
    ]


def test_a_paused_terminal_stops_neither_the_caller_nor_the_end(tmp_path: Path) -> None:
    inbox, stderr = Inbox(3), PausedTerminal()
    writer = start(inbox, tmp_path / "client.log", stderr)
    offer(inbox, ["first"])
    stderr.reached.wait()
    offer(inbox, "abcde")
    assert not writer.finish(timeout_s=0)
    stderr.resumed.set()
    assert writer.finish(timeout_s=30)
    assert [(e["event"], e.get("count")) for e in lines_of(tmp_path / "client.log")] == [
        ("first", None), ("a", None), ("b", None), ("c", None), ("log_events_dropped", 2)
    ]  # fmt: skip


@WHERE_OPEN_FILES_CAN_GO
def test_a_folder_that_vanishes_is_reported_once(tmp_path: Path) -> None:
    folder, stderr = tmp_path / "logs", io.StringIO()
    folder.mkdir()
    inbox = Inbox(100)
    writer = start(inbox, folder / "client.log", stderr)
    folder.rename(tmp_path / "elsewhere")
    offer(inbox, "abc")
    assert writer.finish(timeout_s=30)
    lines = stderr.getvalue().splitlines()
    assert len(lines) == 4
    assert "log file failed" in lines[0]
    assert "client.log" in lines[0]


@pytest.mark.skipif(not FULL_DISK.exists(), reason="needs a file that is always full")
def test_a_full_disk_is_reported_once(tmp_path: Path) -> None:
    (tmp_path / "client.log").symlink_to(FULL_DISK)
    inbox, stderr = Inbox(100), io.StringIO()
    writer = start(inbox, tmp_path / "client.log", stderr)
    offer(inbox, "abc")
    assert writer.finish(timeout_s=30)
    assert stderr.getvalue().count("No space left") == 1
    assert len(stderr.getvalue().splitlines()) == 4
    assert FULL_DISK.exists()


@WHERE_OPEN_FILES_CAN_GO
def test_a_file_that_works_again_says_how_much_is_missing(tmp_path: Path) -> None:
    folder, stderr = tmp_path / "logs", PausedTerminal()
    folder.mkdir()
    inbox = Inbox(100)
    writer = start(inbox, folder / "client.log", stderr)
    folder.rename(tmp_path / "elsewhere")
    offer(inbox, "a")
    stderr.reached.wait()  # the report of the failure is about to be shown
    folder.mkdir()
    stderr.resumed.set()
    offer(inbox, "b")
    assert writer.finish(timeout_s=30)
    assert [(e["event"], e.get("missing")) for e in lines_of(folder / "client.log")] == [
        ("log_file_resumed", 1),
        ("b", None),
    ]
