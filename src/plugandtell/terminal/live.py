"""The loop that draws. It has a thread of its own, so that a terminal that is paused stops nothing but the picture."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from plugandtell.command import print_line
from plugandtell.core.status import LogLine
from plugandtell.core.talk import Key
from plugandtell.logservice import get_logger
from plugandtell.terminal.choosing import in_foreground
from plugandtell.terminal.diversion import Diversion
from plugandtell.terminal.painter import ENTER, LEAVE, Painter
from plugandtell.terminal.screen import draw
from plugandtell.terminal.wording import told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from plugandtell.terminal.board import Board
    from plugandtell.terminal.glyphs import Glyphs
    from plugandtell.terminal.keys import Keyboard

DRAW_EVERY_S = 0.1
_LOOK_AT_SIZE_EVERY_S = 0.25
_LAST_DRAW_WITHIN_S = 1.0
_STDIN, _STDOUT, _STDERR = 0, 1, 2


class Live:
    """Shows a board on the terminal at standard error.

    Args:
        board: What is shown.
        glyphs: What it is drawn with.
        color: Whether in colours.
        keyboard: The terminal that keys come from; None to read none.

    Attributes:
        is_shown: Whether the terminal is ours.
    """

    def __init__(self, board: Board, glyphs: Glyphs, *, color: bool, keyboard: Keyboard | None) -> None:
        self.is_shown = False
        self._board = board
        self._glyphs = glyphs
        self._encoding = sys.stderr.encoding
        self._painter = Painter(color=color)
        self._keyboard = keyboard
        self._press: Callable[[Key], None] = lambda _: None
        self._terminal = -1
        self._is_away = False  # stopped with Ctrl-Z, or in the background since
        self._lock = threading.Lock()  # whoever holds it may write to the terminal
        self._thread = threading.Thread(target=self._draw, name="screen", daemon=True)

    @contextmanager
    def showing(
        self,
        press: Callable[[Key], None],
        tell: Callable[[LogLine], None] = lambda line: print_line(sys.stderr, told(line)),
    ) -> Iterator[None]:
        """Show it while an event loop runs. On the way out the terminal is as it was.

        Args:
            press: Told of keys, but for `Key.QUIT`, which is as Ctrl-C.
            tell: Prints the warnings of the log at the end, after what was printed meanwhile.
        """
        self._press = press
        loop = asyncio.get_running_loop()
        self._terminal = os.dup(_STDERR)
        diversions = [Diversion(_STDERR, self._note)]
        if os.isatty(_STDOUT):
            diversions.append(Diversion(_STDOUT, lambda _: None))
        self.is_shown = True
        self._take_terminal()
        self._listen(loop)
        handlers = [(signal.SIGTSTP, self._suspend), (signal.SIGCONT, self._return)] if sys.platform != "win32" else []
        for number, handler in handlers:
            loop.add_signal_handler(number, handler, loop)
        self._thread.start()
        try:
            yield
        finally:
            for number, _ in handlers:
                loop.remove_signal_handler(number)
            self._listen(None, loop)
            self._board.close()
            if self._keyboard is not None:
                self._keyboard.resume()
            self._thread.join(_LAST_DRAW_WITHIN_S)
            self.leave()
            for diversion in diversions:
                diversion.end()
            for line in self._board.severe:
                tell(line)
            os.close(self._terminal)

    def leave(self) -> None:
        """Give the terminal back. Idempotent, and safe to call from a signal's handler."""
        if not self.is_shown:
            return
        self.is_shown = False
        self._give_terminal_back()

    def _take_terminal(self) -> None:
        if self._keyboard is not None:
            self._keyboard.begin()
        self._painter.forget()
        self._write(ENTER)

    def _give_terminal_back(self) -> None:
        """In no more than a second, whatever state the terminal is in."""
        if self._keyboard is not None:
            self._keyboard.end()
            self._keyboard.resume()
        leaving = threading.Thread(target=self._write, args=(LEAVE,), daemon=True)
        leaving.start()
        leaving.join(_LAST_DRAW_WITHIN_S)

    def _listen(self, loop: asyncio.AbstractEventLoop | None, before: asyncio.AbstractEventLoop | None = None) -> None:
        if self._keyboard is None:
            return
        if before is not None:
            before.remove_reader(self._keyboard.descriptor)
        if loop is not None:
            try:
                loop.add_reader(self._keyboard.descriptor, self._take_keys, self._keyboard)
            except (OSError, ValueError, NotImplementedError):  # a kind of terminal that this loop cannot wait for
                self._board.lose_keys()

    def _take_keys(self, keyboard: Keyboard) -> None:
        for key in keyboard.read():
            if key is Key.QUIT:
                self._board.stopping()
                signal.raise_signal(signal.SIGINT)
            else:
                self._press(key)

    def _suspend(self, loop: asyncio.AbstractEventLoop) -> None:
        """Ctrl-Z: the shell gets its terminal as it was. Whoever continues us in the background gets no picture."""
        self._listen(None, loop)
        with self._lock:
            self._is_away = True
            self._give_terminal_back()
        os.kill(os.getpid(), signal.SIGSTOP)

    def _return(self, loop: asyncio.AbstractEventLoop) -> None:
        """We go on: take the terminal again as soon as we are in the foreground."""
        if not self.is_shown:
            return
        if not in_foreground(self._terminal):
            loop.call_later(_LOOK_AT_SIZE_EVERY_S, self._return, loop)
            return
        with self._lock:
            self._take_terminal()
            self._is_away = False
        self._listen(loop)
        self._board.refresh()

    def _draw(self) -> None:
        try:
            self._draw_until_closed()
        except Exception:  # noqa: BLE001  (the boundary of a thread: a picture is no reason to stop recording)
            self.leave()
            get_logger().exception("picture_failed")

    def _draw_until_closed(self) -> None:
        while (view := self._board.wait(_LOOK_AT_SIZE_EVERY_S)) is not None:
            started = time.monotonic()
            with self._lock, suppress(OSError):  # OSError: the terminal is gone
                if not self._is_away:
                    size = os.get_terminal_size(self._terminal)
                    lines = draw(view, size.columns, size.lines, self._glyphs)
                    self._write(self._painter.paint(lines, (size.columns, size.lines)))
            time.sleep(max(0.0, DRAW_EVERY_S - (time.monotonic() - started)))

    def _write(self, text: str) -> None:
        data = text.encode(self._encoding, errors="replace")
        with suppress(OSError):
            while data:
                data = data[os.write(self._terminal, data) :]

    def _note(self, line: str) -> None:
        self._board.post(LogLine("", "info", "", line))
