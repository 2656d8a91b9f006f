"""Lines of a process without a file, on their way through a pipe into the file of another."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from plugandtell.logservice import LogLevel, LogSettings, configure, configure_forwarding, get_logger, take_line
from tests.logservice.reading import lines_of

if TYPE_CHECKING:
    from pathlib import Path

LINE = json.dumps({"timestamp": "2026-11-24T22:00:00.000000Z", "level": "warning", "event": "x_happened", "worker": 2})


def test_a_process_without_a_file_writes_marked_lines_into_its_pipe(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    with configure_forwarding(LogSettings("server", tmp_path, LogLevel.INFO), writing, worker=2):
        get_logger().debug("unheard")
        get_logger().info("voice_detected", at_s=1.5, worker=7)
    with os.fdopen(reading, encoding="ascii") as file:
        (line,) = [json.loads(text) for text in file]
    assert (line["event"], line["level"], line["process"], line["pid"]) == (
        "voice_detected",
        "info",
        "server",
        os.getpid(),
    )
    assert (line["at_s"], line["worker"]) == (1.5, 2)
    assert not list(tmp_path.iterdir())


def test_a_pipe_that_nobody_reads_any_more_disturbs_nobody(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with configure_forwarding(LogSettings("server", tmp_path), writing, worker=2):
        get_logger().info("voice_detected")
    assert capfd.readouterr() == ("", "")


def test_a_line_that_is_taken_is_written_as_it_is_and_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with configure(LogSettings("server", tmp_path)) as service:
        take_line(LINE + "\n")
        get_logger().info("another")
    assert service.path.read_text().split("\n")[0] == LINE
    assert [line["event"] for line in lines_of(service.path)] == ["x_happened", "another"]
    assert "x happened" in capsys.readouterr().err


def test_a_process_without_a_log_makes_an_event_of_it() -> None:
    with capture_logs() as logs:
        take_line(LINE)
    assert [(event["event"], event["log_level"], event["worker"]) for event in logs] == [("x_happened", "warning", 2)]


@pytest.mark.parametrize("line", ["", "[]", "{}", '{"event": "x"}', '{"timestamp": 1, "level": "info", "event": "x"}'])
def test_what_is_no_line_of_a_log_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r"no event|Expecting"):
        take_line(line)
