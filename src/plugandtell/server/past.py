"""What earlier lives of a server left of each stream: recordings, in place or not yet, and segments without voice."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, TypeAlias

from plugandtell.core.errors import WriteFailed
from plugandtell.core.protocol.messages import SegmentSaved
from plugandtell.logservice import get_logger
from plugandtell.server.discards import Discarded, distribute
from plugandtell.server.history import recorded_lately
from plugandtell.server.placing import Saved
from plugandtell.server.recovery import UNKNOWN_STREAM, Unfinished, recover

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from uuid import UUID

    from plugandtell.server.recorder import Recorder

Past: TypeAlias = Saved | Unfinished | Discarded

_REMEMBERED_SEGMENTS = 64


def read_past(recorder: Recorder) -> list[Past]:
    """Mend what a crash left in the recorder's folder, and collect what else is known, oldest first.

    What cannot be mended is logged. Of other shards than the recorder's nothing is touched.
    """
    discarded = _discarded(recorder)
    mended = _mended(recorder, {segment.segment_id for segment in discarded})
    in_place = recorded_lately(recorder.folder, shard=recorder.shard)
    return [*discarded, *in_place, *mended]


def prepare(recorder: Recorder, workers: int) -> None:
    """Mend what a crash left, whosever it is, and leave each worker what it has to know: for who starts them.

    A worker that is started later touches its own streams alone, and leaves what does not say whose it is.
    """
    try:
        distribute(recorder.folder, 1)
        for outcome in _mended(recorder, {segment.segment_id for segment in recorder.discarded_before()}):
            if isinstance(outcome, Unfinished) and outcome.origin.stream_id == UNKNOWN_STREAM:  # no worker takes it
                _finish(outcome)
        distribute(recorder.folder, workers)
    except WriteFailed as error:
        get_logger().error("recovery_failed", error=str(error))


def mend(recorder: Recorder) -> None:
    """Finish what workers left that are gone, when nobody takes streams any more. Call it off the event loop."""
    for outcome in _mended(recorder, {segment.segment_id for segment in _discarded(recorder)}):
        if isinstance(outcome, Unfinished):
            _finish(outcome)


def by_stream(past: Iterable[Past], most: int) -> dict[UUID, Sequence[Past]]:
    """The last segments of each of the `most` streams that were heard of last, in the order of their audio."""
    streams: dict[UUID, dict[UUID, Past]] = {}
    for segment in past:
        stream_id = _stream_id_of(segment)
        if stream_id == UNKNOWN_STREAM:
            continue
        segments = streams.pop(stream_id, {})  # so that the one that was heard of last stands last
        segments[_segment_id_of(segment)] = segment
        streams[stream_id] = segments
    newest = list(streams)[-most:]
    return {stream_id: _last_of(streams[stream_id].values()) for stream_id in newest}


def end_of(segment: Past) -> int:
    """The index behind its last sample."""
    return segment.end_index if isinstance(segment, Discarded) else segment.ended.end_index


def holder_of(past: Iterable[Past]) -> str | None:
    """Whose token the stream of these segments was opened with, as far as their sidecars tell."""
    names = (segment.origin.token_name for segment in past if not isinstance(segment, Discarded))
    return next((name for name in names if name is not None), None)


def notice_of(saved: Saved) -> SegmentSaved:
    """What its client is told of it."""
    return SegmentSaved(
        saved.origin.segment_id,
        saved.path.name,
        saved.ended.start_index,
        saved.ended.end_index,
        saved.origin.audio.ms_from(saved.samples),
        saved.ended.reason,
    )


def _last_of(segments: Iterable[Past]) -> Sequence[Past]:
    return deque(sorted(segments, key=end_of), maxlen=_REMEMBERED_SEGMENTS)


def _stream_id_of(segment: Past) -> UUID:
    return segment.stream_id if isinstance(segment, Discarded) else segment.origin.stream_id


def _segment_id_of(segment: Past) -> UUID:
    return segment.segment_id if isinstance(segment, Discarded) else segment.origin.segment_id


def _discarded(recorder: Recorder) -> list[Discarded]:
    try:
        if recorder.shard.of == 1:
            distribute(recorder.folder, 1)
        return recorder.discarded_before()
    except WriteFailed as error:
        get_logger().error("recovery_failed", error=str(error))
        return []


def _finish(unfinished: Unfinished) -> None:
    try:
        saved = unfinished.finish()
    except WriteFailed as error:
        get_logger().error("recovery_failed", error=str(error))
    else:
        get_logger().warning("recording_recovered", file=str(saved.path), samples=saved.samples)


def _mended(recorder: Recorder, discarded: set[UUID]) -> list[Saved | Unfinished]:
    log = get_logger()
    mended: list[Saved | Unfinished] = []
    for outcome in recover(recorder.folder, discarded, recorder.shard, recorder.container, recorder.encoder):
        match outcome:
            case WriteFailed():
                log.error("recovery_failed", error=str(outcome))
                continue
            case Unfinished(error=None):  # a FLAC is to be made of it, off the event loop
                pass
            case Unfinished():
                log.error("recovery_failed", error=str(outcome.error))
            case Saved():
                log.warning("recording_recovered", file=str(outcome.path), samples=outcome.samples)
        mended.append(outcome)
    return mended
