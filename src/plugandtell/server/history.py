"""What the recordings in a folder tell of the streams that they were cut from, for a server that starts anew."""

from __future__ import annotations

import heapq
import os
from contextlib import suppress
from typing import TYPE_CHECKING

from plugandtell.core.recording import read_final_sidecar
from plugandtell.core.shard import WHOLE, Shard
from plugandtell.server.placing import Saved

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

REMEMBERED_RECORDINGS = 10_000


def recorded_lately(folder: Path, at_most: int = REMEMBERED_RECORDINGS, shard: Shard = WHOLE) -> list[Saved]:
    """The newest recordings, oldest first. Sidecars that are none of ours are passed over.

    The look at one file costs microseconds, however many there are; only the sidecars of the newest are read. How old
    they are is not asked: a clock that is wrong, now or when they were written, must not make a server forget them.

    Args:
        folder: Where they are.
        at_most: How many, of all shards.
        shard: Whose are wanted.
    """
    newest = heapq.nlargest(at_most, _sidecars(folder))
    found = (_read(folder / name) for _, name in reversed(newest))
    return [saved for saved in found if saved is not None and shard.owns(saved.origin.stream_id)]


def _sidecars(folder: Path) -> Iterator[tuple[float, str]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(".json"):
                with suppress(OSError):
                    yield entry.stat().st_mtime, entry.name


def _read(sidecar: Path) -> Saved | None:
    try:
        origin, ended, file = read_final_sidecar(sidecar.read_text(encoding="utf-8"))
        return Saved(sidecar.with_name(file.name), origin, ended, file.samples)
    except (OSError, ValueError):
        return None
