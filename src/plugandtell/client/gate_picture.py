"""A gate report for people and for scripts: a picture and a table in text, or JSON."""

from __future__ import annotations

import json
import math
from itertools import chain
from statistics import fmean
from typing import TYPE_CHECKING, Any

from plugandtell.core.audio import SPEECH

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plugandtell.client.gate_report import GateReport, JudgedFrame
    from plugandtell.core.segmenter import Ended

_BLOCKS = " ▁▂▃▄▅▆▇█"
_QUIETEST_DBFS = -60.0
_MARGIN = 8
_MARK_EVERY = 10


def picture(report: GateReport, width: int, row_s: float) -> str:
    """Level, voice, proof and recordings over time, at most `row_s` seconds in a row of at most `width` characters."""
    columns = max(_MARK_EVERY, width - _MARGIN)
    row_samples = min(SPEECH.samples_from_s(row_s), report.samples)
    column_samples = max(report.frame_samples, math.ceil(row_samples / columns))
    rows = []
    for start in range(0, report.samples, columns * column_samples):
        end = min(report.samples, start + columns * column_samples)
        rows.append("\n".join(_row(report, range(start, end, column_samples), column_samples)))
    return "\n\n".join(rows)


def table(report: GateReport) -> str:
    """A line for each recording, with what was left out before it, and one for the whole."""
    head = (
        f"{'#':>3}  {'start':>9}  {'end':>9}  {'length':>8}  {'voiced':>6}  {'proof':>5}  {'peak':>9}  {'left out':>9}"
    )
    lines = [head]
    previous: Ended | None = None
    for number, segment in enumerate(report.segments, 1):
        length = segment.end_index - segment.start_index
        peak = max(frame.peak_dbfs for frame in report.frames_of(segment))
        proof = max(frame.proof for frame in report.frames_of(segment))
        left_out = f"{_seconds(segment.start_index - previous.end_index)} s" if previous else ""
        lines.append(
            f"{number:>3}  {_clock(segment.start_index):>9}  {_clock(segment.end_index):>9}  {_seconds(length):>6} s  "
            f"{segment.voiced_samples / length:>6.0%}  {proof:>5.0%}  {peak:>4.0f} dBFS  {left_out:>9}"
        )
        previous = segment
    whole = f"{len(report.segments)} recordings, {report.sent_share:.0%} of {_clock(report.samples)} sent"
    return "\n".join([*(line.rstrip() for line in lines), whole] if report.segments else [whole])


def as_json(report: GateReport, head: dict[str, Any]) -> str:
    """All of the report: `head` first, then the recordings, then each frame's figures."""
    segments = [
        {
            "start_index": segment.start_index,
            "end_index": segment.end_index,
            "start_s": SPEECH.seconds_from(segment.start_index),
            "end_s": SPEECH.seconds_from(segment.end_index),
            "voiced_samples": segment.voiced_samples,
            "peak_dbfs": round(max(frame.peak_dbfs for frame in report.frames_of(segment)), 1),
            "proof": round(max(frame.proof for frame in report.frames_of(segment)), 3),
            "mean_probability": round(fmean(frame.probability for frame in report.frames_of(segment)), 3),
        }
        for segment in report.segments
    ]
    frames = {
        "samples": report.frame_samples,
        "probability": [round(frame.probability, 3) for frame in report.frames],
        "proof": [round(frame.proof, 3) for frame in report.frames],
        "peak_dbfs": [round(frame.peak_dbfs, 1) for frame in report.frames],
    }
    fields = head | {
        "samples": report.samples,
        "duration_s": SPEECH.seconds_from(report.samples),
        "sent_share": round(report.sent_share, 4),
        "segments": segments,
        "frames": frames,
    }
    return json.dumps(fields, indent=2)


def _row(report: GateReport, starts: range, column_samples: int) -> list[str]:
    columns = [_frames_in(report, start, column_samples) for start in starts]
    levels = [max((frame.peak_dbfs for frame in column), default=_QUIETEST_DBFS) for column in columns]
    voices = [max((frame.probability for frame in column), default=0.0) for column in columns]
    proofs = [max((frame.proof for frame in column), default=0.0) for column in columns]
    marks = "".join(f"{_clock(start):<{_MARK_EVERY}}" for start in starts[::_MARK_EVERY]).rstrip()
    if len(marks) > len(starts):  # no room for the last, unless it is the only one: half a time would be none
        marks = marks.rpartition(" ")[0] or marks
    return [
        _line("", marks),
        _line("level", "".join(_block(1 - level / _QUIETEST_DBFS) for level in levels)),
        _line("voice", "".join(map(_block, voices))),
        _line("proof", "".join(map(_block, proofs))),
        _line("sent", _numbered(report.segments, starts, column_samples)),
    ]


def _line(name: str, content: str) -> str:
    return f"{name:<{_MARGIN}}{content}".rstrip()


def _frames_in(report: GateReport, start: int, samples: int) -> Sequence[JudgedFrame]:
    first, last = start // report.frame_samples, -(-(start + samples) // report.frame_samples)
    return report.frames[first:last]


def _block(share: float) -> str:
    """A block as high as the share, which is cut to 0 to 1; what is not nothing is seen."""
    return _BLOCKS[min(len(_BLOCKS) - 1, max(0, round(share * (len(_BLOCKS) - 1))))]


def _numbered(segments: Sequence[Ended], starts: range, column_samples: int) -> str:
    """A bar for each recording, with its number at its start in this row."""
    line = [" "] * len(starts)
    for number, segment in enumerate(segments, 1):
        covered = [
            column
            for column, start in enumerate(starts)
            if start < segment.end_index and start + column_samples > segment.start_index
        ]
        for column, character in zip(covered, chain(str(number), iter(lambda: "━", "")), strict=False):
            line[column] = character
    return "".join(line)


def _clock(index: int) -> str:
    minutes, seconds = divmod(SPEECH.seconds_from(index), 60)
    return f"{minutes:.0f}:{seconds:04.1f}"


def _seconds(samples: int) -> str:
    return f"{SPEECH.seconds_from(samples):.2f}"
