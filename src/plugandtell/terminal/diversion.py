"""Keeps what is printed from tearing the screen: it is taken line by line, and printed when the screen is gone."""

from __future__ import annotations

import os
import sys
import threading
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_KEPT_LINES = 10_000
_END_WITHIN_S = 0.5


class Diversion:
    """One standard stream that leads into a pipe, whoever writes to it: C libraries too.

    Args:
        descriptor: 1 or 2.
        take: Told of each line, on a thread of its own.
    """

    def __init__(self, descriptor: int, take: Callable[[str], None]) -> None:
        self._descriptor = descriptor
        self._take = take
        self._lines: deque[bytes] = deque(maxlen=_KEPT_LINES)
        self._before = os.dup(descriptor)
        self._reading, writing = os.pipe()
        _flush()
        os.dup2(writing, descriptor)
        os.close(writing)
        self._thread = threading.Thread(target=self._read, name="diversion", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Let the stream lead where it led, and print what was taken: its last ten thousand lines."""
        _flush()
        os.dup2(self._before, self._descriptor)
        self._thread.join(_END_WITHIN_S)  # a process that we started may have the pipe still, and keep it open
        with suppress(OSError):
            for line in list(self._lines):
                data = line
                while data:
                    data = data[os.write(self._descriptor, data) :]
        os.close(self._before)

    def _read(self) -> None:
        rest = b""
        while part := os.read(self._reading, 65_536):
            *lines, rest = (rest + part).split(b"\n")
            for line in lines:
                self._keep(line + b"\n")
        if rest:
            self._keep(rest)
        os.close(self._reading)

    def _keep(self, line: bytes) -> None:
        self._lines.append(line)
        self._take(line.decode(errors="replace").rstrip("\r\n"))


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):
            stream.flush()
