"""Keys, one at a time and unechoed, from a terminal that is given back as it was."""

from __future__ import annotations

import os
import re
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from plugandtell.core.talk import Key

if TYPE_CHECKING:
    from typing import Any

if sys.platform != "win32":
    import termios

_KEYS = {" ": Key.TALK, "m": Key.MUTE, "M": Key.MUTE, "q": Key.QUIT, "Q": Key.QUIT}
_SEQUENCE = re.compile(r"\x1b(?:[\[O][0-9;?<]*[ -/]*[@-~]|.)?", re.DOTALL)  # an arrow key and the like
_MOST_BYTES = 1024


def keys_in(typed: str) -> list[Key]:
    """The keys that mean something; what a special key sends means nothing, whatever letters are in it."""
    return [_KEYS[sign] for sign in _SEQUENCE.sub("", typed) if sign in _KEYS]


class Keyboard:
    """The terminal that keys come from.

    Args:
        descriptor: Of the terminal.
    """

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self._before: list[Any] | None = None

    def begin(self) -> None:
        """Have each key at once, without echo. Ctrl-C and Ctrl-Z keep their meaning. Idempotent."""
        if sys.platform == "win32" or self._before is not None:
            return
        with suppress(termios.error):
            self._before = termios.tcgetattr(self.descriptor)
            mode = termios.tcgetattr(self.descriptor)
            mode[3] &= ~(termios.ICANON | termios.ECHO)
            mode[6][termios.VMIN], mode[6][termios.VTIME] = 1, 0
            termios.tcsetattr(self.descriptor, termios.TCSANOW, mode)

    def end(self) -> None:
        """Give the terminal back as it was, at once. Idempotent."""
        before, self._before = self._before, None
        if sys.platform == "win32" or before is None:
            return
        with suppress(termios.error):
            termios.tcsetattr(self.descriptor, termios.TCSANOW, before)

    def resume(self) -> None:
        """Let output go on that Ctrl-S has stopped. Linux does so only where it was stopped like this before."""
        if sys.platform == "win32":
            return
        with suppress(termios.error):
            termios.tcflow(self.descriptor, termios.TCOOFF)
            termios.tcflow(self.descriptor, termios.TCOON)

    def read(self) -> list[Key]:
        """The keys that wait; blocks if there are none."""
        try:
            return keys_in(os.read(self.descriptor, _MOST_BYTES).decode(errors="replace"))
        except OSError:  # the terminal is gone, and whoever watches for that ends us
            return []
