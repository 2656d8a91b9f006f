"""How well a gate did, from where speech was and what was sent. Pure functions; `check()` tries them on known cases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from corpus import Bout
from detectors import Run, Segment
from labels import TOLERANCE_MS
from signals import RATE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Slice = tuple[int, int]
PER_MS = RATE // 1000


@dataclass(frozen=True, slots=True)
class Score:
    """One speech file.

    Attributes:
        right: Each recording holds the speech of exactly one true segment, and each segment is in one recording.
        recordings: How many there were; `segments` is how many there should have been.
        false: Recordings without any speech.
        onset_ms: Of each bout, what is missing at its start beyond the label's tolerance.
        end_ms: The same at its end.
        missed: Bouts of which nothing was sent.
        lost_samples: Speech that was not sent, anywhere.
        speech_samples: Speech altogether.
        delay_ms: From each segment's onset to when its recording began to be sent, where it began at the onset.
        sent_samples: Audio sent.
        samples: Audio heard.
        cpu_s: CPU time of the gate.
    """

    right: bool
    recordings: int
    segments: int
    false: int
    onset_ms: tuple[int, ...]
    end_ms: tuple[int, ...]
    missed: int
    lost_samples: int
    speech_samples: int
    delay_ms: tuple[int, ...]
    sent_samples: int
    samples: int
    cpu_s: float


def score(bouts: Sequence[Bout], run: Run) -> Score:
    """Judge a run on a file whose speech is known."""
    gaps = [_gaps((bout.start, bout.end), run.sent) for bout in bouts]
    heard = [gap for gap in gaps if gap is not None]
    inside = [segments_of(recording, bouts) for recording in run.segments]
    total = bouts[-1].segment + 1
    return Score(
        right=inside == [{segment} for segment in range(total)],
        recordings=len(run.segments),
        segments=total,
        false=sum(not segments for segments in inside),
        onset_ms=tuple(_beyond_tolerance(head) for head, _, _ in heard),
        end_ms=tuple(_beyond_tolerance(tail) for _, tail, _ in heard),
        missed=len(gaps) - len(heard),
        lost_samples=sum(
            bout.end - bout.start if gap is None else gap[2] for bout, gap in zip(bouts, gaps, strict=True)
        ),
        speech_samples=sum(bout.end - bout.start for bout in bouts),
        delay_ms=tuple(_delays(bouts, run.segments)),
        sent_samples=sum(end - start for start, end in run.sent),
        samples=run.samples,
        cpu_s=run.cpu_s,
    )


def segments_of(recording: Segment, bouts: Iterable[Bout]) -> set[int]:
    """The true segments of which a recording holds speech."""
    return {bout.segment for bout in bouts if bout.start < recording.end and recording.start < bout.end}


def _gaps(speech: Slice, sent: Iterable[Slice]) -> tuple[int, int, int] | None:
    """Samples missing at the start, at the end and altogether; None if nothing was sent."""
    start, end = speech
    parts = [(max(start, first), min(end, last)) for first, last in sent if first < end and start < last]
    if not parts:
        return None
    covered = sum(last - first for first, last in parts)
    return parts[0][0] - start, end - parts[-1][1], end - start - covered


def _beyond_tolerance(samples: int) -> int:
    return max(0, samples // PER_MS - TOLERANCE_MS)


def _delays(bouts: Sequence[Bout], recordings: Iterable[Segment]) -> Iterable[int]:
    """A gate that noise had opened before the onset has no delay to speak of: such segments are left out."""
    onsets: dict[int, int] = {}
    for bout in bouts:
        onsets.setdefault(bout.segment, bout.start)
    opened = [recording.opened_at for recording in recordings]
    for onset in onsets.values():
        at = next((at for at in opened if onset - RATE // 10 <= at <= onset + 2 * RATE), None)
        if at is not None:
            yield (at - onset) // PER_MS


def check() -> None:
    """Known cases; raises AssertionError."""
    bouts = (Bout(16_000, 32_000, 0), Bout(40_000, 48_000, 0), Bout(120_000, 136_000, 1))
    perfect = Run(
        ((15_000, 50_000), (118_000, 140_000)),
        (Segment(15_000, 50_000, 19_200), Segment(118_000, 140_000, 123_200)),
        160_000,
        1.0,
    )
    result = score(bouts, perfect)
    assert result.right
    assert (result.missed, result.lost_samples, result.false) == (0, 0, 0)
    assert result.delay_ms == (200, 200)
    assert set(result.onset_ms) == set(result.end_ms) == {0}
    clipped = Run(
        ((17_600, 31_000), (60_000, 61_000)),
        (Segment(17_600, 31_000, 18_000), Segment(60_000, 61_000, 0)),
        160_000,
        1.0,
    )
    result = score(bouts, clipped)
    assert not result.right
    assert (result.onset_ms, result.end_ms) == ((80,), (42,))
    assert (result.missed, result.false) == (2, 1)
    assert result.lost_samples == 1_600 + 1_000 + 8_000 + 16_000
    merged = Run(((15_000, 140_000),), (Segment(15_000, 140_000, 19_200),), 160_000, 1.0)
    assert not score(bouts, merged).right
