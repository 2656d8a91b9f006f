"""What `plugandtell run` shows: the lines of its children, or a live screen of what they report."""

from __future__ import annotations

import os
import re
import sys
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from plugandtell.analysis import NAME as ANALYTICS
from plugandtell.child import shown_in_color
from plugandtell.command import print_line
from plugandtell.core.status import ClientStatus, LogLine, ServerStatus, decode
from plugandtell.terminal.choosing import shows_screen
from plugandtell.terminal.wording import told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from plugandtell.core.talk import Key

_COLORS = {"client": 36, "server": 35, ANALYTICS: 32, "run": 33}
_PAINT = re.compile(r"\x1b\[[0-9;]*m")
_HELD_LINES = 10_000


class Display(Protocol):
    """Where the parent of the processes shows what they say and do."""

    @property
    def takes_reports(self) -> bool:
        """Whether the children are to report of themselves, in lines of JSON."""

    def say(self, name: str, line: str) -> None:
        """Show a line of the child of this name, or of our own."""

    def showing(self, press: Callable[[Key], None]) -> AbstractContextManager[None]:
        """Show the screen, if there is one, as long as this lasts, and tell of keys."""

    def stopping(self) -> None:
        """The end was asked for."""

    def leave(self) -> None:
        """This process ends at once."""


def display_for(*, plain: bool) -> Display:
    """A screen where there can be one, unless lines are wanted."""
    return Lines() if plain or not shows_screen(sys.stderr, os.environ) else Screen()


class Lines:
    """Shows each line, marked with the name of its process."""

    takes_reports = False

    def say(self, name: str, line: str) -> None:
        """Show it at once."""
        print_line(sys.stderr, f"{_mark(name, in_color=shown_in_color())} | {line}")

    @contextmanager
    def showing(self, _press: Callable[[Key], None]) -> Iterator[None]:
        """There is no screen."""
        yield

    def stopping(self) -> None:
        """The lines tell it."""

    def leave(self) -> None:
        """Nothing is to be undone."""


class Screen:
    """Shows what the children report of themselves. What they print otherwise is shown when the screen is gone."""

    takes_reports = True

    def __init__(self) -> None:
        from plugandtell.terminal.person import new_screen  # noqa: PLC0415  (rich, only where there is a screen)
        from plugandtell.terminal.view import View  # noqa: PLC0415

        self._in_color = shown_in_color()
        self._held: deque[tuple[str, str]] = deque(maxlen=_HELD_LINES)
        self._board, self._live = new_screen(View(client=ClientStatus(), server=ServerStatus()), reads_stdin=False)

    def say(self, name: str, line: str) -> None:
        """Show what it reports; a line that is no report waits until the screen is gone, but for a glimpse of it."""
        try:
            report = decode(line)
        except ValueError:
            self._say(name, line)
            return
        if self._live.is_shown:
            self._board.post(report)
        elif isinstance(report, LogLine):
            self._print(name, told(report))

    @contextmanager
    def showing(self, press: Callable[[Key], None]) -> Iterator[None]:
        """Show it; on the way out, print what waited."""
        with self._live.showing(press, lambda line: self._print(line.process, told(line))):
            yield
        while self._held:
            self._print(*self._held.popleft())

    def stopping(self) -> None:
        """Say so."""
        self._board.stopping()

    def leave(self) -> None:
        """Give the terminal back."""
        self._live.leave()

    def _say(self, name: str, line: str) -> None:
        if not self._live.is_shown:
            self._print(name, line)
            return
        self._held.append((name, line))
        is_inside_report = name == ANALYTICS and (not line or line[0].isspace())  # there is no room for all of it
        if not is_inside_report:
            self._board.post(LogLine(name, "info", "", _PAINT.sub("", line)))

    def _print(self, name: str, line: str) -> None:
        print_line(sys.stderr, f"{_mark(name, in_color=self._in_color)} | {line}")


def _mark(name: str, *, in_color: bool) -> str:
    return f"\x1b[{_COLORS[name]}m{name:<9}\x1b[0m" if in_color else f"{name:<9}"
