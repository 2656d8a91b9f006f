"""Who looks at a process while it works: nobody, the person at its terminal, or the process that started it."""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
from collections import deque
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, Protocol

from plugandtell.core.status import ClientStatus, LogLine, ServerStatus, encode
from plugandtell.logservice import get_logger, log_line

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from contextlib import AbstractAsyncContextManager

    from plugandtell.core.status import Report
    from plugandtell.core.talk import Key

LOOK_EVERY_S = 0.1
_QUEUED_LINES = 1000
_FINISH_WITHIN_S = 1.0
SHOWN_BY_ITSELF = frozenset({"transfer_in_progress", "silence_growing"})
"""Events that say every second what a snapshot says ten times."""


class Viewer(Protocol):
    """Looks at one process, from its start to its end."""

    @property
    def is_watching(self) -> bool:
        """Whether it will look."""

    @property
    def takes_stdout(self) -> bool:
        """Whether standard output is its own."""

    def divert(self, event: Mapping[str, Any]) -> bool:
        """Take an event of the log in the console's place; returns whether it did."""

    def viewing(
        self, look: Callable[[], ClientStatus | ServerStatus], press: Callable[[Key], None]
    ) -> AbstractAsyncContextManager[None]:
        """Look as long as this lasts.

        Args:
            look: Takes a snapshot.
            press: Told of keys.
        """

    def leave(self) -> None:
        """The process ends at once. Called from a signal's handler."""


class Nobody:
    """Does not look."""

    is_watching = False
    takes_stdout = False

    def divert(self, _: Mapping[str, Any]) -> bool:
        """The console shows it."""
        return False

    @asynccontextmanager
    async def viewing(self, _look: object, _press: object) -> AsyncIterator[None]:
        """Cost nothing."""
        yield

    def leave(self) -> None:
        """Nothing is to be undone."""


class Parent:
    """The process that started this one reads reports, as lines of JSON.

    A thread writes them. If the parent does not read, the latest snapshot takes the place of the last one, and the
    oldest lines of the log go; they are in the log file.

    Args:
        process: Which of its children this is.
        descriptor: Where it reads them: standard output, unless the results of the process go there.
    """

    is_watching = True
    takes_stdout = True

    def __init__(self, process: str, descriptor: int = 1) -> None:
        self._process = process
        self._descriptor = descriptor
        self._snapshot: ClientStatus | ServerStatus | None = None
        self._lines: deque[LogLine] = deque(maxlen=_QUEUED_LINES)
        self._is_over = False
        self._news = threading.Condition()
        self._thread = threading.Thread(target=self._write, name="reports", daemon=True)

    def divert(self, event: Mapping[str, Any]) -> bool:
        """The parent shows it."""
        if event["event"] not in SHOWN_BY_ITSELF:
            self._post(log_line(event, self._process))
        return True

    @asynccontextmanager
    async def viewing(self, look: Callable[[], ClientStatus | ServerStatus], _press: object) -> AsyncIterator[None]:
        """Report what changes."""
        async with looking(look, self._post):
            yield

    def leave(self) -> None:
        """Nothing is to be undone."""

    def _post(self, report: Report) -> None:
        with self._news:
            if isinstance(report, LogLine):
                self._lines.append(report)
            else:
                self._snapshot = report
            self._news.notify()
            if self._thread.ident is None:
                self._thread.start()
                atexit.register(self._finish)

    def _finish(self) -> None:
        """The last lines are often those that matter."""
        with self._news:
            self._is_over = True
            self._news.notify()
        self._thread.join(_FINISH_WITHIN_S)

    def _write(self) -> None:
        with suppress(OSError):  # the parent is gone, and whoever watches for that ends us
            while True:
                with self._news:
                    while not self._lines and self._snapshot is None:
                        if self._is_over:
                            return
                        self._news.wait()
                    reports: list[Report] = [*self._lines]
                    self._lines.clear()
                    if self._snapshot is not None:
                        reports.append(self._snapshot)
                        self._snapshot = None
                data = "".join(f"{encode(report)}\n" for report in reports).encode()
                while data:
                    data = data[os.write(self._descriptor, data) :]


@asynccontextmanager
async def looking(
    look: Callable[[], ClientStatus | ServerStatus], post: Callable[[ClientStatus | ServerStatus], None]
) -> AsyncIterator[None]:
    """Take a snapshot ten times a second, once more at the end, and post those that show something new."""
    last: ClientStatus | ServerStatus | None = None

    def look_once() -> bool:
        nonlocal last
        try:
            if (status := look()) != last:
                last = status
                post(status)
        except Exception:  # noqa: BLE001  (the boundary of a task: a picture is no reason to stop recording)
            get_logger().exception("picture_failed")
            return False
        return True

    async def look_on() -> None:
        while look_once():  # noqa: ASYNC110  (there is nothing to wait for: levels change all the time)
            await asyncio.sleep(LOOK_EVERY_S)

    task = asyncio.create_task(look_on())
    try:
        yield
    finally:
        if not task.done():
            task.cancel()
            look_once()
