"""Somebody at the terminal of a process: the live screen is theirs."""

from __future__ import annotations

import os
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from plugandtell.core.status import ClientStatus, ServerStatus
from plugandtell.logservice import log_line
from plugandtell.logservice.settings import wants_color
from plugandtell.terminal.board import Board
from plugandtell.terminal.choosing import keyboard_descriptor
from plugandtell.terminal.glyphs import glyphs_for
from plugandtell.terminal.keys import Keyboard
from plugandtell.terminal.live import Live
from plugandtell.terminal.view import View
from plugandtell.terminal.viewers import SHOWN_BY_ITSELF, looking

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from plugandtell.core.talk import Key


def new_screen(view: View, *, reads_stdin: bool) -> tuple[Board, Live]:
    """A screen at standard error, which must be a terminal, and what it shows.

    Args:
        view: What it shows at the beginning.
        reads_stdin: Whether standard input is taken by something else than keys.
    """
    descriptor = keyboard_descriptor(reads_stdin=reads_stdin)
    keyboard = None if descriptor is None else Keyboard(descriptor)
    board = Board(view, has_keys=keyboard is not None)
    color = wants_color(None, is_terminal=True, environ=os.environ)
    return board, Live(board, glyphs_for(sys.stderr.encoding, os.environ), color=color, keyboard=keyboard)


class Person:
    """Looks at the process through the screen.

    Args:
        is_client: Whether the process is a client; otherwise it is a server.
        reads_stdin: See `new_screen`.
    """

    is_watching = True
    takes_stdout = False

    def __init__(self, *, is_client: bool, reads_stdin: bool) -> None:
        view = View(client=ClientStatus()) if is_client else View(server=ServerStatus())
        self._board, self._screen = new_screen(view, reads_stdin=reads_stdin)

    def divert(self, event: Mapping[str, Any]) -> bool:
        """The screen shows it, while there is one."""
        if not self._screen.is_shown:
            return False
        if event["event"] not in SHOWN_BY_ITSELF:
            self._board.post(log_line(event))
        return True

    @asynccontextmanager
    async def viewing(
        self, look: Callable[[], ClientStatus | ServerStatus], press: Callable[[Key], None]
    ) -> AsyncIterator[None]:
        """Show the screen."""
        with self._screen.showing(press):
            async with looking(look, self._board.post):
                yield

    def leave(self) -> None:
        """Give the terminal back."""
        self._screen.leave()
