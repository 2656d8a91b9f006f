"""What there is to see of a server while it works."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from plugandtell.core.audio import SPEECH
from plugandtell.core.errors import WriteFailed
from plugandtell.core.rate import Rate
from plugandtell.core.status import Phase, SavedStatus, ServerStatus, StreamStatus
from plugandtell.server.waveform import waveform_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from plugandtell.server.placing import Saved
    from plugandtell.server.recorder import Recorder
    from plugandtell.server.registry import Registry

_MOST_STREAMS = 30
_MOST_SAVED = 20
_DISK_EVERY_S = 5.0


class Window:
    """Looks into a server from outside: it costs nothing while nobody looks.

    Args:
        audio_dir: Where the recordings are.
        silence_s: The silence that ends one.
        monotonic: A clock in seconds.
    """

    def __init__(self, audio_dir: Path, silence_s: float, monotonic: Callable[[], float]) -> None:
        self._audio_dir = str(audio_dir.resolve())
        self._silence_s = silence_s
        self._monotonic = monotonic
        self._others: Callable[[], Sequence[ServerStatus]] | None = None
        self._registry: Registry | None = None
        self._recorder: Recorder | None = None
        self._url = ""
        self._phase = Phase.STARTING
        self._rate = Rate()
        self._growing: dict[str, float] = {}
        self._written_s = 0.0
        self._free_bytes: int | None = None
        self._free_looked_at = float("-inf")
        self._shapes: dict[Path, tuple[int, ...]] = {}
        self._drawing: asyncio.Task[None] | None = None

    def listens(self, url: str, registry: Registry, recorder: Recorder) -> None:
        """It can be reached there."""
        self._url, self._registry, self._recorder = url, registry, recorder
        self._phase = Phase.RUNNING

    def watches(self, url: str, others: Callable[[], Sequence[ServerStatus]]) -> None:
        """It can be reached there, and its work is done by others, who tell what they do."""
        self._url, self._others = url, others
        self._phase = Phase.RUNNING

    def finishes(self) -> None:
        """It takes no more."""
        self._phase = Phase.FINISHING

    def look(self) -> ServerStatus:
        """What it does now. Call it on the event loop of the server."""
        if self._others is not None:
            return self._together(self._others())
        if self._registry is None or self._recorder is None:
            return ServerStatus(self._phase, audio_dir=self._audio_dir, silence_limit_s=self._silence_s)
        saved = list(self._recorder.saved)[-_MOST_SAVED:][::-1]
        self._draw(saved)
        streams = sorted((session.status for session in self._registry.active), key=_in_order)
        return ServerStatus(
            phase=self._phase,
            url=self._url,
            audio_dir=self._audio_dir,
            silence_limit_s=self._silence_s,
            streams=tuple(streams[:_MOST_STREAMS]),
            stream_count=len(streams),
            saved=tuple(self._status_of(one) for one in saved),
            saved_count=self._recorder.saved_count,
            unsaved_s=SPEECH.seconds_from(self._registry.unsaved_samples),
            bytes_per_s=self._speed(streams),
            free_bytes=self._room(self._recorder),
        )

    def _together(self, parts: Sequence[ServerStatus]) -> ServerStatus:
        streams = sorted((stream for part in parts for stream in part.streams), key=_in_order)
        saved = sorted((one for part in parts for one in part.saved), key=lambda one: one.file, reverse=True)
        return ServerStatus(
            phase=self._phase,
            url=self._url,
            audio_dir=self._audio_dir,
            silence_limit_s=self._silence_s,
            streams=tuple(streams[:_MOST_STREAMS]),
            stream_count=sum(part.stream_count for part in parts),
            saved=tuple(saved[:_MOST_SAVED]),
            saved_count=sum(part.saved_count for part in parts),
            unsaved_s=sum(part.unsaved_s for part in parts),
            bytes_per_s=sum(part.bytes_per_s for part in parts),
            free_bytes=min((part.free_bytes for part in parts if part.free_bytes is not None), default=None),
        )

    def _status_of(self, saved: Saved) -> SavedStatus:
        seconds = saved.origin.audio.seconds_from(saved.samples)
        shape = self._shapes.get(saved.path, ())
        return SavedStatus(saved.path.name, saved.origin.label, seconds, saved.ended.reason.value, shape)

    def _speed(self, streams: list[StreamStatus]) -> float:
        """Audio written in a second, from how the recordings grow that are open."""
        growing = {stream.file: stream.seconds for stream in streams if stream.file is not None}
        self._written_s += sum(max(0.0, now - self._growing.get(file, 0.0)) for file, now in growing.items())
        self._growing = growing
        return self._rate.feed(self._monotonic(), SPEECH.bytes_in(SPEECH.samples_from_s(self._written_s)))

    def _room(self, recorder: Recorder) -> int | None:
        now = self._monotonic()
        if now - self._free_looked_at >= _DISK_EVERY_S:
            self._free_looked_at = now
            try:
                self._free_bytes = recorder.free_bytes()
            except WriteFailed:
                self._free_bytes = None
        return self._free_bytes

    def _draw(self, saved: list[Saved]) -> None:
        """Have the shapes made that are missing: in a thread, one file after the other."""
        self._shapes = {one.path: self._shapes[one.path] for one in saved if one.path in self._shapes}
        missing = [one for one in saved if one.path not in self._shapes]
        if missing and (self._drawing is None or self._drawing.done()):
            self._drawing = asyncio.create_task(self._draw_one(missing[0]))

    async def _draw_one(self, saved: Saved) -> None:
        self._shapes[saved.path] = await asyncio.to_thread(waveform_of, saved.path, saved.origin.audio, saved.samples)


def _in_order(stream: StreamStatus) -> tuple[bool, str, str]:
    """Those that record first."""
    return stream.file is None, stream.label, stream.file or ""
