"""What earlier lives of a server left of its streams, until a client takes its stream over again."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from plugandtell.core.metrics import Counts
from plugandtell.logservice import get_logger
from plugandtell.server.past import by_stream, holder_of, notice_of
from plugandtell.server.recovery import Unfinished
from plugandtell.server.settling import Settling, Unsettled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from uuid import UUID

    from plugandtell.core.protocol.messages import SegmentSaved
    from plugandtell.server.past import Past
    from plugandtell.server.settling import Notice


class Inherited:
    """Streams whose client has not returned. Recordings that are not in place yet are tried again meanwhile.

    Args:
        past: All that was left, oldest first.
        most: How many streams are remembered. What is not in place yet is tried again whosever it is.
        monotonic: A clock in seconds.
        counts: Of the process.
    """

    def __init__(
        self, past: Iterable[Past], most: int, monotonic: Callable[[], float], counts: Counts | None = None
    ) -> None:
        past = list(past)
        self._streams = by_stream(past, most)
        self._settling = Settling(_tell_nobody, monotonic, get_logger(), counts or Counts())
        for segment in past:
            if isinstance(segment, Unfinished):
                settle = partial(_finish, segment)
                segment_id = segment.origin.segment_id
                reason = segment.ended.reason
                self._settling.add_failed(Unsettled(segment_id, str(segment.path), segment.samples, reason, settle))

    @property
    def unsaved_samples(self) -> int:
        """Length of the recordings that are not in place yet."""
        return self._settling.unsaved_samples

    def holder_of(self, stream_id: UUID) -> str | None:
        """Whose token the stream was opened with, as far as is known."""
        return holder_of(self._streams.get(stream_id, ()))

    def take(self, stream_id: UUID) -> Sequence[Past]:
        """What was left of the stream, in order. From now on the taker sees to what is not in place yet.

        A try that is under way goes on: `Unfinished.finish` lets no other begin meanwhile, and is done once.
        """
        segments = self._streams.pop(stream_id, ())
        for segment in segments:
            if isinstance(segment, Unfinished):
                self._settling.withdraw(segment.origin.segment_id)
        return [(segment.saved or segment) if isinstance(segment, Unfinished) else segment for segment in segments]

    def retry(self, *, at_once: bool = False) -> None:
        """Try again what is not in place yet, if the pause after the last try is over."""
        self._settling.retry(at_once=at_once)

    async def settle(self) -> None:
        """Wait until everything is in place, or could not be for now."""
        await self._settling.wait()


def _finish(segment: Unfinished) -> SegmentSaved:
    """Off the event loop."""
    saved = segment.finish()
    get_logger().warning("recording_recovered", file=str(saved.path), samples=saved.samples)
    return notice_of(saved)


def _tell_nobody(_: Notice) -> None:
    """Who wants to know is told when it returns."""
