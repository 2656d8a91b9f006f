"""Group commit: one task puts on the disk what all streams wrote, off the event loop, and lets them acknowledge.

What comes while a commit runs waits for the next one, so that the disk sets the pace and not the number of streams.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Protocol

from plugandtell.core.errors import WriteFailed
from plugandtell.logservice import get_logger

if TYPE_CHECKING:
    from collections.abc import Sequence


class Syncable(Protocol):
    """A file that was written to."""

    def sync(self) -> None:
        """Return when what was written before the call is on the disk; called off the event loop.

        Raises:
            WriteFailed: It is not.
        """


class Committable(Protocol):
    """A stream that wrote."""

    def begin_commit(self) -> tuple[Sequence[Syncable], int]:
        """The files it wrote to since the last commit, and how far."""

    def committed(self, index: int) -> None:
        """Everything below the index is on the disk."""

    def commit_failed(self, error: WriteFailed) -> None:
        """It is not."""


class Committer:
    """Commits for all streams. Those that want it are a set: it is bounded by the number of streams."""

    def __init__(self) -> None:
        self._wanting: dict[Committable, None] = {}
        self._wanted = asyncio.Event()

    def want(self, stream: Committable) -> None:
        """The stream has written something that it wants to acknowledge."""
        self._wanting[stream] = None
        self._wanted.set()

    async def run(self) -> None:
        """Commit for ever."""
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1, "committer") as disk:
            while True:
                await self._wanted.wait()
                self._wanted.clear()
                streams, self._wanting = list(self._wanting), {}
                begun = [(stream, *stream.begin_commit()) for stream in streams]
                errors = await loop.run_in_executor(disk, _sync, [files for _, files, _ in begun])
                for (stream, _, index), error in zip(begun, errors, strict=True):
                    _tell(stream, index, error)


def _sync(groups: Sequence[Sequence[Syncable]]) -> list[WriteFailed | None]:
    return [_sync_group(files) for files in groups]


def _sync_group(files: Sequence[Syncable]) -> WriteFailed | None:
    try:
        for file in files:
            file.sync()
    except WriteFailed as error:
        return error
    return None


def _tell(stream: Committable, index: int, error: WriteFailed | None) -> None:
    try:
        if error is None:
            stream.committed(index)
        else:
            stream.commit_failed(error)
    except Exception:  # noqa: BLE001  (one stream's trouble is not the others')
        get_logger().exception("commit_failed")
