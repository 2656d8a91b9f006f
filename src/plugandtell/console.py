"""What the commands print: whatever the terminal cannot show is spelled out, and warnings do not run away."""

from __future__ import annotations

import json
import os
import shutil
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

from plugandtell.command import print_line
from plugandtell.core.safe_text import escape, escape_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TextIO

_MOST_WARNINGS: Final = 10
_WIDTH, _HEIGHT = 100, 24
_BEGIN_AGAIN: Final = "\r\x1b[K"


def say(text: str) -> None:
    """Print for people, on standard output."""
    _print(sys.stdout, text)


def say_object(fields: dict[str, Any]) -> None:
    """Print for scripts: JSON, in a line."""
    _print(sys.stdout, escape_json(json.dumps(fields, ensure_ascii=False)))


def remark(text: str) -> None:
    """Print what is no result, on standard error."""
    _print(sys.stderr, text)


def ask(question: str) -> str | None:
    """What is answered on standard input; None if nobody answers."""
    if sys.stdin is None:
        return None
    if sys.stderr is not None:
        _write(sys.stderr, question)
    return sys.stdin.readline() or None


@contextmanager
def progress() -> Iterator[Callable[[str], None]]:
    """Draws a line over and over, if standard error is a terminal. No state of the terminal is changed for it.

    It has a descriptor of its own: the other one is silenced while sound libraries are at work.
    """
    stream = sys.stderr
    if stream is None or not stream.isatty() or os.environ.get("TERM") == "dumb":
        yield lambda _: None
        return
    with os.fdopen(os.dup(stream.fileno()), "w", encoding=stream.encoding) as own:
        try:
            yield lambda line: _write(own, f"{_BEGIN_AGAIN}{line}")
        finally:
            _write(own, "\n")


def width(stream: TextIO | None = None) -> int:
    """Of the terminal that the stream leads to, or standard output, if there is one."""
    try:
        return (os.get_terminal_size(stream.fileno()).columns if stream is not None else 0) or _of_stdout()
    except (OSError, ValueError):
        return _of_stdout()


def is_plain(stream: TextIO | None) -> bool:
    """Whether this stream takes no more than ASCII."""
    try:
        "█━".encode(_encoding(stream))
    except UnicodeEncodeError:
        return True
    return False


class Warnings:
    """Warnings, the first of which are shown, and the rest counted."""

    def __init__(self) -> None:
        self._count = 0

    def warn(self, text: str) -> None:
        """Show it, or count it."""
        self._count += 1
        if self._count <= _MOST_WARNINGS:
            remark(f"warning: {escape(text)}")

    def end(self) -> None:
        """Say how many were not shown."""
        if self._count > _MOST_WARNINGS:
            remark(f"and {self._count - _MOST_WARNINGS} more warnings")


def _of_stdout() -> int:
    return shutil.get_terminal_size((_WIDTH, _HEIGHT)).columns


def _write(stream: TextIO, text: str) -> None:
    with suppress(OSError, ValueError):  # nobody reads it any more
        stream.write(_spelled(stream, text))
        stream.flush()


def _print(stream: TextIO | None, text: str) -> None:
    print_line(stream, _spelled(stream, text))


def _spelled(stream: TextIO | None, text: str) -> str:
    encoding = _encoding(stream)
    return text.encode(encoding, "backslashreplace").decode(encoding)


def _encoding(stream: TextIO | None) -> str:
    return getattr(stream, "encoding", None) or "utf-8"
