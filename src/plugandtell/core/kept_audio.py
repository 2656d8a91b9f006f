"""Captured audio by sample index, holes included: what the gate keeps until it is sent or dropped."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plugandtell.core.audio import AudioFormat


@dataclass(slots=True)
class _Run:
    """Contiguous audio from sample `start` to before `end`."""

    start: int
    end: int
    pcm: bytearray = field(default_factory=bytearray)


class KeptAudio:
    """Grows at its end, is forgotten from its beginning. A hole takes no memory, however long.

    Attributes:
        end: One past the last sample, or past the hole at the end.
    """

    def __init__(self, audio: AudioFormat) -> None:
        self.end = 0
        self._audio = audio
        self._runs: deque[_Run] = deque()

    @property
    def size_bytes(self) -> int:
        """How much audio it holds."""
        return sum(len(run.pcm) for run in self._runs)

    def add(self, pcm: bytes) -> None:
        """The next samples."""
        if not pcm:
            return
        if not self._runs or self._runs[-1].end != self.end:
            self._runs.append(_Run(self.end, self.end))
        last = self._runs[-1]
        last.pcm += pcm
        last.end = self.end = last.start + self._audio.samples_in(len(last.pcm))

    def skip(self, samples: int) -> None:
        """The next samples were never heard."""
        self.end += samples

    def next_heard(self, index: int) -> int:
        """The first sample from `index` on that was heard; `end` if there is none."""
        return next((max(run.start, index) for run in self._runs if run.end > index), self.end)

    def filled(self, start: int, end: int) -> bytes:
        """The samples from `start` to before `end`, with zeros for what was not heard."""
        filled = bytearray()
        for first, pcm in self.heard(start, end):
            filled += bytes(self._audio.bytes_in(first - start) - len(filled)) + pcm
        return bytes(filled.ljust(self._audio.bytes_in(end - start), b"\0"))

    def heard(self, start: int, end: int) -> Iterator[tuple[int, bytes]]:
        """What was heard from `start` to before `end`: each contiguous stretch with the index of its first sample."""
        for run in self._runs:
            first, last = max(start, run.start), min(end, run.end)
            if first < last:
                yield first, bytes(run.pcm[self._place(run, first) : self._place(run, last)])

    def forget(self, index: int) -> None:
        """Let go of what lies before that sample."""
        while self._runs and self._runs[0].end <= index:
            self._runs.popleft()
        if self._runs and self._runs[0].start < index:
            run = self._runs[0]
            del run.pcm[: self._place(run, index)]
            run.start = index

    def _place(self, run: _Run, index: int) -> int:
        return self._audio.bytes_in(index - run.start)
