"""A WAV file that grows message by message: what the Python peers record with."""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")
_RATE = 16_000


def header(data_bytes: int) -> bytes:
    """In front of this much audio."""
    form = (16, 1, 1, _RATE, 2 * _RATE, 2, 16)
    return _HEADER.pack(b"RIFF", 36 + data_bytes, b"WAVE", b"fmt ", *form, b"data", data_bytes)


class Recording:
    """One growing file; the header is mended at the end."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC)
        os.write(self._file, header(0))
        self._size = 0

    def write(self, data: bytes | memoryview) -> None:
        """Append."""
        self._size += os.write(self._file, data)

    def end(self) -> None:
        """Mend the header, and close."""
        os.pwrite(self._file, header(self._size), 0)
        os.close(self._file)


class Recorder:
    """Makes recordings, numbered, in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0

    def start(self) -> Recording:
        """The next one."""
        self._count += 1
        return Recording(self._folder / f"{self._count}.wav")
