"""Segments of one stream that ended, on their way into place: saved in order, told, tried again if need be."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from plugandtell.core.errors import WriteFailed
from plugandtell.core.protocol.messages import SegmentDiscarded, SegmentSaved
from plugandtell.core.retry import Retry

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any
    from uuid import UUID

    from plugandtell.core.metrics import Counts
    from plugandtell.core.protocol.messages import EndReason
    from plugandtell.logservice import FilteringBoundLogger

Notice: TypeAlias = SegmentSaved | SegmentDiscarded

_REPEATED_NOTICES = 64
_MOST_PENDING = 8
_FIRST_RETRY_S = 1.0
_SLOWEST_RETRY_S = 30.0


@dataclass(frozen=True, slots=True)
class Unsettled:
    """A segment that ended and is neither in place nor discarded.

    Attributes:
        segment_id: The segment.
        file: Where it is to be.
        samples: Its length.
        reason: Why it ended.
        settle: Does it; blocks, may raise `WriteFailed`, and may then be called again.
    """

    segment_id: UUID
    file: str
    samples: int
    reason: EndReason
    settle: Callable[[], Notice]


class Settling:
    """What a stream still has to settle.

    Args:
        tell: Tells the client, if one is connected.
        monotonic: A clock in seconds.
        log: The stream's.
        counts: Of the process.

    Attributes:
        notices: The last that were told, for a client that returns.
    """

    def __init__(
        self,
        tell: Callable[[Notice], None],
        monotonic: Callable[[], float],
        log: FilteringBoundLogger,
        counts: Counts,
    ) -> None:
        self.notices: list[Notice] = []
        self._tell = tell
        self._monotonic = monotonic
        self._log = log
        self._counts = counts
        self._unsettled: dict[UUID, Unsettled] = {}
        self._failed: list[Unsettled] = []
        self._retry = Retry(2 * _FIRST_RETRY_S, 2 * _SLOWEST_RETRY_S, math.inf)
        self._retry_at = 0.0
        self._tasks: set[asyncio.Task[None]] = set()
        self._in_order = asyncio.Lock()
        self._settled: asyncio.Event | None = None  # made for the first who waits: most streams are idle

    @property
    def is_behind(self) -> bool:
        """Whether segments end faster than they are saved and told, so that the client must wait for `catch_up`."""
        return len(self._tasks) > _MOST_PENDING

    @property
    def is_over(self) -> bool:
        """Whether everything is settled and told."""
        return not (self._unsettled or self._tasks)

    @property
    def unsaved_samples(self) -> int:
        """Length of the segments that are not settled yet."""
        return sum(unsettled.samples for unsettled in self._unsettled.values())

    def knows(self, segment_id: UUID) -> bool:
        """Whether the segment is one of those that ended lately."""
        return segment_id in self._unsettled or any(notice.segment_id == segment_id for notice in self.notices)

    def note(self, notice: Notice) -> None:
        """Remember a segment that is settled; the oldest is forgotten when there are too many."""
        self.notices.append(notice)
        del self.notices[:-_REPEATED_NOTICES]

    def add(self, unsettled: Unsettled) -> None:
        """Settle it, off the event loop."""
        self._unsettled[unsettled.segment_id] = unsettled
        self.spawn(self._settle(unsettled))

    def add_failed(self, unsettled: Unsettled) -> None:
        """Take what an earlier life of the server could not settle: it is tried again soon."""
        self._unsettled[unsettled.segment_id] = unsettled
        self._failed.append(unsettled)

    def withdraw(self, segment_id: UUID) -> None:
        """Leave it to somebody else. A try that is under way goes on, and is the last."""
        self._unsettled.pop(segment_id, None)
        self._failed = [unsettled for unsettled in self._failed if unsettled.segment_id != segment_id]

    def check(self) -> None:
        """Let no more segments begin when too many wait to be settled.

        Raises:
            WriteFailed: They do.
        """
        if len(self._failed) > _MOST_PENDING:
            raise WriteFailed(self._failed[0].file, "it cannot be moved into place for now, nor can others")

    def retry(self, *, at_once: bool = False) -> None:
        """Try again what could not be settled, if the pause after the last try is over."""
        if self._failed and (at_once or self._monotonic() >= self._retry_at):
            failed, self._failed = self._failed, []
            for unsettled in failed:
                self.spawn(self._settle(unsettled))

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Start what `wait` waits for."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def wait(self) -> None:
        """Wait until everything is settled and told, or could not be for now."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def wait_for_all(self, within_s: float) -> None:
        """Wait until everything is settled and told.

        Raises:
            WriteFailed: Some could not be in this time; they are kept and tried again.
        """
        try:
            async with asyncio.timeout(within_s):
                while self._unsettled:
                    settled = self._settled = self._settled or asyncio.Event()
                    settled.clear()
                    await settled.wait()
                await self.wait()
        except TimeoutError:
            file = next((unsettled.file for unsettled in self._unsettled.values()), "the audio folder")
            raise WriteFailed(file, "it cannot be moved into place for now") from None

    async def catch_up(self) -> None:
        """Wait until so few segments are pending that more may come."""
        while self.is_behind:
            await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)

    async def _settle(self, unsettled: Unsettled) -> None:
        segment_id = str(unsettled.segment_id)
        try:
            async with self._in_order:
                notice = await asyncio.to_thread(unsettled.settle)
        except WriteFailed as error:
            self._counts.not_saved[unsettled.reason] += 1
            self._put_off(unsettled, error)
            return
        except Exception:  # noqa: BLE001  (the boundary of a task)
            self._counts.not_saved[unsettled.reason] += 1
            self._log.exception("segment_not_saved", segment_id=segment_id)
            self._forget(unsettled)
            return
        in_the_end = self._counts.saved if isinstance(notice, SegmentSaved) else self._counts.discarded
        in_the_end[unsettled.reason] += 1
        self._retry.progress()
        self._forget(unsettled)
        self.note(notice)
        self._tell(notice)

    def _put_off(self, unsettled: Unsettled, error: WriteFailed) -> None:
        if unsettled.segment_id not in self._unsettled:  # withdrawn
            return
        pause_s = self._retry.next_pause_s(self._monotonic(), 0.5) or _SLOWEST_RETRY_S
        self._retry_at = self._monotonic() + pause_s
        self._failed.append(unsettled)
        segment_id = str(unsettled.segment_id)
        self._log.error("segment_not_saved", segment_id=segment_id, error=str(error), next_try_s=pause_s)

    def _forget(self, unsettled: Unsettled) -> None:
        self._unsettled.pop(unsettled.segment_id, None)
        if self._settled is not None:
            self._settled.set()
