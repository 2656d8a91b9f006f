"""What is known of a call, for people to read and for scripts."""

from __future__ import annotations

import textwrap
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from plugandtell.core.call import CallState, Stage
from plugandtell.core.findings import Features, Intent, Mood, Polarity, Sentiment
from plugandtell.core.safe_text import escape
from plugandtell.core.transcript import Transcript

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from plugandtell.analytics.service import StageResult
    from plugandtell.core.failure import Failure
    from plugandtell.core.findings import Entity, Metric, PartyMetrics

_SIGNS: Final = {Polarity.POSITIVE: "+", Polarity.NEUTRAL: "o", Polarity.NEGATIVE: "-"}
_NOT_HEARD: Final = "."
_NARROWEST: Final = 50
_NO_YEAR: Final = "--"
_Result = TypeVar("_Result", Transcript, Features, Sentiment, Intent)


@dataclass(frozen=True, slots=True)
class Report:
    """A call and all that came of it.

    Attributes:
        call_id: The call.
        source: What it is of, as the user named it.
        state: Where it stands.
        results: What is done.
        failures: Every attempt that failed, the first one first.
    """

    call_id: str
    source: str
    state: CallState
    results: Mapping[Stage, StageResult]
    failures: Sequence[Failure] = ()

    @property
    def failure(self) -> Failure | None:
        """Why it failed for good; None if it has not. What failed and worked later is not why."""
        if self.state is not CallState.FAILED:
            return None
        return next((failure for failure in reversed(self.failures) if failure.stage not in self.results), None)

    def result(self, kind: type[_Result]) -> _Result | None:
        """The result of that kind, if there is one."""
        return next((result for result in self.results.values() if isinstance(result, kind)), None)


def as_json(report: Report) -> dict[str, Any]:
    """All of it; times in milliseconds, `null` for a stage that has no result."""
    return {
        "call_id": report.call_id,
        "source": report.source,
        "state": report.state.value,
        "text": None if (transcript := report.result(Transcript)) is None else transcript.text,
        **{stage.value: _fields(report.results.get(stage)) for stage in Stage},
        "failures": [asdict(failure) | {"at": failure.at.isoformat()} for failure in report.failures],
    }


def as_text(report: Report, columns: int) -> str:
    """For people: what the caller wants and how they feel first, the transcript last.

    Args:
        report: The call.
        columns: How wide it may be.
    """
    transcript = report.result(Transcript)
    blocks = [_headline(report, transcript), _table(_findings(report, transcript), columns)]
    if transcript is not None:
        blocks.append(_table(_conversation(transcript), columns))
    return "\n\n".join(block for block in blocks if block)


def clock(time_ms: int) -> str:
    """A time in a call: `1:05`, or `1:00:05` from an hour on."""
    minutes, seconds = divmod(time_ms // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def _fields(result: StageResult | None) -> dict[str, Any] | None:
    return None if result is None else asdict(result)


def _headline(report: Report, transcript: Transcript | None) -> str:
    known = [clock(transcript.duration_ms), transcript.language or "nobody spoke"] if transcript else []
    return f"{escape(report.source)}  ({', '.join([report.state.value, *known, f'call {report.call_id}'])})"


def _findings(report: Report, transcript: Transcript | None) -> Iterator[tuple[str, list[str]]]:
    if (failure := report.failure) is not None:
        attempts = "once" if failure.attempt == 1 else f"{failure.attempt} times"
        yield "failed", [f"in {failure.stage.value}, tried {attempts}: {failure.message}"]
    if (intent := report.result(Intent)) is not None and transcript is not None:
        yield "wants", _intent(intent, transcript)
    if (sentiment := report.result(Sentiment)) is not None and sentiment.overall is not None:
        yield "feels", [_sentiment(sentiment)]
    if (features := report.result(Features)) is not None:
        yield "talk", list(_metrics(features))
        yield "about", [", ".join(keyword.text for keyword in features.keywords)] if features.keywords else []
        yield "named", [_entity(entity) for entity in features.entities]


def _intent(intent: Intent, transcript: Transcript) -> list[str]:
    labels = ", ".join(label.name.replace("_", " ") for label in intent.labels[:3])
    name = intent.intent.value.replace("_", " ")
    if intent.sentence is None or intent.turn is None:
        return [name]
    said_at = clock(transcript.turns[intent.turn].span.start_ms)
    return [
        f"{name} ({_percent(intent.confidence)} sure)" + (f": {labels}" if labels else ""),
        f'"{intent.sentence}" ({said_at})',
    ]


def _sentiment(sentiment: Sentiment) -> str:
    assert sentiment.overall is not None
    quarters = " ".join(_sign(mood) for mood in sentiment.quarters)
    state = f"{sentiment.caller_state.value}; " if sentiment.caller_state else ""
    return f"{state}{sentiment.overall.polarity.value} ({sentiment.overall.score:+.2f}), by quarters: {quarters}"


def _sign(mood: Mood | None) -> str:
    return _NOT_HEARD if mood is None else _SIGNS[mood.polarity]


def _metrics(features: Features) -> Iterator[str]:
    metrics = features.metrics
    for one in metrics.parties:
        yield ", ".join(_shown(_party_metrics(one)))
    whole = [
        ("silence", metrics.silence_share, _percent),
        ("longest", metrics.longest_silence_s, lambda value: f"{value:.1f} s"),
        ("loudness", metrics.loudness_lufs, lambda value: f"{value:.1f} LUFS"),
    ]
    yield ", ".join(f"{name} {shown(metric.value)}" for name, metric, shown in whole if metric.value is not None)


def _party_metrics(one: PartyMetrics) -> Iterator[tuple[str, Metric]]:
    yield f"{one.party.value} {{:.0f}} s", one.talk_s
    yield "{:.0%} of the talk", one.talk_share
    yield "{:.0f} words a minute", one.words_per_minute
    yield "interruptions {:.0f}", one.interruptions


def _shown(metrics: Iterable[tuple[str, Metric]]) -> Iterator[str]:
    for template, metric in metrics:
        if metric.value is not None:
            yield template.format(metric.value)


def _entity(entity: Entity) -> str:
    """As it was said, and in its usual form where that is another one; a day without a year has no usual form."""
    is_plain = entity.text == entity.value or entity.value.startswith(_NO_YEAR)
    usual = "" if is_plain else f" ({entity.value})"
    return f"{clock(entity.span.start_ms)} {entity.kind.value} {entity.text}{usual}"


def _conversation(transcript: Transcript) -> Iterator[tuple[str, list[str]]]:
    tells_apart = len(transcript.parties) > 1
    for turn in transcript.turns:
        party = f"  {turn.party.value:<6}" if tells_apart else ""
        yield f"{clock(turn.span.start_ms):>7}{party}", [turn.text]


def _table(rows: Iterable[tuple[str, Sequence[str]]], columns: int) -> str:
    """Names on the left, shown once, and their texts on the right, wrapped."""
    known = list(rows)
    margin = max((len(name) for name, _ in known), default=0) + 4
    lines: list[str] = []
    for name, texts in known:
        label = f"  {name}"
        for text in texts:
            first = f"{label:<{margin}}"
            lines += textwrap.wrap(
                escape(text), max(_NARROWEST, columns), initial_indent=first, subsequent_indent=" " * margin
            )
            label = ""
    return "\n".join(lines)


def _percent(share: float) -> str:
    return f"{share:.0%}"
