"""Starts and stops the log of a process: the one place that touches the settings structlog and logging share."""

from __future__ import annotations

import logging
import os
import sys
from typing import TYPE_CHECKING, Any

import structlog

from plugandtell.core.log_level import LogLevel
from plugandtell.logservice.console import Console
from plugandtell.logservice.logfile import Claim, LogFile, unusable
from plugandtell.logservice.processors import CHAIN, LOGGER_NAME
from plugandtell.logservice.settings import LogSettings, wants_color
from plugandtell.logservice.writer import Inbox, Signal, Writer

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType
    from typing import Self, TextIO

    from structlog.typing import FilteringBoundLogger

OWN_LOGGER = "plugandtell"
QUEUE_ENTRIES = 10_000  # a few MB at the most, and minutes of a busy server


def get_logger(name: str | None = None) -> FilteringBoundLogger:
    """A logger for events with constant names and fields: `log.info("voice_detected", at_s=12.3)`.

    May be called at import: it takes effect when it is used. `name`, when given, becomes the field `logger`.
    """
    names = {} if name is None else {LOGGER_NAME: name}
    logger: FilteringBoundLogger = structlog.get_logger(**names)
    return logger


def configure(settings: LogSettings, stderr: TextIO | None = None) -> LogService:
    """Start the log of this process; `stderr` is `sys.stderr` unless given.

    Raises:
        FolderUnusable: The folder cannot be created or written.
        RuntimeError: This process has a log already.
    """
    if any(isinstance(handler, Inbox) for handler in logging.getLogger().handlers):
        raise RuntimeError("this process has a log already: close it before configuring another")
    stream = sys.stderr if stderr is None else stderr
    claim = Claim(settings.folder, settings.process)
    try:
        file = LogFile(claim.path, settings.max_file_bytes, settings.kept_files)
    except OSError as exc:
        claim.release()
        raise unusable(settings.folder, exc) from exc
    return LogService(settings, claim, file, stream)


class LogService:
    """The running log of a process; made by `configure`, ended by `close` or by leaving its `with` block.

    While it runs, every logger of `get_logger` and of the standard library ends in the console and in the file. The
    caller only copies the event into a bounded queue; a thread does the writing. What happens when the queue is full
    or the file fails: see `Inbox` and `Writer`.
    """

    def __init__(self, settings: LogSettings, claim: Claim, file: LogFile, stderr: TextIO | None) -> None:
        is_terminal = stderr is not None and stderr.isatty()
        color = wants_color(settings.color, is_terminal=is_terminal, environ=os.environ)
        self._claim = claim
        self._inbox = Inbox(QUEUE_ENTRIES)
        console = Console(stderr, settings.process, color=color)
        self._writer = Writer(self._inbox, console, file, settings.process, os.getpid())
        self._globals = _Globals()
        self._globals.set(settings.level, self._inbox)
        self._is_open = True
        self._is_complete = False

    @property
    def path(self) -> Path:
        """The file that is written: `<process>.log`, or `<process>-2.log` while another process has that."""
        return self._claim.path

    def mute_console(self) -> None:
        """From here on only the file is written: for a process that tells its user the rest in its own words.

        What was logged before still reaches the console, and so does the report of a file that fails.
        """
        self._inbox.signal(Signal.MUTE_CONSOLE)

    def close(self, timeout_s: float = 2.0) -> bool:
        """Write what was logged until now, give the file back and restore the settings. Idempotent.

        Returns:
            Whether everything was written within `timeout_s`. If not, the rest is lost when the process ends, and
            the file stays claimed until then.
        """
        if self._is_open:
            self._is_open = False
            self._globals.restore(self._inbox)
            self._is_complete = self._writer.finish(timeout_s)
            if self._is_complete:
                self._claim.release()
        return self._is_complete

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Globals:
    """What structlog and logging keep per process: changed by `set`, brought back by `restore`."""

    def __init__(self) -> None:
        self._structlog: dict[str, Any] | None = structlog.get_config() if structlog.is_configured() else None
        self._levels: dict[str, int] = {}

    def set(self, level: LogLevel, inbox: Inbox) -> None:
        for name, wanted in _levels(level).items():
            self._levels[name] = logging.getLogger(name).level
            logging.getLogger(name).setLevel(wanted)
        logging.getLogger().addHandler(inbox)
        structlog.configure(
            processors=CHAIN,
            wrapper_class=structlog.make_filtering_bound_logger(level.value),
            # One logger for all of ours: names are fields, and the level does not depend on them.
            logger_factory=lambda *_: logging.getLogger(OWN_LOGGER),
            # Loggers at the top of modules outlive a service, so they must look for the current one.
            cache_logger_on_first_use=False,
        )

    def restore(self, inbox: Inbox) -> None:
        logging.getLogger().removeHandler(inbox)
        inbox.close()
        for name, level in self._levels.items():
            logging.getLogger(name).setLevel(level)
        if self._structlog is None:
            structlog.reset_defaults()
        else:
            structlog.configure(**self._structlog)


def _levels(level: LogLevel) -> dict[str, int]:
    own = logging.getLevelNamesMapping()[level.upper()]
    foreign = logging.DEBUG if level is LogLevel.DEBUG else max(logging.WARNING, own)
    # At DEBUG, websockets quotes the audio of each frame and the headers with the token in them.
    return {"": foreign, OWN_LOGGER: own, "websockets": max(logging.INFO, foreign)}
