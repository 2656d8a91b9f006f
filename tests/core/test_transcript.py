from __future__ import annotations

import pytest

from plugandtell.core.findings import Metric
from plugandtell.core.transcript import Engine, Party, Span, Transcript, Turn


def test_a_transcript_reads_as_a_line_a_turn() -> None:
    turns = tuple(Turn(party, Span(0, 1), text) for party, text in [(Party.AGENT, "Hello."), (Party.CALLER, "Hi.")])
    transcript = Transcript(1000, (Party.AGENT, Party.CALLER), "en", turns, Engine("x", "1"))
    assert transcript.text == "Hello.\nHi."


@pytest.mark.parametrize(("start_ms", "end_ms"), [(-1, 0), (2, 1)])
def test_a_span_goes_forward_from_the_start_of_the_call(start_ms: int, end_ms: int) -> None:
    with pytest.raises(ValueError, match="goes forward"):
        Span(start_ms, end_ms)


def test_a_metric_is_a_value_or_the_reason_why_there_is_none() -> None:
    assert Metric(0.0).value == 0.0
    assert Metric(None, "one channel").reason == "one channel"
    for value, reason in [(None, None), (1.0, "x")]:
        with pytest.raises(ValueError, match="a value or a reason"):
            Metric(value, reason)
