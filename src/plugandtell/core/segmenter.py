"""The segmenter: cuts one stream of indexed audio into segments.

A segment starts with the first audio. It ends when the index has advanced `silence_samples` past the last voiced
sample, when it has lasted `max_samples` or would have more than `max_gaps` gaps, or when the session closes it. Overlap
(a resend) is trimmed by index, and what the gate left out becomes a gap. No rule reads a clock.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from plugandtell.core.protocol.messages import EndReason

if TYPE_CHECKING:
    from plugandtell.core.audio import AudioFormat


@dataclass(frozen=True, slots=True)
class SegmenterSettings:
    """When a segment ends.

    Attributes:
        silence_samples: Silence that ends a segment.
        max_samples: Longest segment; longer speech goes on in the next one.
        max_gaps: Most gaps of a segment. Speech has one at each pause for breath; a stream that is mostly holes goes on
            in the next segment, lest the list of them grow without bound.

    Raises:
        ValueError: A field is below 1.
    """

    silence_samples: int
    max_samples: int
    max_gaps: int = 10_000

    def __post_init__(self) -> None:
        for name in ("silence_samples", "max_samples", "max_gaps"):
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


class Trims(Protocol):
    """Counts what is trimmed, over as many segments and streams as its owner likes."""

    duplicate_samples: int
    dropped_samples: int


class Segmenter:
    """Indexed audio and positions in, events out.

    Args:
        settings: When a segment ends.
        audio: The format of the PCM.
        stored_to: Every sample below it is stored already, by an earlier life of the stream.
        trims: Where what is trimmed is counted too.
    """

    def __init__(
        self, settings: SegmenterSettings, audio: AudioFormat, stored_to: int = 0, trims: Trims | None = None
    ) -> None:
        self._settings = settings
        self._audio = audio
        self._start: int | None = None
        self._stored_to = stored_to
        self._voiced_to = stored_to
        self._quiet_to = 0
        self._voiced: deque[tuple[int, int]] = deque()  # stretches that a position may still take back, in order
        self._voiced_for_good = 0
        self._gaps = 0
        self._duplicate = 0
        self._dropped = 0
        self._trims = trims

    @property
    def voiced_to(self) -> int:
        """End of the last voiced sample: silence counts from here."""
        return self._voiced_to

    @property
    def quiet_samples(self) -> int:
        """How long it has been silent, as far as the client has said."""
        return max(0, self._quiet_to - self._voiced_to)

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
                self._gaps += 1
                events.append(Gap(self._stored_to, start - self._stored_to))
            taken = pcm[: self._audio.bytes_in(self._start + self._settings.max_samples - start)]
            pcm = pcm[len(taken) :]
            start = self._store(start, taken)
            events.append(Write(taken))
        return events

    def extend(self, start: int, samples: int) -> bool:
        """Take audio that does nothing but make the open segment longer: the case of nearly every message.

        Returns:
            Whether it was that; its PCM is to be written. If not, nothing was taken: `feed` it.
        """
        if self._start is None or start != self._stored_to or start < self._quiet_to or not self._voiced:
            return False
        first, last = self._voiced[-1]
        end = start + samples
        if last != start or end - self._start > self._settings.max_samples:
            return False
        self._voiced[-1] = (first, end)
        self._stored_to = self._voiced_to = end
        return True

    def advance(self, index: int, voiced_to: int | None = None) -> list[Event]:
        """Take a position: the clock stands at `index`, nothing from `voiced_to` on was voiced.

        It judges what came since the position before it. One that comes again, or behind later audio, says nothing
        new.
        """
        if voiced_to is not None and self._quiet_to <= voiced_to < self._stored_to <= index:
            self._take_back(voiced_to)
            self._voiced_to = voiced_to
        self._quiet_to = max(self._quiet_to, index)
        self._settle_voiced()
        if index - self._voiced_to >= self._settings.silence_samples:
            return self.close(EndReason.SILENCE)
        return []

    def close(self, reason: EndReason) -> list[Event]:
        """End the open segment, if there is one."""
        if self._start is None:
            return []
        voiced = self._voiced_for_good + sum(last - first for first, last in self._voiced)
        ended = Ended(self._start, self._stored_to, reason, voiced, self._duplicate, self._dropped)
        self._start = None
        self._voiced.clear()
        self._voiced_for_good = self._gaps = 0
        self._duplicate = self._dropped = 0
        return [ended]

    def _trim(self, start: int, pcm: memoryview) -> memoryview:
        overlap = min(self._stored_to - start, self._audio.samples_in(len(pcm)))
        if overlap <= 0:
            return pcm
        before = overlap if self._start is None else min(overlap, max(0, self._start - start))
        self._dropped += before
        self._duplicate += overlap - before
        if self._trims is not None:
            self._trims.dropped_samples += before
            self._trims.duplicate_samples += overlap - before
        return pcm[self._audio.bytes_in(overlap) :]

    def _end_before(self, start: int) -> list[Event]:
        """End the open segment if audio from `start` on does not belong to it."""
        if start - self._voiced_to >= self._settings.silence_samples:
            return self.close(EndReason.SILENCE)
        if self._start is not None and start - self._start >= self._settings.max_samples:
            return self.close(EndReason.MAX_DURATION)
        if self._start is not None and start > self._stored_to and self._gaps == self._settings.max_gaps:
            return self.close(EndReason.MAX_DURATION)
        return []

    def _take_back(self, voiced_to: int) -> None:
        """What lies from `voiced_to` on was not voiced."""
        while self._voiced and self._voiced[-1][1] > voiced_to:
            first, _ = self._voiced.pop()
            if first < voiced_to:
                self._voiced.append((first, voiced_to))

    def _settle_voiced(self) -> None:
        """Count what lies below the position: no later one takes it back."""
        while self._voiced and self._voiced[0][0] < self._quiet_to:
            first, last = self._voiced.popleft()
            self._voiced_for_good += min(last, self._quiet_to) - first
            if last > self._quiet_to:
                self._voiced.appendleft((self._quiet_to, last))

    def _store(self, start: int, pcm: memoryview) -> int:
        end = start + self._audio.samples_in(len(pcm))
        if end > (first := max(start, self._quiet_to)):
            if self._voiced and self._voiced[-1][1] == first:
                first = self._voiced.pop()[0]
            self._voiced.append((first, end))
        self._stored_to = self._voiced_to = end
        return end
