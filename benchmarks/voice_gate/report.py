"""The tables: Markdown, one row a condition or a kind of noise, columns grouped by gate."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

from corpus import SPEAKERS, Half
from signals import RATE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from conditions import Case
    from metrics import Score

SPEAKERS_FROM_DB = 10


@dataclass(frozen=True, slots=True)
class Judged:
    """What a gate did with a case. `score` is None for noise alone, where every recording is false."""

    case: Case
    spec: str
    speaker: str
    score: Score | None
    samples: int
    false: int
    sent: int


def markdown(title: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table under a heading."""
    lines = [f"## {title}", "", "| " + " | ".join(head) + " |", "| " + " | ".join("---" for _ in head) + " |"]
    lines += ["| " + " | ".join(map(str, row)) + " |" for row in rows]
    return "\n".join([*lines, ""])


def heading(half: Half, judged: list[Judged], specs: tuple[str, ...], missing: dict[str, str]) -> str:
    """What was judged on what."""
    mine = [item for item in judged if item.spec == specs[0]]
    speech = [item for item in mine if item.score]
    hours = [sum(item.samples for item in part) / RATE / 3600 for part in (speech, [m for m in mine if not m.score])]
    lines = [
        f"# Voice gate: the {half} half",
        "",
        f"{len(speech)} files of speech, {hours[0]:.1f} h, by {', '.join(SPEAKERS[half])}; {hours[1]:.1f} h of noise.",
        "README.md says how they are made and what the columns mean.",
        "",
        *(f"Not judged: {name}: {reason}" for name, reason in missing.items()),
    ]
    return "\n".join(lines)


def tables(judged: list[Judged], specs: tuple[str, ...]) -> str:
    """Everything but cost and odd cases."""
    speech = [item for item in judged if item.score]
    noise = [item for item in judged if not item.score]
    return "\n".join(
        [
            _summary(speech, specs),
            _by_speaker(speech, specs),
            _by_condition("Files with the right recordings", speech, specs, _right),
            _by_condition("Onset: bouts clipped or missed / bouts (worst, ms)", speech, specs, _onset),
            _by_condition("End: bouts cut / bouts (worst, ms)", speech, specs, _end),
            _by_condition("False recordings in the speech files", speech, specs, _false),
            _false_an_hour(noise, specs),
        ]
    )


def _scores(items: Iterable[Judged]) -> list[Score]:
    return [item.score for item in items if item.score]


def _level(item: Judged) -> str:
    return item.case.kind if item.case.level_db is None else f"{item.case.level_db} dB"


def _summary(speech: list[Judged], specs: tuple[str, ...]) -> str:
    levels = list(dict.fromkeys(map(_level, speech)))
    head = ("speech in", "gate", "right files", "onsets clipped", "worst ms", "missed bouts", "ends cut", "worst ms",
            "speech lost %", "false", "delay ms median", "p95", "sent %", "speech %")  # fmt: skip
    rows = []
    for level in levels:
        for spec in specs:
            scores = _scores(item for item in speech if item.spec == spec and _level(item) == level)
            rows.append((level, spec, *_summary_of(scores)))
    return markdown("Speech, by level of noise", head, rows)


def _summary_of(scores: list[Score]) -> list[str]:
    onsets = [ms for score in scores for ms in score.onset_ms]
    ends = [ms for score in scores for ms in score.end_ms]
    delays = sorted(ms for score in scores for ms in score.delay_ms) or [0]
    heard = sum(score.samples for score in scores)
    speech = sum(score.speech_samples for score in scores)
    return [
        f"{sum(score.right for score in scores)}/{len(scores)}",
        f"{sum(ms > 0 for ms in onsets)}/{len(onsets)}",
        str(max(onsets, default=0)),
        str(sum(score.missed for score in scores)),
        f"{sum(ms > 0 for ms in ends)}/{len(ends)}",
        str(max(ends, default=0)),
        f"{100 * sum(score.lost_samples for score in scores) / speech:.2f}",
        str(sum(score.false for score in scores)),
        f"{statistics.median(delays):.0f}",
        str(delays[int(0.95 * (len(delays) - 1))]),
        f"{100 * sum(score.sent_samples for score in scores) / heard:.0f}",
        f"{100 * speech / heard:.0f}",
    ]


