"""What the recordings in a folder tell of the streams that they were cut from, for a server that starts anew."""

from __future__ import annotations

import heapq
import os
from typing import TYPE_CHECKING

from plugandtell.core.recording import read_final_sidecar
from plugandtell.server.recorder import Saved

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

REMEMBERED_S = 7 * 24 * 3600.0
REMEMBERED_RECORDINGS = 10_000


def recorded_lately(
    folder: Path, now_s: float, *, within_s: float = REMEMBERED_S, at_most: int = REMEMBERED_RECORDINGS
) -> list[Saved]:
    """The newest recordings, oldest first. Sidecars that are none of ours are passed over.

    The look at one file costs microseconds, however many there are; only the sidecars of the newest are read.

    Args:
        folder: Where they are.
        now_s: The time, as files have it.
        within_s: How old they may be.
        at_most: How many.
    """
    newest = heapq.nlargest(at_most, _sidecars(folder, now_s - within_s))
    return [saved for _, name in reversed(newest) if (saved := _read(folder / name)) is not None]


def _sidecars(folder: Path, since_s: float) -> Iterator[tuple[float, str]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(".json"):
                try:
                    changed_at = entry.stat().st_mtime
                except OSError:
                    continue
                if changed_at >= since_s:
                    yield changed_at, entry.name


def _read(sidecar: Path) -> Saved | None:
    try:
        origin, ended, file = read_final_sidecar(sidecar.read_text(encoding="utf-8"))
        return Saved(sidecar.with_name(file.name), origin, ended, file.samples)
    except (OSError, ValueError):
        return None
