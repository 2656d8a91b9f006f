"""Events for people: one line each on stderr, safe to show whatever a client sent.

structlog's own ConsoleRenderer lets control characters reach the terminal, and cannot put the ids last.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

from plugandtell.core.safe_text import escape
from plugandtell.core.status import LogLine

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TextIO

_DIM, _RED, _GREEN, _YELLOW = (f"\x1b[{code}m" for code in (2, 31, 32, 33))
_RESET = "\x1b[0m"
_COLOR_OF = {"debug": _DIM, "info": _GREEN, "warning": _YELLOW, "error": _RED, "critical": _RED}
_QUIET_LEVELS = ("debug", "info")
_SHORT_NAMES = {
    "call_id": "call",
    "segment_id": "segment",
    "stream_id": "stream",
    "client": "client",
    "address": "address",
}
_SHORT_ID_CHARACTERS = 8
_LEAST_WANTED_FIRST = ("address", "client", "stream_id", "segment_id", "call_id")
_APART = {"timestamp", "level", "event", "process", "pid", "exception", *_SHORT_NAMES}
_PAINT = re.compile(r"\x1b\[[0-9;]*m")
_CONSTANT_NAME = re.compile(r"[a-z0-9_]+")
_NEEDS_QUOTES = re.compile(r'[\s"=]|^$')


class Console:
    """Writes events to a stream; one that is broken or closed is given up on silently, line by line.

    This is no handler of logging, because a thread that is stuck on a full pipe would hold the handler's lock, and
    logging waits for that lock when the process exits.

    Args:
        stream: Usually stderr; None where a process has none.
        color: Whether to colour levels, and to dim times, keys and ids.
        columns: How long a line may be; one that would be longer goes without ids.
        divert: Asked first, on any thread, and tells whether it has shown the event elsewhere.
        tracebacks: Whether they are shown, or their last line only.
    """

    def __init__(
        self,
        stream: TextIO | None,
        *,
        color: bool,
        columns: Callable[[], int | None] = lambda: None,
        divert: Callable[[Mapping[str, Any]], bool] = lambda _: False,
        tracebacks: bool = True,
    ) -> None:
        self._tracebacks = tracebacks
        self._divert = divert
        self._stream = stream
        self._columns = columns
        self._descriptor = None if stream is None else _descriptor_of(stream)
        self._color = color

    def show(self, event: Mapping[str, Any]) -> None:
        """Show one event. May block while the terminal is paused or a pipe is full."""
        if self._divert(event):
            return
        text = render(event, color=self._color, columns=self._columns(), tracebacks=self._tracebacks)
        with contextlib.suppress(OSError, ValueError):  # ValueError: the stream is closed
            if self._descriptor is not None:
                data = text.encode()
                while data:
                    data = data[os.write(self._descriptor, data) :]
            elif self._stream is not None:
                self._stream.write(text)
                self._stream.flush()

    def close(self) -> None:
        """Show no more. The stream itself stays open."""
        descriptor, self._descriptor, self._stream = self._descriptor, None, None
        if descriptor is not None:
            os.close(descriptor)


def render(event: Mapping[str, Any], *, color: bool, columns: int | None = None, tracebacks: bool = True) -> str:
    """The line of an event as the log file has it, with its traceback below it when it has one.

    Without `tracebacks`, only the last line of it is there. Where the line would be longer than `columns`, ids are left
    out, one after the other; the file has them.
    """

    def paint(text: str, code: str) -> str:
        return f"{code}{text}{_RESET}" if color else text

    at = datetime.fromisoformat(event["timestamp"]).astimezone().strftime("%H:%M:%S.%f")[:-3]
    level, name = event["level"], str(event["event"])
    words = f"{name.replace('_', ' ') if _CONSTANT_NAME.fullmatch(name) else escape(name):<24}"
    level_color = _COLOR_OF.get(level, _RED)
    head = [paint(at, _DIM), paint(f"{level:<7}", level_color)]
    head.append(words if level in _QUIET_LEVELS else paint(words, level_color))
    own = [f"{paint(_word(key) + '=', _DIM)}{_shown(value)}" for key, value in event.items() if key not in _APART]
    trace = [text for text in str(event.get("exception", "")).split("\n") if text]
    before = "  ".join([*head, *own])
    ids = _ids(event, None if columns is None else columns - len(_PAINT.sub("", before)) - 2)
    line = "  ".join([before, *([paint(ids, _DIM)] if ids else [])])
    # The bar keeps a line break in the text of an exception from starting what looks like a line of the log.
    below = [f"    | {escape(text)}" for text in (trace if tracebacks else trace[-1:])]
    return "\n".join([line.rstrip(), *below, ""])


def log_line(event: Mapping[str, Any], process: str = "") -> LogLine:
    """The event without its ids, for a screen that has few lines; of a traceback, the last line."""
    at = datetime.fromisoformat(event["timestamp"]).astimezone().strftime("%H:%M:%S")
    name = str(event["event"])
    own = [f"{_word(key)}={_shown(value)}" for key, value in event.items() if key not in _APART]
    if error := str(event.get("exception", "")).strip():
        own.append(escape(error.splitlines()[-1]))
    words = name.replace("_", " ") if _CONSTANT_NAME.fullmatch(name) else escape(name)
    return LogLine(process, event["level"], at, "  ".join([words, *own]))


def _ids(event: Mapping[str, Any], room: int | None) -> str:
    shown = {key: f"{name}={_short(key, event[key])}" for key, name in _SHORT_NAMES.items() if key in event}
    for key in _LEAST_WANTED_FIRST:
        if room is not None and len(" ".join(shown.values())) > room:
            shown.pop(key, None)
    return " ".join(shown.values())


def _short(key: str, value: object) -> str:
    return _shown(value[:_SHORT_ID_CHARACTERS] if key.endswith("_id") and isinstance(value, str) else value)


def _shown(value: object) -> str:
    if isinstance(value, str):
        return _word(value)
    if isinstance(value, float):
        return str(round(value, 3))
    return escape(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def _word(text: str) -> str:
    return escape(json.dumps(text, ensure_ascii=False) if _NEEDS_QUOTES.search(text) else text)


def _descriptor_of(stream: TextIO) -> int | None:
    """A descriptor to write to directly, so that a thread stuck on a full pipe holds no lock of the stream.

    Python flushes stderr when it exits, and would wait for that lock for ever. It is one of our own, because what
    silences a library points the descriptor of stderr elsewhere for a moment. The Windows console needs the stream,
    because its descriptor takes no UTF-8.
    """
    if os.name == "nt":
        return None
    try:
        return os.dup(stream.fileno())
    except (OSError, AttributeError, ValueError):
        return None
