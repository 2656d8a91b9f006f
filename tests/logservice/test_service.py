from __future__ import annotations

import asyncio
import io
import logging
import os
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import structlog

from plugandtell.core.errors import FolderUnusable
from plugandtell.logservice import (
    LogLevel,
    LogService,
    LogSettings,
    bound_contextvars,
    configure,
    get_logger,
    silence_without_log,
)

from .reading import events_of, lines_of

if TYPE_CHECKING:
    from pathlib import Path

log = get_logger()  # at the top of the module, as everywhere in the program

CHILD = """
import sys
from pathlib import Path
from plugandtell.logservice import LogSettings, configure, get_logger
service = configure(LogSettings("client", Path(sys.argv[1])))
get_logger().info("child_started", path=str(service.path))
"""


def start(folder: Path, stderr: io.StringIO | None = None, **settings: Any) -> LogService:
    return configure(LogSettings("client", folder, **settings), stderr or io.StringIO())


def fail(why: str) -> None:
    raise ValueError(why)


def child(code: str, folder: Path, **options: Any) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", CHILD + code, str(folder)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, **options)


def test_an_event_reaches_the_file_and_the_console(tmp_path: Path) -> None:
    stderr = io.StringIO()
    with start(tmp_path / "logs", stderr) as service:
        log.info("voice_detected", at_s=12.3)
    assert service.path == tmp_path / "logs" / "client.log"
    (line,) = lines_of(service.path)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", line.pop("timestamp"))
    assert line == {
        "level": "info",
        "event": "voice_detected",
        "process": "client",
        "pid": os.getpid(),
        "at_s": 12.3,
    }
    assert re.fullmatch(r"\d\d:\d\d:\d\d\.\d{3}  info     voice detected +at_s=12.3\n", stderr.getvalue())


async def test_ids_are_bound_once_per_task(tmp_path: Path) -> None:
    async def serve(stream: str) -> None:
        with bound_contextvars(stream_id=stream):
            for number in range(3):
                log.info("segment_started", number=number)
                await asyncio.sleep(0)
            logging.getLogger("websockets.server").warning("slow")

    with start(tmp_path) as service:
        await asyncio.gather(serve("a"), serve("b"))
        log.info("stopped")
    *bound, last = lines_of(service.path)
    assert sorted(line["stream_id"] for line in bound) == ["a"] * 4 + ["b"] * 4
    assert "stream_id" not in last


def test_later_changes_do_not_show(tmp_path: Path) -> None:
    labels = {"room": "kitchen", "tags": ["x"]}
    with start(tmp_path) as service:
        log.info("hello_received", labels=labels)
        labels.clear()
    assert lines_of(service.path)[0]["labels"] == {"room": "kitchen", "tags": ["x"]}


def test_no_secret_and_no_audio_anywhere(tmp_path: Path) -> None:
    stderr = io.StringIO()
    with start(tmp_path, stderr) as service, bound_contextvars(token="s3cret"):
        log.info("hello_received", headers={"Authorization": "Bearer s3cret"}, audio=b"s3cret" * 100)
    written = service.path.read_text() + stderr.getvalue()
    assert "s3cret" not in written
    assert written.count("<600 bytes>") == 2


def test_an_unexpected_error_has_its_traceback(tmp_path: Path) -> None:
    stderr = io.StringIO()
    with start(tmp_path, stderr) as service:
        try:
            fail("why\n\x1b[2Jforged")
        except ValueError:
            log.exception("session_failed")
    line = lines_of(service.path)[0]
    assert line["level"] == "error"
    assert line["exception"].startswith("Traceback (most recent call last):\n")
    assert "    | Traceback (most recent call last):\n" in stderr.getvalue()
    assert "    | ValueError: why\n    | \\x1b[2Jforged\n" in stderr.getvalue()


def test_a_muted_console_shows_what_came_before(tmp_path: Path) -> None:
    stderr = io.StringIO()
    with start(tmp_path, stderr) as service:
        log.info("before")
        service.mute_console()
        log.error("after")
    assert events_of(service.path) == ["before", "after"]
    assert stderr.getvalue().endswith("  before\n")


@pytest.mark.parametrize(
    ("level", "own", "foreign"),
    [
        (LogLevel.DEBUG, ["debug", "info", "warning", "error"], ["debug", "info", "warning", "error"]),
        (LogLevel.INFO, ["info", "warning", "error"], ["warning", "error"]),
        (LogLevel.WARNING, ["warning", "error"], ["warning", "error"]),
        (LogLevel.ERROR, ["error"], ["error"]),
    ],
)
def test_levels(tmp_path: Path, level: LogLevel, own: list[str], foreign: list[str]) -> None:
    with start(tmp_path, level=level) as service:
        for name in ("debug", "info", "warning", "error"):
            getattr(log, name)(f"own_{name}")
            getattr(logging.getLogger("asyncio"), name)("foreign_%s", name)
    found = events_of(service.path)
    assert [name for name in found if name.startswith("own")] == [f"own_{name}" for name in own]
    assert [name for name in found if name.startswith("foreign")] == [f"foreign_{name}" for name in foreign]


def test_websockets_never_quotes_frames_and_headers(tmp_path: Path) -> None:
    with start(tmp_path, level=LogLevel.DEBUG):
        assert not logging.getLogger("websockets.server").isEnabledFor(logging.DEBUG)


