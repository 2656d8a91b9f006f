"""Submits recordings as they are finished: what a folder holds at the start, and what comes into it."""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from plugandtell.analytics.submitting import of_recording
from plugandtell.core.errors import InputError, TransientError
from plugandtell.logservice import Throttle, get_logger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from plugandtell.analytics.submitted import Submitted
    from plugandtell.analytics.submitting import Submission, Submitting
    from plugandtell.core.call import CallOptions

_SIDECAR: Final = ".json"
_LOOK_EVERY_S: Final = 0.5
_LONGEST_PAUSE_S: Final = 30.0
_SETTLED_S: Final = 2.0
"""A folder that changed longer ago than this has no change to come with the same time on it."""
_LIST_EVERY: Final = 60
"""Looks after which the folder is listed though it seems unchanged: times of network disks may come late."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a look at the folder came to.

    Attributes:
        known: Recordings that were submitted before.
        new: Those that were submitted now, in the order of their names.
    """

    known: int
    new: tuple[Submission, ...]


class Recordings:
    """The finished recordings in a folder of the server, each of which becomes a call once.

    A sidecar appears when its recording is finished. One that cannot be read is said once, and looked at again when it
    changes.

    Args:
        folder: The folder; it need not be there yet.
        submitting: Takes them.
        submitted: Those that were submitted before; remembers those that are.
        options: What is known about all of them.
    """

    def __init__(self, folder: Path, submitting: Submitting, submitted: Submitted, options: CallOptions) -> None:
        self._folder = folder
        self._submitting = submitting
        self._submitted = submitted
        self._options = options
        self._seen: dict[str, tuple[int, int]] = {}
        self._listed: int | None = None
        self._looks_since = 0
        self._known = 0
        self._new: list[Submission] = []
        self._log = get_logger()

    async def look(self, stop: asyncio.Event | None = None) -> Found:
        """Submit what has not been; stops on the way when `stop` is set.

        Raises:
            TransientError: A store cannot be reached or written. Look again later; that will tell of this look too.
        """
        for name, state in await asyncio.to_thread(self._unseen):
            if stop is not None and stop.is_set():
                break
            submission = await asyncio.to_thread(self._read, name)
            if submission is not None:
                await self._take(submission)
            self._seen[name] = state
        found = Found(self._known, tuple(self._new))
        self._known, self._new = 0, []
        return found

    async def keep_looking(self, stop: asyncio.Event, show: Callable[[Found], None]) -> None:
        """Look until `stop` is set. What cannot be submitted now is tried again, less and less often.

        Args:
            stop: Ends it.
            show: Is told what the first look came to, and each later one that found something.
        """
        pause_s, has_looked, throttle = _LOOK_EVERY_S, False, Throttle(30.0)
        while not stop.is_set():
            try:
                found = await self.look(stop)
            except TransientError as error:
                pause_s = min(_LONGEST_PAUSE_S, 2 * pause_s)
                if throttle.is_due("submission_put_off", time.monotonic()):
                    self._log.warning("submission_put_off", error=str(error))
            else:
                pause_s = _LOOK_EVERY_S
                if found.new or not has_looked:
                    show(found)
                has_looked = True
            await _pause(stop, pause_s)

    async def _take(self, submission: Submission) -> None:
        if submission.call_id in self._submitted:
            self._known += 1
            return
        try:
            is_new = await self._submitting.submit(submission)
        except InputError as error:  # removed meanwhile
            self._log.warning("recording_skipped", error=str(error))
            return
        await asyncio.to_thread(self._submitted.add, submission.call_id)
        if is_new:
            self._new.append(submission)
            self._log.info("recording_submitted", call_id=submission.call_id, file=submission.source)
        else:
            self._known += 1

    def _unseen(self) -> list[tuple[str, tuple[int, int]]]:
        """Sidecars that were not seen as they are now, in the order of their names, which is that of time."""
        self._looks_since += 1
        if self._listed is not None and self._looks_since < _LIST_EVERY and self._changed_at() == self._listed:
            return []
        changed_at = self._changed_at()
        unseen = sorted(item for item in self._sidecars() if self._seen.get(item[0]) != item[1])
        is_settled = changed_at is not None and time.time() - changed_at / 1e9 > _SETTLED_S
        self._listed = changed_at if is_settled and not unseen else None
        self._looks_since = 0
        return unseen

    def _changed_at(self) -> int | None:
        """When a name was added or removed last, in nanoseconds; None while there is no folder."""
        try:
            return self._folder.stat().st_mtime_ns
        except OSError:
            return None

    def _sidecars(self) -> Iterator[tuple[str, tuple[int, int]]]:
        try:
            with os.scandir(self._folder) as entries:
                for entry in entries:
                    if entry.name.endswith(_SIDECAR) and not entry.name.startswith("."):
                        stat = entry.stat()
                        yield entry.name, (stat.st_mtime_ns, stat.st_size)
        except OSError:  # it is not there yet, or somebody removes files: the next look sees what there is then
            return

    def _read(self, name: str) -> Submission | None:
        try:
            return of_recording(self._folder / name, self._options)
        except InputError as error:
            self._log.warning("recording_skipped", error=str(error))
            return None


async def _pause(stop: asyncio.Event, pause_s: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(pause_s):
            await stop.wait()
