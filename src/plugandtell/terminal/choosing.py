"""Whether there is a live screen, and where its keys come from."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from plugandtell.terminal.viewers import Nobody, Parent

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TextIO

    from plugandtell.terminal.viewers import Viewer

_STDIN = 0


def viewer_for(process: str, *, plain: bool, reports: bool, reads_stdin: bool = False) -> Viewer:
    """Who looks at this process.

    Args:
        process: `client` or `server`.
        plain: Nobody does, whatever there is.
        reports: The process that started this one does.
        reads_stdin: Whether standard input is taken by something else than keys.
    """
    if reports:
        return Parent(process)
    if plain or not shows_screen(sys.stderr, os.environ):
        return Nobody()
    from plugandtell.terminal.person import Person  # noqa: PLC0415  (rich, only where there is a screen)

    return Person(is_client=process == "client", reads_stdin=reads_stdin)


def shows_screen(stream: TextIO | None, environ: Mapping[str, str]) -> bool:
    """Whether the stream is a terminal that can be drawn on, and ours at the moment."""
    try:
        is_terminal = stream is not None and stream.isatty()
    except ValueError:  # it is closed
        return False
    if stream is None or not is_terminal or sys.platform == "win32":
        return False
    return environ.get("TERM", "dumb") != "dumb" and in_foreground(stream.fileno())


def in_foreground(descriptor: int) -> bool:
    """Whether the terminal is ours at the moment: what runs in the background must not touch it."""
    if sys.platform == "win32":
        return True
    try:
        return os.tcgetpgrp(descriptor) == os.getpgrp()
    except OSError:
        return False


def keyboard_descriptor(*, reads_stdin: bool) -> int | None:
    """Where keys can be read: standard input, or the terminal we draw on if that is taken; None if nowhere."""
    if not reads_stdin and os.isatty(_STDIN):
        return _STDIN if in_foreground(_STDIN) else None
    try:
        return os.open(os.ttyname(sys.stderr.fileno()), os.O_RDWR | getattr(os, "O_NOCTTY", 0))
    except OSError:
        return None
