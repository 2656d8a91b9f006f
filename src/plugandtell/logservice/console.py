"""Events for people: one line each on stderr, safe to show whatever a client sent."""

from __future__ import annotations

import contextlib
import json
import os
import re
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TextIO

    from plugandtell.logservice.entry import Entry, Plain

_DIM, _RED, _GREEN, _YELLOW, _MAGENTA, _CYAN = (f"\x1b[{code}m" for code in (2, 31, 32, 33, 35, 36))
_RESET = "\x1b[0m"
_COLOR_OF = {
    "debug": _DIM,
    "info": _GREEN,
    "warning": _YELLOW,
    "error": _RED,
    "critical": _RED,
    "client": _CYAN,
    "server": _MAGENTA,
}

# What a terminal acts upon or hides: C0, DEL, C1, line separators, zero-width and bidi characters (Trojan Source,
# CVE-2021-42574), the byte order mark, invisible tags, and lone surrogates, which cannot be encoded.
_CONTROL = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f\ud800-\udfff]"
)
_SHORT_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_NEEDS_QUOTES = re.compile(r'[\s"=]|^$')
_CONSTANT_NAME = re.compile(r"[a-z0-9_]+")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_LONG_TEXTS = ("stack", "exception")


class Console:
    """Writes entries to a stream; one that is broken or closed is given up on silently, line by line.

    Args:
        stream: Usually stderr; None where a process has none.
        process: The name on every line.
        color: Whether to colour the level, the process and the keys.
    """

    def __init__(self, stream: TextIO | None, process: str, *, color: bool) -> None:
        self._stream = stream
        self._descriptor = None if stream is None else _descriptor_of(stream)
        self._process = process
        self._color = color

    def write(self, entry: Entry) -> None:
        """Show one entry. May block while the terminal is paused or a pipe is full."""
        text = render(entry, self._process, color=self._color)
        with contextlib.suppress(OSError, ValueError):  # ValueError: the stream is closed
            if self._descriptor is not None:
                _write_all(self._descriptor, text.encode(errors="backslashreplace"))
            elif self._stream is not None:
                self._stream.write(text)
                self._stream.flush()


def render(entry: Entry, process: str, *, color: bool) -> str:
    """The line of an entry, with its traceback below it when it has one."""

    def paint(text: str, code: str) -> str:
        return f"{code}{text}{_RESET}" if color and code else text

    at = datetime.fromtimestamp(entry.created_s).astimezone().strftime("%H:%M:%S.%f")[:-3]
    event = entry.event.replace("_", " ") if _CONSTANT_NAME.fullmatch(entry.event) else escape(entry.event)
    head = (
        f"{paint(at, _DIM)}  {paint(f'{entry.level:<7}', _COLOR_OF.get(entry.level, ''))}  "
        f"{paint(process, _COLOR_OF.get(process, ''))}  {event:<24}"
    )
    words = [
        f"{paint(_word(key) + '=', _DIM)}{_shown(value)}"
        for key, value in entry.fields.items()
        if key not in _LONG_TEXTS
    ]
    texts = [entry.fields[key] for key in _LONG_TEXTS if key in entry.fields]
    # The bar keeps a line break in the text of an exception from starting what looks like a line of the log.
    below = [f"    | {escape(line)}" for text in texts for line in str(text).split("\n")]
    return "\n".join(["  ".join([head, *words]).rstrip(), *below, ""])


def escape(text: str) -> str:
    r"""`text` with every control, bidi or invisible character as `\n`, `\x1b` or `\u202e`."""
    return _CONTROL.sub(lambda match: _escaped(match[0]), text)


def _escaped(character: str) -> str:
    code = ord(character)
    if character in _SHORT_ESCAPES:
        return _SHORT_ESCAPES[character]
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _shown(value: Plain) -> str:
    if isinstance(value, str):
        return value[:8] if _UUID.fullmatch(value) else _word(value)
    if isinstance(value, float):
        return f"{round(value, 3)}" if abs(value) >= 1 else f"{value:.3g}"
    return escape(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def _word(text: str) -> str:
    if not _NEEDS_QUOTES.search(text):
        return escape(text)
    quotable = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escape(quotable)}"'


def _descriptor_of(stream: TextIO) -> int | None:
    """The descriptor to write to directly, so that a thread stuck on a full pipe holds no lock of the stream.

    Python flushes stderr when it exits, and would wait for that lock for ever. The Windows console needs the stream,
    because its descriptor takes no UTF-8.
    """
    if os.name == "nt":
        return None
    try:
        return stream.fileno()
    except (OSError, AttributeError):
        return None


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]
