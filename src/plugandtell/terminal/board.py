"""What a screen shows, put together from those who know parts of it. May be called from any thread."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

from plugandtell.core.status import ClientStatus, LogLine, Report, ServerStatus

if TYPE_CHECKING:
    from collections.abc import Iterable

    from plugandtell.terminal.view import View

_LOG_LINES = 100


class Board:
    """The latest report of each kind, and the last lines of the log; older ones are in the log files.

    Args:
        view: What is shown at the beginning.
        has_keys: Whether keys are read.
    """

    def __init__(self, view: View, *, has_keys: bool = False) -> None:
        self._view = replace(view, has_keys=has_keys)
        self._log: deque[LogLine] = deque(maxlen=_LOG_LINES)
        self._severe: deque[LogLine] = deque(maxlen=_LOG_LINES)
        self._changed = threading.Condition()
        self._is_new = True
        self._is_closed = False

    def post(self, report: Report) -> None:
        """Show this from now on."""
        with self._changed:
            match report:
                case ClientStatus():
                    self._view = replace(self._view, client=report)
                case ServerStatus():
                    self._view = replace(self._view, server=report)
                case LogLine():
                    self._log.append(report)
                    if report.is_severe:
                        self._severe.append(report)
            self._notify()

    def stopping(self) -> None:
        """The end was asked for."""
        with self._changed:
            self._view = replace(self._view, is_stopping=True)
            self._notify()

    def lose_keys(self) -> None:
        """Keys are not read after all."""
        with self._changed:
            self._view = replace(self._view, has_keys=False)
            self._notify()

    def refresh(self) -> None:
        """Something else changed that is shown."""
        with self._changed:
            self._notify()

    def close(self) -> None:
        """Let `wait` return, from now on at once."""
        with self._changed:
            self._is_closed = True
            self._notify()

    def wait(self, timeout_s: float) -> View | None:
        """Wait for news, but no longer than this; returns what is to be shown, or None once it is closed."""
        with self._changed:
            if not self._is_new:
                self._changed.wait(timeout_s)
            self._is_new = False
            return None if self._is_closed else replace(self._view, log=self._merged())

    @property
    def severe(self) -> list[LogLine]:
        """The last warnings and worse."""
        with self._changed:
            return list(self._severe)

    def _merged(self) -> tuple[LogLine, ...]:
        """The severe lines that the others have pushed out, before those that are left."""
        known = {id(line) for line in self._log}
        return (*_those(self._severe, known), *self._log)

    def _notify(self) -> None:
        self._is_new = True
        self._changed.notify_all()


def _those(lines: Iterable[LogLine], unless: set[int]) -> list[LogLine]:
    return [line for line in lines if id(line) not in unless]
