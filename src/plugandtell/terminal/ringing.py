"""The bell of the terminal that a process runs in."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

OWN_TERMINAL: Final = "CONOUT$" if sys.platform == "win32" else "/dev/tty"


def ring(terminal: str = OWN_TERMINAL) -> None:
    """Ring it. Where there is no terminal, or a paused one, nothing happens; it moves no cursor and tears no screen."""
    with suppress(OSError), _not_stopped_for_it():
        flags = os.O_WRONLY | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_NONBLOCK", 0)
        descriptor = os.open(terminal, flags)
        try:
            if os.isatty(descriptor):
                os.write(descriptor, b"\a")
        finally:
            os.close(descriptor)


def terminal_here() -> str | None:
    """The terminal that standard error leads to, by a name that other processes can open."""
    try:
        return os.ttyname(sys.stderr.fileno())
    except (OSError, ValueError, AttributeError):
        return None


@contextmanager
def _not_stopped_for_it() -> Iterator[None]:
    """A process in the background that writes to a terminal set to `tostop` is stopped, unless it blocks the signal."""
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTTOU])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
