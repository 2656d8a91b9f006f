from __future__ import annotations

import json

import pytest

from plugandtell.core.gate import GateState
from plugandtell.core.status import (
    ClientStatus,
    Heard,
    LineState,
    LogLine,
    Phase,
    Report,
    SavedStatus,
    ServerStatus,
    StreamStatus,
    decode,
    encode,
    is_report,
)
from plugandtell.core.talk import TalkState

REPORTS = [
    ClientStatus(),
    ClientStatus(
        phase=Phase.RUNNING,
        source="mic\n“1”",
        line=LineState.LOST,
        gate=GateState.PAUSE,
        heard=Heard((-60, -3), "lm", -4.5),
        talk=TalkState.MUTED,
        latest="a.wav",
    ),
    ServerStatus(),
    ServerStatus(
        phase=Phase.FINISHING,
        streams=(StreamStatus("a", is_connected=False, file="b.wav", seconds=1.5, silence_s=0.5),),
        stream_count=2,
        saved=(SavedStatus("c.wav", "a", 2.5, "silence", (-60, 0)),),
        free_bytes=7,
    ),
    LogLine("client", "warning", "12:00:00", "hole  at_s=1"),
]


@pytest.mark.parametrize("report", REPORTS, ids=lambda report: type(report).__name__)
def test_a_report_is_a_line_and_comes_back(report: Report) -> None:
    line = encode(report)
    assert is_report(line)
    assert "\n" not in line
    assert line.isascii()
    assert decode(line) == report


@pytest.mark.parametrize(
    "line",
    [
        "",
        "22:01 info",
        "{}",
        "[]",
        "null",
        '{"client":7}',
        '{"client":{"no":1}}',
        '{"a":{}}',
        '{"client":{"gate":"x"}}',
    ],
)
def test_another_line_is_none(line: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  (json's own error is one)
        decode(line)


def test_it_says_its_kind() -> None:
    assert [*json.loads(encode(ServerStatus()))] == ["server"]


@pytest.mark.parametrize(
    ("level", "severe"), [("debug", False), ("info", False), ("warning", True), ("error", True), ("critical", True)]
)
def test_warnings_and_worse_are_severe(level: str, severe: bool) -> None:
    assert LogLine("", level, "", "").is_severe is severe
