"""Segments that left no file because they hold no voice, remembered in a small file beside the recordings.

A client that was not told of one, because the server died, waits for it to be settled. Nothing else in the folder would
tell the next server that it was. Each worker has a file of its own: two that begin one anew would lose what the other
noted.
"""

from __future__ import annotations

import json
import os
import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from plugandtell.core.errors import WriteFailed
from plugandtell.core.json_object import JsonObject
from plugandtell.core.shard import WHOLE, Shard, shard_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from uuid import UUID

DISCARDS = ".plugandtell.discarded"
_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Discarded:
    """A segment of a stream that held no voice."""

    stream_id: UUID
    segment_id: UUID
    start_index: int
    end_index: int


class Discards:
    """The last that were discarded, one line of JSON each. Call it off the event loop, from any thread.

    The file is begun anew with the last `remembered` lines when it has twice as many.

    Args:
        folder: Where the recordings are.
        remembered: How many are kept.
        shard: Whose they are; nobody else notes anything in its file.
    """

    def __init__(self, folder: Path, remembered: int = _REMEMBERED, shard: Shard = WHOLE) -> None:
        self._path = _file_of(folder, shard.number)
        self._remembered = remembered
        self._lines: deque[str] = deque(maxlen=remembered)
        self._on_disk = 0
        self._lock = threading.Lock()

    def load(self) -> list[Discarded]:
        """What earlier servers noted, oldest first. A line that a crash cut short is none.

        Raises:
            WriteFailed: The file is there, but cannot be read.
        """
        with self._lock:
            try:
                lines = self._path.read_text(encoding="utf-8", errors="replace").splitlines()
                self._lines.extend(line for line in lines if _read(line) is not None)
            except FileNotFoundError:
                return []
            except OSError as exc:
                raise WriteFailed(str(self._path), exc.strerror or str(exc)) from exc
            try:
                self._rewrite()
            except OSError:  # what was read counts; a torn line at the end must not swallow the next: begun anew then
                self._on_disk = 2 * self._remembered
            return [discarded for line in self._lines if (discarded := _read(line)) is not None]

    def note(self, discarded: Discarded) -> None:
        """Remember one; it is on the disk when this returns.

        Raises:
            WriteFailed: The disk is full or gone.
        """
        with self._lock:
            line = _line(discarded)
            try:
                if self._on_disk >= 2 * self._remembered:
                    self._rewrite()
                with self._path.open("a", encoding="utf-8", newline="\n") as file:
                    file.write(line + "\n")
                    file.flush()
                    os.fsync(file.fileno())
            except OSError as exc:
                raise WriteFailed(str(self._path), exc.strerror or str(exc)) from exc
            self._lines.append(line)
            self._on_disk += 1

    def _rewrite(self) -> None:
        _write_whole(self._path, self._lines)
        self._on_disk = len(self._lines)


def distribute(folder: Path, shards: int) -> None:
    """Put each line into the file of the share that its stream belongs to now: there may have been more, or fewer.

    Nobody may note anything meanwhile. Whenever it is cut short, every line is still in some file, and the next call
    goes on.

    Raises:
        WriteFailed: The files cannot be read or written.
    """
    try:
        found = sorted(path for path in folder.glob(f"{DISCARDS}*") if _is_ours(path))
        if shards == 1 and found in ([], [_file_of(folder, 0)]):
            return
        lines = [line for path in found for line in path.read_text(encoding="utf-8", errors="replace").splitlines()]
        noted = {line: discarded for line in lines if (discarded := _read(line)) is not None}
        shares: list[list[str]] = [[] for _ in range(shards)]
        for line, discarded in noted.items():
            shares[shard_of(discarded.stream_id, shards)].append(line)
        _write_whole(_file_of(folder, 0), noted)  # so that no line is lost whenever it is cut short
        for number in range(1, shards):
            _write_whole(_file_of(folder, number), shares[number])
        for path in set(found) - {_file_of(folder, number) for number in range(shards)}:
            path.unlink()
        _write_whole(_file_of(folder, 0), shares[0])
    except OSError as exc:
        raise WriteFailed(str(folder / DISCARDS), exc.strerror or str(exc)) from exc


def _file_of(folder: Path, number: int) -> Path:
    return folder / (f"{DISCARDS}-{number + 1}" if number else DISCARDS)


def _is_ours(path: Path) -> bool:
    number = path.name.removeprefix(DISCARDS)
    return not number or (number.startswith("-") and number[1:].isdecimal())


def _write_whole(path: Path, lines: Iterable[str]) -> None:
    temporary = path.with_name(path.name + ".new")
    with temporary.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(line + "\n" for line in lines)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def _line(discarded: Discarded) -> str:
    fields = {
        "stream_id": str(discarded.stream_id),
        "segment_id": str(discarded.segment_id),
        "start_index": discarded.start_index,
        "end_index": discarded.end_index,
    }
    return json.dumps(fields)


def _read(line: str) -> Discarded | None:
    try:
        fields = JsonObject.parse(line)
        start_index = fields.integer("start_index")
        ids = fields.uuid("stream_id"), fields.uuid("segment_id")
        return Discarded(*ids, start_index, fields.integer("end_index", start_index))
    except ValueError:
        return None
