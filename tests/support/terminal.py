"""A real terminal: a program at the other end of a pty, and an emulator that tells what is on the screen."""

from __future__ import annotations

import asyncio
import os
import re
import sys
import termios
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pexpect
import pyte

from tests.support.processes import WITHIN_S

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from pathlib import Path

_SWITCH = re.compile(rb"(\x1b\[\?1049[hl])")  # to the alternate screen and back, which the emulator does not know
_COLOR = re.compile(rb"\x1b\[[0-9;]*m")


class Terminal:
    """What a person sees, and types.

    Args:
        program: Runs in it.
        columns: Its width.
        rows: Its height.

    Attributes:
        raw: All that was ever sent to it.
        is_alternate: Whether the alternate screen is shown.
    """

    def __init__(self, program: pexpect.spawn[Any], columns: int, rows: int) -> None:
        self.raw = b""
        self.is_alternate = False
        self.writes = 0
        self._program = program
        self._emulator = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._emulator)
        self._before = self._settings()
        self._news = asyncio.Event()
        self._is_over = False
        asyncio.get_running_loop().add_reader(program.child_fd, self._read)

    @property
    def text(self) -> str:
        """What is on the screen, without what is empty at the end of lines."""
        return "\n".join(line.rstrip() for line in self._emulator.display)

    @property
    def pid(self) -> int:
        """The process in it."""
        assert self._program.pid is not None
        return self._program.pid

    def is_as_before(self) -> bool:
        """Whether it is as the program found it: its modes, its cursor, its first screen."""
        return self._settings() == self._before and not self._emulator.cursor.hidden and not self.is_alternate

    @property
    def has_color(self) -> bool:
        """Whether a colour or a style was ever set."""
        return bool(_COLOR.search(self.raw))

    async def shows(self, wanted: str | Callable[[str], object]) -> str:
        """Wait until it shows this text, or what the test says of all its text holds; returns the text."""
        holds = wanted if callable(wanted) else lambda text: wanted in text
        try:
            async with asyncio.timeout(WITHIN_S):
                while not holds(self.text):
                    if self._is_over:
                        raise AssertionError(f"it ended without {wanted!r}:\n{self.text}")
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(f"it never showed {wanted!r}, but:\n{self.text}") from None
        return self.text

    async def ended(self) -> int:
        """Wait for the end of the program; returns how it ended, as a shell would."""
        async with asyncio.timeout(WITHIN_S):
            while not self._is_over:
                self._news.clear()
                await self._news.wait()
        await asyncio.to_thread(self._program.wait)
        status, number = self._program.exitstatus, self._program.signalstatus
        return int(status) if status is not None else 128 + int(number or 0)

    def type(self, keys: str) -> None:
        """Press keys."""
        self._program.send(keys.encode())

    def resize(self, columns: int, rows: int) -> None:
        """Make it of another size. What was on the screen is gone."""
        self._emulator.resize(rows, columns)
        self._emulator.reset()
        self._program.setwinsize(rows, columns)

    def close(self) -> None:
        """End whatever is in it."""
        asyncio.get_running_loop().remove_reader(self._program.child_fd)
        self._program.close(force=True)

    def _settings(self) -> Any:
        return termios.tcgetattr(self._program.child_fd)

    def _read(self) -> None:
        try:
            data = os.read(self._program.child_fd, 65_536)
        except OSError:  # how the end of a terminal reads on Linux
            data = b""
        self._news.set()
        if not data:
            self._is_over = True
            asyncio.get_running_loop().remove_reader(self._program.child_fd)
            return
        self.raw += data
        for part in _SWITCH.split(data):
            if _SWITCH.fullmatch(part):
                self.is_alternate = part.endswith(b"h")
                self._emulator.erase_in_display(2)
                self._emulator.cursor_position()
            else:
                self._stream.feed(part)


@asynccontextmanager
async def in_terminal(
    folder: Path,
    *arguments: str,
    columns: int = 120,
    rows: int = 34,
    environment: Mapping[str, str] | None = None,
    program: tuple[str, ...] = (sys.executable, "-m", "plugandtell"),
) -> AsyncIterator[Terminal]:
    """`plugandtell ARGUMENTS` in a terminal; or another program."""
    left_out = ("NO_COLOR", "FORCE_COLOR", "LC_ALL", "LC_CTYPE")
    own = {name: value for name, value in os.environ.items() if name not in left_out}
    own = {name: value for name, value in own.items() if not name.startswith("PLUGANDTELL_")}
    child = pexpect.spawn(
        program[0],
        [*program[1:], *arguments],
        cwd=str(folder),
        env={**own, "TERM": "xterm-256color", "LANG": "C.UTF-8", **(environment or {})},
        dimensions=(rows, columns),
    )
    terminal = Terminal(child, columns, rows)
    try:
        yield terminal
    finally:
        terminal.close()
