"""Starts and stops the log of a process: the one place that touches the settings structlog and logging share."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import sys
import threading
from functools import partial
from queue import Queue
from typing import TYPE_CHECKING, Any

import structlog
from structlog.stdlib import ProcessorFormatter

from plugandtell.core.log_level import LogLevel
from plugandtell.logservice.console import Console
from plugandtell.logservice.logfile import Claim, LogFile, Outlet, Unclaimed, unusable
from plugandtell.logservice.processors import json_formatter
from plugandtell.logservice.settings import LogSettings, console_columns, wants_color
from plugandtell.logservice.writer import Inbox, Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path
    from types import TracebackType
    from typing import Self, TextIO

    from structlog.typing import FilteringBoundLogger

OWN_LOGGER = "plugandtell"
QUEUE_RECORDS = 10_000  # a few MB at the most, and minutes of a busy server


def get_logger() -> FilteringBoundLogger:
    """A logger for events with constant names and fields: `log.info("voice_detected", at_s=12.3)`.

    May be called at import: it takes effect when it is used.
    """
    logger: FilteringBoundLogger = structlog.get_logger()
    return logger


def configure(
    settings: LogSettings,
    stderr: TextIO | None = None,
    divert: Callable[[Mapping[str, Any]], bool] = lambda _: False,
) -> LogService:
    """Start the log of this process; `stderr` is `sys.stderr` unless given, `divert` as for `Console`.

    Raises:
        FolderUnusable: The folder cannot be created or written.
        RuntimeError: This process has a log already.
    """
    if any(isinstance(handler, Inbox) for handler in logging.getLogger().handlers):
        raise RuntimeError("this process has a log already: close it before configuring another")
    stream = sys.stderr if stderr is None else stderr
    is_terminal = stream is not None and stream.isatty()
    color = wants_color(settings.color, is_terminal=is_terminal, environ=os.environ)
    console = Console(
        stream,
        color=color,
        columns=partial(console_columns, stream, os.environ),
        divert=divert,
        tracebacks=settings.tracebacks,
    )
    claim = Claim(settings.folder, settings.process)
    try:
        file = LogFile(claim.path, settings.max_file_bytes, settings.kept_files, console)
    except OSError as exc:
        claim.release()
        raise unusable(settings.folder, exc) from exc
    return LogService(settings, claim, file, console)


def configure_forwarding(settings: LogSettings, descriptor: int, **marks: int) -> LogService:
    """Start the log of a process that has no file of its own: its lines go to the process that started it.

    Args:
        settings: Its process and its level count.
        descriptor: Of a pipe, whose other end hands each line to `take_line`. Closed with the log.
        marks: What tells this process from others on each line.
    """
    service = LogService(settings, Unclaimed(), Outlet(descriptor), Console(None, color=False), **marks)
    service.mute_console()
    return service


def take_line(line: str) -> None:
    """Log a line that another process made, as it is: it has been made once, and that was the costly part.

    A process without a log makes an event of it. Callable from any thread.

    Raises:
        ValueError: It is no event.
    """
    fields: Any = json.loads(line)
    if not isinstance(fields, dict) or not all(
        isinstance(fields.get(key), str) for key in ("timestamp", "level", "event")
    ):
        raise ValueError(f"no event of a log: {line[:200]!r}")
    for handler in logging.getLogger().handlers:
        if isinstance(handler, Inbox):
            handler.take(line.rstrip("\n"))
            return
    level, event = logging.getLevelNamesMapping().get(fields.pop("level").upper(), logging.INFO), fields.pop("event")
    get_logger().log(level, event, **fields)


@contextlib.contextmanager
def silence_without_log() -> Iterator[None]:
    """Let the events of a process that has no log go nowhere, instead of to standard output."""
    if structlog.is_configured():
        yield
        return
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    try:
        yield
    finally:
        structlog.reset_defaults()


class LogService:
    """The running log of a process; made by `configure`, ended by `close` or by leaving its `with` block.

    While it runs, every logger of `get_logger` and of the standard library ends in the console and in the file. The
    caller only makes the event into text and puts it into a bounded queue; a thread does the writing. What happens
    when the queue is full or the file fails: see `Inbox` and `LogFile`.
    """

    def __init__(
        self, settings: LogSettings, claim: Claim | Unclaimed, file: logging.Handler, console: Console, **marks: int
    ) -> None:
        self._claim = claim
        self._file = file
        queue: Queue[Any] = Queue(QUEUE_RECORDS)
        self._inbox = Inbox(queue, json_formatter(settings.process, os.getpid(), **marks))
        self._console = console
        self._writer = Writer(queue, file, console)
        self._writer.start()
        # A daemon, so that a terminal that is paused for ever does not keep the process alive.
        self._closing = threading.Thread(target=self._finish, name="log-closing", daemon=True)
        self._is_open = True
        self._levels_before = _set_levels(_levels(settings.level))
        logging.getLogger().addHandler(self._inbox)
        structlog.configure(
            processors=[ProcessorFormatter.wrap_for_formatter],
            wrapper_class=structlog.make_filtering_bound_logger(settings.level.value),
            # One logger for all of ours: the level does not depend on names.
            logger_factory=lambda *_: logging.getLogger(OWN_LOGGER),
            # Loggers at the top of modules outlive a service, so they must look for the current one.
            cache_logger_on_first_use=False,
        )

    @property
    def path(self) -> Path:
        """The file that is written: `<process>.log`, or `<process>-2.log` while another process has that."""
        return self._claim.path

    def mute_console(self) -> None:
        """From here on only the file is written: for a process that tells its user the rest in its own words.

        What was logged before still reaches the console, and so does the report of a file that fails.
        """
        self._inbox.is_console_muted = True

    def close(self, timeout_s: float = 2.0) -> bool:
        """Write what was logged until now, give the file back and restore the settings. Idempotent.

        Returns:
            Whether everything was written within `timeout_s`. If not, the rest is lost when the process ends, and
            the file stays claimed until then.
        """
        if self._is_open:
            self._is_open = False
            logging.getLogger().removeHandler(self._inbox)
            _set_levels(self._levels_before)
            structlog.reset_defaults()
            self._closing.start()
        self._closing.join(timeout_s)
        return not self._closing.is_alive()

    def _finish(self) -> None:
        self._inbox.report_dropped()
        self._inbox.close()
        self._writer.stop()
        with contextlib.suppress(OSError):  # the disk is still full, which was reported
            self._file.close()
        self._claim.release()
        self._console.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _levels(level: LogLevel) -> dict[str, int]:
    own = logging.getLevelNamesMapping()[level.upper()]
    foreign = logging.DEBUG if level is LogLevel.DEBUG else max(logging.WARNING, own)
    # At DEBUG, websockets quotes the audio of each frame and the headers with the token in them.
    return {"": foreign, OWN_LOGGER: own, "websockets": max(logging.INFO, foreign)}


def _set_levels(levels: dict[str, int]) -> dict[str, int]:
    before = {name: logging.getLogger(name).level for name in levels}
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
    return before