def _by_speaker(speech: list[Judged], specs: tuple[str, ...]) -> str:
    """Each speaker in quiet and in noise that is `SPEAKERS_FROM_DB` below the speech or more; babble is left out."""
    heard = [item for item in speech if item.case.kind != "babble" and _snr_db(item) >= SPEAKERS_FROM_DB]
    rows = []
    for speaker in dict.fromkeys(item.speaker for item in heard):
        for spec in specs:
            scores = _scores(item for item in heard if (item.speaker, item.spec) == (speaker, spec))
            onsets = [ms for score in scores for ms in score.onset_ms]
            missed = sum(score.missed for score in scores)
            bouts = len(onsets) + missed
            rows.append((speaker, spec, _right(scores), f"{sum(ms > 0 for ms in onsets)}/{bouts}", f"{missed}/{bouts}"))
    head = ("speaker", "gate", "right files", "onsets clipped", "missed bouts")
    return markdown(f"Speech, by speaker, down to {SPEAKERS_FROM_DB} dB, without babble", head, rows)


def _snr_db(item: Judged) -> float:
    return math.inf if item.case.level_db is None else item.case.level_db


def _by_condition(title: str, speech: list[Judged], specs: tuple[str, ...], cell: Callable[[list[Score]], str]) -> str:
    conditions = dict.fromkeys((item.case.kind, item.case.level_db) for item in speech)
    rows = []
    for kind, level in conditions:
        name = kind if level is None else f"{kind} {level} dB"
        mine = [item for item in speech if (item.case.kind, item.case.level_db) == (kind, level)]
        rows.append((name, *(cell(_scores(item for item in mine if item.spec == spec)) for spec in specs)))
    return markdown(title, ("speech in", *specs), rows)


def _right(scores: list[Score]) -> str:
    return f"{sum(score.right for score in scores)}/{len(scores)}"


def _onset(scores: list[Score]) -> str:
    values = [ms for score in scores for ms in score.onset_ms]
    missed = sum(score.missed for score in scores)
    bad = sum(ms > 0 for ms in values) + missed
    return f"{bad}/{len(values) + missed} ({max(values, default=0)})" if bad else "0"


def _end(scores: list[Score]) -> str:
    values = [ms for score in scores for ms in score.end_ms]
    bad = sum(ms > 0 for ms in values)
    return f"{bad}/{len(values)} ({max(values)})" if bad else "0"


def _false(scores: list[Score]) -> str:
    return str(sum(score.false for score in scores))


def _false_an_hour(noise: list[Judged], specs: tuple[str, ...]) -> str:
    kinds = list(dict.fromkeys(item.case.kind for item in noise))
    rows: list[tuple[str, ...]] = []
    for kind in kinds:
        mine = [item for item in noise if item.case.kind == kind]
        rows.append((kind, *(_rate([item for item in mine if item.spec == spec]) for spec in specs)))
    for name, left_out in (("all", ()), ("all but babble", ("babble",))):
        kept = [item for item in noise if item.case.kind not in left_out]
        rows.append((f"**{name}**", *(_rate([item for item in kept if item.spec == spec]) for spec in specs)))
    return markdown("Noise alone: false recordings an hour (share of the audio sent)", ("noise", *specs), rows)


def _rate(items: list[Judged]) -> str:
    samples = sum(item.samples for item in items)
    false = sum(item.false for item in items)
    return f"{false / (samples / RATE / 3600):.1f} ({100 * sum(item.sent for item in items) / samples:.0f} %)"