def test_the_file_is_rotated_and_the_newest_are_kept(tmp_path: Path) -> None:
    with start(tmp_path, max_file_bytes=1_000, kept_files=2) as service:
        for number in range(50):
            log.info("segment_saved", number=number)
    names = ["client.log.2", "client.log.1", "client.log"]
    assert sorted(p.name for p in tmp_path.iterdir() if p.name != ".client.lock") == sorted(names)
    numbers = [line["number"] for name in names for line in lines_of(service.path.with_name(name))]
    assert numbers == list(range(50))[-len(numbers) :]
    assert all(service.path.with_name(name).stat().st_size <= 1_000 for name in names)


def test_close_restores_everything_and_is_idempotent(tmp_path: Path) -> None:
    names = ("", "plugandtell", "websockets")
    before = [logging.getLogger(name).level for name in names], list(logging.getLogger().handlers)
    service = start(tmp_path, level=LogLevel.DEBUG)
    assert service.close()
    assert service.close()
    assert ([logging.getLogger(name).level for name in names], list(logging.getLogger().handlers)) == before
    assert not structlog.is_configured()


def test_a_logger_of_the_module_follows_the_service(tmp_path: Path) -> None:
    for name in ("a", "b"):
        with start(tmp_path / name) as service:
            log.info("started", folder=name)
        assert lines_of(service.path)[0]["folder"] == name


def test_one_log_per_process(tmp_path: Path) -> None:
    with start(tmp_path), pytest.raises(RuntimeError, match="has a log already"):
        start(tmp_path)


def test_a_folder_that_cannot_be_used_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "client.log").mkdir()
    for folder in (tmp_path / "file" / "logs", tmp_path):
        with pytest.raises(FolderUnusable) as caught:
            start(folder)
        assert caught.value.flag == "--log-dir"
        assert not structlog.is_configured()
    (tmp_path / "client.log").rmdir()
    with start(tmp_path) as service:
        assert service.path.name == "client.log"


def test_a_second_process_gets_the_second_file(tmp_path: Path) -> None:
    with start(tmp_path) as service:
        log.info("parent_started")
        code = "assert service.close()"
        process = child(code, tmp_path)
        _, stderr = process.communicate(timeout=60)
        assert process.returncode == 0, stderr
    assert events_of(service.path) == ["parent_started"]
    assert lines_of(tmp_path / "client-2.log")[0]["path"] == str(tmp_path / "client-2.log")
    assert lines_of(tmp_path / "client-2.log")[0]["pid"] == process.pid


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs kill -9")
def test_kill_9_gives_the_file_back(tmp_path: Path) -> None:
    with child("print(flush=True); input()", tmp_path) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with start(tmp_path) as second:
            assert second.path.name == "client-2.log"
        process.kill()
    with start(tmp_path) as service:
        assert service.path.name == "client.log"


@pytest.mark.skipif(os.name == "nt", reason="needs a limit on the size of files")
def test_a_disk_that_fills_and_has_room_again(tmp_path: Path) -> None:
    code = """
import resource
def limit(size_bytes):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, resource.RLIM_INFINITY))
def log(numbers):
    for number in numbers:
        get_logger().info("segment_saved", number=number)
limit(2_000)
log(range(100))
input()
limit(resource.RLIM_INFINITY)
log(range(100, 200))
assert service.close(30)
"""
    process = child(code, tmp_path)
    assert process.stderr is not None
    early = [process.stderr.readline() for _ in range(102)]  # the start, the failure, and the events
    _, late = process.communicate("\n", timeout=60)
    assert process.returncode == 0, late
    assert sum("log file failed" in line for line in early) == 1
    assert late.count("segment saved") == len(late.splitlines()) == 100
    numbers = [line["number"] for line in lines_of(tmp_path / "client.log")[1:]]
    assert numbers[-100:] == list(range(100, 200))
    assert numbers == sorted(numbers)
    assert 100 < len(numbers) < 200


@pytest.mark.skipif(os.name == "nt", reason="needs a limit on the size of files")
def test_a_disk_that_stays_full(tmp_path: Path) -> None:
    code = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, 2_000))
for number in range(100):
    get_logger().info("segment_saved", number=number)
assert service.close(30)
"""
    process = child(code, tmp_path)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 0, stderr
    assert stderr.count("log file failed") == 1
    assert stderr.count("segment saved") == 100
    assert "Traceback" not in stderr


@pytest.mark.skipif(os.name == "nt", reason="the Windows console is written through its stream")
def test_a_reader_of_stderr_that_stalls_delays_the_exit_no_longer_than_the_deadline(tmp_path: Path) -> None:
    code = """
for number in range(3_000):
    get_logger().info("segment_saved", number=number, padding="x" * 100)
print(service.close(timeout_s=0.1))
"""
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    with child(code, tmp_path, env=buffered) as process:
        assert process.wait(timeout=60) == 0
        assert process.stdout is not None
        assert process.stdout.read() == "False\n"


def test_a_process_without_a_log_is_silent_where_it_wants_to_be(capfd: pytest.CaptureFixture[str]) -> None:
    with silence_without_log():
        get_logger().error("store_unreachable")
    assert capfd.readouterr() == ("", "")
    get_logger().error("store_unreachable")
    assert "store_unreachable" in capfd.readouterr().out


def test_a_process_that_has_a_log_keeps_it(tmp_path: Path) -> None:
    with start(tmp_path) as service, silence_without_log():
        get_logger().error("store_unreachable")
    assert "store_unreachable" in service.path.read_text()
