from __future__ import annotations

import io
import json
import logging
import re
import threading
from pathlib import Path
from queue import Queue
from typing import TYPE_CHECKING, Any

import pytest

from plugandtell.logservice import bound_contextvars
from plugandtell.logservice.console import Console
from plugandtell.logservice.logfile import LogFile
from plugandtell.logservice.processors import json_formatter
from plugandtell.logservice.writer import Inbox, Writer

from .reading import events_of

if TYPE_CHECKING:
    from collections.abc import Iterable

FULL_DISK = Path("/dev/full")


def inbox_of(capacity: int) -> Inbox:
    return Inbox(Queue(capacity), json_formatter("client", 7))


def offer(inbox: Inbox, events: Iterable[object]) -> None:
    for event in events:
        inbox.handle(logging.LogRecord("asyncio", logging.INFO, __file__, 1, event, (), None))


def taken(inbox: Inbox) -> list[dict[str, Any]]:
    found = []
    while not inbox.queue.empty():
        found.append(json.loads(inbox.queue.get().getMessage()))
    return found


def names(events: Iterable[dict[str, Any]]) -> list[str]:
    return [f"{event['event']} {event.get('count', '')}".strip() for event in events]


def start(inbox: Inbox, path: Path, stderr: io.StringIO, max_bytes: int = 1_000_000) -> tuple[Writer, LogFile]:
    console = Console(stderr, color=False)
    file = LogFile(path, max_bytes, 1, console)
    writer = Writer(inbox.queue, file, console)
    writer.start()
    return writer, file


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
    inbox = inbox_of(2)
    offer(inbox, "abcde")
    assert names(taken(inbox)) == ["a", "b"]
    inbox.report_dropped()
    assert names(taken(inbox)) == ["log_events_dropped 3"]


def test_the_count_stands_where_the_events_are_missing() -> None:
    inbox = inbox_of(2)
    offer(inbox, "abcd")
    assert names(taken(inbox)) == ["a", "b"]
    offer(inbox, "ef")
    assert names(taken(inbox)) == ["log_events_dropped 2", "e"]
    offer(inbox, "g")
    assert names(taken(inbox)) == ["log_events_dropped 1", "g"]


def test_the_count_bears_the_ids_of_nobody() -> None:
    inbox = inbox_of(1)
    with bound_contextvars(stream_id="s"):
        offer(inbox, "ab")
        assert taken(inbox)[0]["stream_id"] == "s"
        inbox.report_dropped()
    (report,) = taken(inbox)
    assert report["level"] == "warning"
    assert list(report)[5:] == ["count"]


def test_a_record_that_cannot_be_understood_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    class Broken:
        def __str__(self) -> str:
            raise RuntimeError("no text")

    knot: list[Any] = []
    knot.append(knot)
    inbox = inbox_of(5)
    offer(inbox, [Broken()])
    with bound_contextvars(knot=knot):
        offer(inbox, "a")
    offer(inbox, "b")
    assert names(taken(inbox)) == ["log_events_dropped 2", "b"]
    assert capsys.readouterr().err == ""


def test_everything_is_written_in_order_before_the_end(tmp_path: Path) -> None:
    inbox, stderr = inbox_of(10_000), io.StringIO()
    writer, file = start(inbox, tmp_path / "client.log", stderr)
    events = [f"event_{n}" for n in range(100)]
    offer(inbox, events)
    writer.stop()
    file.close()
    assert events_of(tmp_path / "client.log") == events
    assert re.findall(r"event \d+", stderr.getvalue()) == [name.replace("_", " ") for name in events]


def test_the_end_waits_for_room(tmp_path: Path) -> None:
    inbox, stderr = inbox_of(1), PausedTerminal()
    writer, file = start(inbox, tmp_path / "client.log", stderr)
    offer(inbox, "a")
    stderr.reached.wait()
    offer(inbox, "b")
    stopping = threading.Thread(target=writer.stop)
    stopping.start()
    stderr.resumed.set()
    stopping.join()
    file.close()
    assert events_of(tmp_path / "client.log") == ["a", "b"]


@pytest.mark.skipif(not FULL_DISK.exists(), reason="needs a file that is always full")
def test_a_full_disk_is_reported_once(tmp_path: Path) -> None:
    (tmp_path / "client.log").symlink_to(FULL_DISK)
    inbox, stderr = inbox_of(100), io.StringIO()
    writer, file = start(inbox, tmp_path / "client.log", stderr)
    offer(inbox, "abc")
    writer.stop()
    with pytest.raises(OSError, match="No space left"):
        file.close()
    lines = stderr.getvalue().splitlines()
    assert [line.split("  ")[1] for line in lines] == ["error", "info", "info", "info"]
    assert "log file failed" in lines[0]
    assert "No space left" in lines[0]


def test_a_file_that_cannot_be_rotated_is_tried_again(tmp_path: Path) -> None:
    path, obstacle = tmp_path / "client.log", tmp_path / "client.log.1"
    (obstacle / "in the way").mkdir(parents=True)
    inbox, stderr = inbox_of(100), PausedTerminal()
    writer, file = start(inbox, path, stderr, max_bytes=200)
    offer(inbox, "ab")
    stderr.reached.wait()
    stderr.resumed.set()
    writer.stop()
    assert stderr.getvalue().count("log file failed") == 1
    (obstacle / "in the way").rmdir()
    obstacle.rmdir()
    writer.start()
    offer(inbox, "c")
    writer.stop()
    file.close()
    assert events_of(path) == ["c"]
    assert events_of(obstacle) == ["a"]
