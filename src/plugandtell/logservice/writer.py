"""From the task that logs to the thread that writes: a bounded queue, so that no disk or terminal stops a program."""

from __future__ import annotations

import json
import logging
from contextlib import nullcontext
from contextvars import Context
from logging.handlers import QueueHandler, QueueListener
from queue import Full
from typing import TYPE_CHECKING, Any

from structlog.stdlib import ProcessorFormatter

if TYPE_CHECKING:
    from queue import Queue

    from plugandtell.logservice.console import Console


class Inbox(QueueHandler):
    """Makes records into text and puts them into a bounded queue.

    When the queue is full, the record is dropped and counted; as soon as there is room again, `log_events_dropped`
    with that count takes the place of what is missing. The same goes for a record that cannot be made into text.
    """

    queue: Queue[Any]

    def __init__(self, queue: Queue[Any], formatter: logging.Formatter) -> None:
        super().__init__(queue)
        self.setFormatter(formatter)
        self.is_console_muted = False
        self._dropped = 0

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        """What will be written, independent of what happens later."""
        prepared: logging.LogRecord = super().prepare(record)
        vars(prepared)["is_console_muted"] = self.is_console_muted
        return prepared

    def take(self, line: str) -> None:
        """Let a line that another process made be written as it is. Callable from any thread."""
        record = logging.makeLogRecord({"msg": line, "is_console_muted": self.is_console_muted})
        with self.lock or nullcontext():
            try:
                self.enqueue(record)
            except Full:
                self.handleError(record)

    def enqueue(self, record: logging.LogRecord) -> None:
        """Called under the lock of the handler."""
        self.report_dropped(block=False)
        self.queue.put_nowait(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  (a name of logging)
        """Called under the lock of the handler; the queue is full, or the record is not to be understood."""
        self._dropped += 1

    def report_dropped(self, *, block: bool = True) -> None:
        """Put the count of what was dropped last into the queue; waits for room, or raises `queue.Full`."""
        if self._dropped:
            (event,), attributes = ProcessorFormatter.wrap_for_formatter(
                logging.getLogger(), "warning", {"event": "log_events_dropped", "count": self._dropped}
            )
            report = logging.makeLogRecord({"msg": event, **attributes["extra"]})
            self.queue.put(Context().run(self.prepare, report), block)  # without the ids of whoever logs next
            self._dropped = 0


class Writer(QueueListener):
    """The thread that takes records out of the queue and writes them, first to the file, then to the console."""

    queue: Queue[Any]
    _sentinel = None

    def __init__(self, queue: Queue[Any], file: logging.Handler, console: Console) -> None:
        super().__init__(queue, file)
        self._console = console

    def handle(self, record: logging.LogRecord) -> None:
        """Write one record."""
        super().handle(record)
        if not vars(record)["is_console_muted"]:
            self._console.show(json.loads(record.getMessage()))

    def enqueue_sentinel(self) -> None:
        """Waits for room, where the standard library fails."""
        self.queue.put(self._sentinel)
