"""Whether a WAV file is all there, which libsndfile does not tell: it reads what there is.

The layout is that of "Multimedia Programming Interface and Data Specifications 1.0" (IBM, Microsoft, 1991).
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_CHUNK = struct.Struct("<4sI")
_UNKNOWN_FROM = 0x7FFF_0000
"""Programs that write into a pipe do not know the length: they put 0, or one near the most that fits 31 or 32 bits."""


def missing_bytes(path: Path) -> int:
    """How much audio the header of a WAV promises beyond the end of the file; 0 where it promises nothing.

    Raises:
        OSError: The file cannot be read.
    """
    with path.open("rb") as file:
        size_bytes = file.seek(0, 2)
        file.seek(0)
        if file.read(4) != b"RIFF" or file.read(8)[4:] != b"WAVE":  # RF64 keeps its lengths elsewhere
            return 0
        while len(head := file.read(_CHUNK.size)) == _CHUNK.size:
            name, length = _CHUNK.unpack(head)
            if name == b"data":
                return max(0, file.tell() + length - size_bytes) if length < _UNKNOWN_FROM else 0
            file.seek(length + length % 2, 1)
    return 0
