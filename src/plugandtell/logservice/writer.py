"""From the task that logs to the thread that writes: a bounded queue, so that no disk or terminal stops a program."""

from __future__ import annotations

import dataclasses
import threading
import time
from enum import Enum, auto
from logging.handlers import QueueHandler
from queue import SimpleQueue
from typing import TYPE_CHECKING

from plugandtell.logservice.entry import Entry
from plugandtell.logservice.logfile import render_json
from plugandtell.logservice.processors import entry_of

if TYPE_CHECKING:
    import logging

    from plugandtell.logservice.console import Console
    from plugandtell.logservice.logfile import LogFile


class Signal(Enum):
    """What goes through the queue besides entries, so that it takes effect after those that came first."""

    MUTE_CONSOLE = auto()
    END = auto()


class Inbox(QueueHandler):
    """The handler that puts entries into a queue of at most `capacity` entries, and returns.

    When the queue is full, the entry is dropped and counted; as soon as there is room again, `log_events_dropped`
    with that count takes the place of what is missing. The same goes for a record that cannot be understood.

    The queue is a `SimpleQueue` with a limit of our own rather than a `Queue`, because a signal handler or a
    finalizer that logs while its own thread is in `Queue.put` waits for itself for ever.
    """

    queue: SimpleQueue[Entry | Signal]

    def __init__(self, capacity: int) -> None:
        super().__init__(SimpleQueue())
        self._capacity = capacity
        self._dropped = 0

    def prepare(self, record: logging.LogRecord) -> Entry:
        """What will be written, independent of what happens to the record later."""
        return entry_of(record)

    def enqueue(self, entry: object) -> None:
        """Called under the lock of the handler."""
        assert isinstance(entry, Entry)
        if self.queue.qsize() >= self._capacity:
            self._dropped += 1
            return
        self._report_dropped()
        self.queue.put(entry)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - a name of logging
        """Count a record that cannot be understood instead of printing a traceback for it."""
        self._dropped += 1

    def signal(self, signal: Signal) -> None:
        """Put a signal behind everything else; there is always room for it."""
        self.acquire()
        try:
            self._report_dropped()
            self.queue.put(signal)
        finally:
            self.release()

    def _report_dropped(self) -> None:
        if self._dropped:
            self.queue.put(Entry(time.time(), "warning", "log_events_dropped", {"count": self._dropped}))
            self._dropped = 0


class Writer:
    """The thread that takes entries out of an inbox and writes them, first to the file, then to the console.

    A file that fails, because the disk is full or the folder is gone, is reported once on the console, which goes on
    without it. The file is tried again with each entry; when it works again, `log_file_resumed` tells how many are
    missing.
    """

    def __init__(self, inbox: Inbox, console: Console, file: LogFile, process: str, pid: int) -> None:
        self._inbox = inbox
        self._console = console
        self._file = file
        self._process = process
        self._pid = pid
        self._missing = 0
        self._reported = False
        # A daemon, so that a terminal that is paused for ever does not keep the process alive.
        self._thread = threading.Thread(target=self._run, name="log-writer", daemon=True)
        self._thread.start()

    def finish(self, timeout_s: float) -> bool:
        """Write everything that is in the inbox, then stop.

        Returns:
            Whether that took less than `timeout_s`. The thread is left behind when it did not.
        """
        self._inbox.signal(Signal.END)
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        is_muted = False
        while (item := self._inbox.queue.get()) is not Signal.END:
            if isinstance(item, Signal):
                is_muted = True
                continue
            self._write_to_file(item)
            if not is_muted:
                self._console.write(item)
        self._file.close()

    def _write_to_file(self, entry: Entry) -> None:
        try:
            if self._missing:
                resumed = Entry(entry.created_s, "warning", "log_file_resumed", {"missing": self._missing})
                self._file.write(self._line(resumed))
                self._missing = 0
            self._file.write(self._line(entry))
        except OSError as exc:
            self._missing += 1
            self._report(entry, exc)

    def _line(self, entry: Entry) -> bytes:
        return render_json(entry, self._process, self._pid)

    def _report(self, entry: Entry, exc: OSError) -> None:
        if self._reported:
            return
        self._reported = True
        failed = dataclasses.replace(entry, level="error", event="log_file_failed", fields={"error": str(exc)})
        self._console.write(failed)
