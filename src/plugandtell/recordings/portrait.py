"""All that is known of a recording, in words."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Final

from plugandtell.core.amounts import length_text, size_text
from plugandtell.core.protocol.messages import EndReason
from plugandtell.core.recording import GapPolicy
from plugandtell.core.safe_text import escape, foreign
from plugandtell.recordings.listing import local_text, share_text
from plugandtell.recordings.waveform import dbfs, gap_line, time_line, waveform

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from plugandtell.core.segmenter import Gap
    from plugandtell.recordings.finished import FinishedRecording

_REASONS: Final = {
    EndReason.SILENCE: "the speaker fell silent",
    EndReason.END: "the client came to its end",
    EndReason.DISCONNECT: "the line was lost, and did not come back in time",
    EndReason.MAX_DURATION: "the longest duration was reached",
    EndReason.SHUTDOWN: "the server was stopped",
    EndReason.RECOVERED: "the server died; the recording was mended when it started again",
}
_MARGIN: Final = 11
_MOST_GAPS: Final = 20


def portrait(recording: FinishedRecording, gaps: Sequence[Gap], state: str, width: int) -> str:
    """What the sidecar says, a fact a line, none wider than `width` unless a single word is.

    Args:
        recording: The recording.
        gaps: Its gaps.
        state: What has become of its file since.
        width: Of the terminal.
    """
    return "\n".join(_line(name, text, width) for name, text in _facts(recording, gaps, state))


def picture(peaks: Sequence[float], recording: FinishedRecording, gaps: Sequence[Gap], *, is_plain: bool) -> str:
    """The waveform, where its gaps are, and the time below."""
    columns = len(peaks)
    gap_marks = gap_line(_spans(recording, gaps), columns, is_plain=is_plain)
    lines = [*waveform(peaks, is_plain=is_plain), gap_marks, time_line(recording.length_s, columns)]
    return "\n".join(line for line in lines if line or line is not gap_marks)


def loudness(peaks: Sequence[float]) -> str:
    """How loud its loudest moment is."""
    peak = max(peaks, default=0.0)
    return f"{dbfs(peak):.0f} dBFS" if peak else "digital silence"


def _facts(recording: FinishedRecording, gaps: Sequence[Gap], state: str) -> Iterator[tuple[str, str]]:
    origin, ended, file = recording.origin, recording.ended, recording.file
    token = f", token {foreign(origin.token_name)}" if origin.token_name is not None else ""
    yield "started", f"{local_text(recording.started_at)} ({recording.started_at.astimezone():%Z})"
    yield "ended", f"{local_text(recording.ended_at)}: {_REASONS[ended.reason]}"
    yield "length", f"{length_text(recording.length_s)}, {share_text(recording.voiced_share)} of it voice"
    yield "client", f"{foreign(origin.label)} ({foreign(origin.client.name)} {foreign(origin.client.version)}){token}"
    for name, value in origin.labels.items():
        yield "label", f"{foreign(name)}: {foreign(value)}"
    yield from _gap_facts(recording, gaps)
    if ended.duplicate_samples or ended.dropped_samples:
        within, before = _seconds(recording, ended.duplicate_samples), _seconds(recording, ended.dropped_samples)
        yield "twice", f"{within} came twice within it, {before} from before it; each is in a recording once"
    audio = origin.audio
    yield "file", escape(str(recording.audio.absolute()))
    yield "", f"{size_text(file.size_bytes)}, {audio.sample_rate} Hz, {_channels(audio.channels)}; {state}"
    yield "sha256", file.sha256
    if file.pcm_sha256 is not None:
        yield "", f"{file.pcm_sha256}, of its samples alone"
    yield "id", str(origin.segment_id)
    yield "stream", f"{origin.stream_id}, samples {origin.start_index} to {ended.end_index}"
    if origin.continues is not None:
        yield "continues", f"{origin.continues}, the recording before it, which was cut off"


def _gap_facts(recording: FinishedRecording, gaps: Sequence[Gap]) -> Iterator[tuple[str, str]]:
    if not gaps:
        yield "gaps", "none"
        return
    is_filled = recording.origin.gap_policy is GapPolicy.FILL
    what = "filled with silence" if is_filled else "closed up"
    total = sum(gap.samples for gap in gaps)
    yield "gaps", f"{len(gaps)}, {_seconds(recording, total)} in all that never came, {what}"
    for (start, _), gap in list(zip(_places(recording, gaps), gaps, strict=True))[:_MOST_GAPS]:
        at = length_text(recording.origin.audio.seconds_from(start))
        yield "", f"at {at}: {_seconds(recording, gap.samples)}"
    if len(gaps) > _MOST_GAPS:
        yield "", f"and {len(gaps) - _MOST_GAPS} more, all in --json"


def _places(recording: FinishedRecording, gaps: Sequence[Gap]) -> list[tuple[int, int]]:
    """Where each gap begins and ends in the file, in samples: in one that was closed up, at the same place."""
    is_filled = recording.origin.gap_policy is GapPolicy.FILL
    places: list[tuple[int, int]] = []
    closed = 0
    for gap in gaps:
        start = gap.start_index - recording.origin.start_index - closed
        places.append((start, start + gap.samples if is_filled else start))
        closed += 0 if is_filled else gap.samples
    return places


def _spans(recording: FinishedRecording, gaps: Sequence[Gap]) -> list[tuple[float, float]]:
    samples = max(1, recording.file.samples)
    return [(start / samples, end / samples) for start, end in _places(recording, gaps)]


def _seconds(recording: FinishedRecording, samples: int) -> str:
    return f"{recording.origin.audio.seconds_from(samples):.3f} s"


def _channels(channels: int) -> str:
    return {1: "mono", 2: "stereo"}.get(channels, f"{channels} channels")


def _line(name: str, text: str, width: int) -> str:
    margin = " " * _MARGIN
    wrapped = textwrap.wrap(
        text,
        max(_MARGIN * 2, width),
        initial_indent=f"{name:<{_MARGIN}}",
        subsequent_indent=margin,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join(wrapped)
