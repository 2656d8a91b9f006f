"""The segmenter: cuts one stream of indexed audio into segments.

A segment starts with the first audio. It ends when the index has advanced `silence_samples` past the last voiced
sample, when it has lasted `max_samples`, or when the session closes it. Overlap (a resend) is trimmed by index, and
what the gate left out becomes a gap. No rule reads a clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from plugandtell.core.protocol.messages import EndReason

if TYPE_CHECKING:
    from plugandtell.core.audio import AudioFormat


@dataclass(frozen=True, slots=True)
class SegmenterSettings:
    """When a segment ends.

    Attributes:
        silence_samples: Silence that ends a segment.
        max_samples: Longest segment; longer speech goes on in the next one.

    Raises:
        ValueError: A field is below 1.
    """

    silence_samples: int
    max_samples: int

    def __post_init__(self) -> None:
        for name in ("silence_samples", "max_samples"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}, but must be at least 1")


@dataclass(frozen=True, slots=True)
class Gap:
    """Samples inside a segment that never came: the gate left them out, or the microphone had a hole."""

    start_index: int
    samples: int


@dataclass(frozen=True, slots=True)
class Started:
    """A segment began."""

    start_index: int


@dataclass(frozen=True, slots=True)
class Write:
    """Audio that belongs at the end of the open segment."""

    pcm: memoryview


@dataclass(frozen=True, slots=True)
class Ended:
    """The open segment is complete.

    Attributes:
        start_index: First sample.
        end_index: One past the last sample.
        reason: Why it ended.
        voiced_samples: Samples inside stretches that the client's gate took for voice.
        duplicate_samples: Samples that came again while they were in this segment, and were trimmed.
        dropped_samples: Samples that came before this segment ended but belong before its start, where everything is
            saved already.
    """

    start_index: int
    end_index: int
    reason: EndReason
    voiced_samples: int
    duplicate_samples: int
    dropped_samples: int


Event = Started | Write | Gap | Ended


class Segmenter:
    """Indexed audio and positions in, events out.

    Args:
        settings: When a segment ends.
        audio: The format of the PCM.
        stored_to: Every sample below it is stored already, by an earlier life of the stream.
    """

    def __init__(self, settings: SegmenterSettings, audio: AudioFormat, stored_to: int = 0) -> None:
        self._settings = settings
        self._audio = audio
        self._start: int | None = None
        self._stored_to = stored_to
        self._voiced_to = stored_to
        self._quiet_to = 0
        self._voiced: list[tuple[int, int]] = []  # stretches of the open segment, in order
        self._duplicate = 0
        self._dropped = 0

    @property
    def voiced_to(self) -> int:
        """End of the last voiced sample: silence counts from here."""
        return self._voiced_to

    def feed(self, start: int, pcm: bytes | memoryview) -> list[Event]:
        """Take audio, the first sample of which is sample `start`."""
        pcm = self._trim(start, memoryview(pcm))
        start = max(start, self._stored_to)
        events: list[Event] = []
        while pcm:
            events += self._end_before(start)
            if self._start is None:
                self._start = start
                events.append(Started(start))
            elif start > self._stored_to:
                events.append(Gap(self._stored_to, start - self._stored_to))
            taken = pcm[: self._audio.bytes_in(self._start + self._settings.max_samples - start)]
            pcm = pcm[len(taken) :]
            start = self._store(start, taken)
            events.append(Write(taken))
        return events

    def advance(self, index: int, voiced_to: int | None = None) -> list[Event]:
        """Take a position: the clock stands at `index`, nothing from `voiced_to` on was voiced.

        It judges what came since the position before it. One that comes again, or behind later audio, says nothing
        new.
        """
        if voiced_to is not None and self._quiet_to <= voiced_to < self._stored_to <= index:
            self._voiced = [(first, min(last, voiced_to)) for first, last in self._voiced if first < voiced_to]
            self._voiced_to = voiced_to
        self._quiet_to = max(self._quiet_to, index)
        if index - self._voiced_to >= self._settings.silence_samples:
            return self.close(EndReason.SILENCE)
        return []

    def close(self, reason: EndReason) -> list[Event]:
        """End the open segment, if there is one."""
        if self._start is None:
            return []
        voiced = sum(last - first for first, last in self._voiced)
        ended = Ended(self._start, self._stored_to, reason, voiced, self._duplicate, self._dropped)
        self._start = None
        self._voiced = []
        self._duplicate = self._dropped = 0
        return [ended]

    def _trim(self, start: int, pcm: memoryview) -> memoryview:
        overlap = min(self._stored_to - start, self._audio.samples_in(len(pcm)))
        if overlap <= 0:
            return pcm
        before = overlap if self._start is None else min(overlap, max(0, self._start - start))
        self._dropped += before
        self._duplicate += overlap - before
        return pcm[self._audio.bytes_in(overlap) :]

    def _end_before(self, start: int) -> list[Event]:
        """End the open segment if audio from `start` on does not belong to it."""
        if start - self._voiced_to >= self._settings.silence_samples:
            return self.close(EndReason.SILENCE)
        if self._start is not None and start - self._start >= self._settings.max_samples:
            return self.close(EndReason.MAX_DURATION)
        return []

    def _store(self, start: int, pcm: memoryview) -> int:
        end = start + self._audio.samples_in(len(pcm))
        if end > (first := max(start, self._quiet_to)):
            if self._voiced and self._voiced[-1][1] == first:
                first = self._voiced.pop()[0]
            self._voiced.append((first, end))
        self._stored_to = self._voiced_to = end
        return end
