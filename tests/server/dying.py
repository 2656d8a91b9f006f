"""A server process that kills itself, as kill -9 would, at a chosen touch of its disk.

    python dying.py MOMENT [FLAGS OF THE SERVER]

The hooks are in the standard library's doors to the file system; nothing of the server's own is replaced.
"""

from __future__ import annotations

import os
import signal
import sys
from io import FileIO
from pathlib import Path
from typing import Any

from plugandtell.server.cli import main

AFTER_WRITE = "after write"
AFTER_HEADER = "after header"
MOMENTS = (
    AFTER_HEADER,
    AFTER_WRITE,
    "before .json.part",
    "after .json.part",
    "after .wav",
    "after .json",
    "after unlink .wav.part",
    "after unlink .json.part",
    "before unlink .wav.part",
)
FLAC_MOMENTS = (
    "while encoding",
    "before .json.part",
    "after .json.part",
    "after .flac",
    "after .json",
    "after unlink .wav.part",
)
"""Those of the way of a FLAC into its place."""


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class DyingFile(FileIO):
    """Dies after the write that takes it beyond 1 s of audio."""

    written = 0

    def write(self, data: Any, /) -> int:
        count = super().write(data)
        self.written += count or 0
        if moment == AFTER_HEADER or (moment == AFTER_WRITE and self.written > 32_000):
            die()
        return count or 0


class DyingSource(FileIO):
    """Dies after the second block, of which a FLAC is being made."""

    blocks = 0

    def read(self, size: int | None = -1, /) -> Any:
        self.blocks += 1
        if self.blocks > 2:
            die()
        return super().read(size)


def open_dying(path: Path, mode: str = "r", *rest: Any, **options: Any) -> Any:
    if moment == "while encoding" and mode == "rb" and path.name.endswith(".wav.part"):
        return DyingSource(path)
    return DyingFile(path, mode) if mode == "xb" else really_open(path, mode, *rest, **options)


def replace_dying(path: Path, target: Path) -> Path:
    if moment == f"before {''.join(Path(target).suffixes[-2:])}":
        die()
    replaced = really_replace(path, target)
    if str(target).endswith(moment.removeprefix("after ")) and moment.startswith("after"):
        die()
    return replaced


def unlink_dying(path: Path, missing_ok: bool = False) -> None:
    if moment.startswith("before unlink") and path.name.endswith(moment.removeprefix("before unlink ")):
        die()
    really_unlink(path, missing_ok=missing_ok)
    if moment.startswith("after unlink") and path.name.endswith(moment.removeprefix("after unlink ")):
        die()


if __name__ == "__main__":
    moment = sys.argv.pop(1)
    really_open, really_replace, really_unlink = Path.open, Path.replace, Path.unlink
    setattr(Path, "open", open_dying)  # noqa: B010
    setattr(Path, "replace", replace_dying)  # noqa: B010
    setattr(Path, "unlink", unlink_dying)  # noqa: B010
    main()
