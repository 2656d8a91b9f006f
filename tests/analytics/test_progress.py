from __future__ import annotations

import io

import pytest

from plugandtell.analytics.progress import CallProgress, doing
from plugandtell.core.call import Stage, StageState

DONE, RUNNING, RETRYING, FAILED = StageState.DONE, StageState.RUNNING, StageState.RETRYING, StageState.FAILED


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ({}, "waiting"),
        ({Stage.TRANSCRIPTION: RUNNING}, "transcribing"),
        ({Stage.TRANSCRIPTION: RETRYING}, "transcribing: waiting to try again"),
        ({Stage.TRANSCRIPTION: FAILED}, "failed"),
        (
            {Stage.TRANSCRIPTION: DONE, Stage.FEATURES: DONE, Stage.SENTIMENT: RUNNING, Stage.INTENT: RUNNING},
            "judging sentiment, judging intent",
        ),
        (dict.fromkeys(Stage, DONE), "done"),
    ],
)
def test_it_says_what_is_being_done(states: dict[Stage, StageState], expected: str) -> None:
    assert doing(states) == expected


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_shows_the_call_and_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    terminal = Terminal()
    with CallProgress(terminal) as progress:
        progress.add("7f", "call\x1b.flac")
        progress.show("7f", {Stage.TRANSCRIPTION: DONE, Stage.FEATURES: RUNNING})
    assert r"call\x1b.flac" in terminal.getvalue()
    assert "85%" in terminal.getvalue()
    assert "extracting features" in terminal.getvalue()


def test_nothing_is_shown_where_there_is_no_terminal() -> None:
    elsewhere = io.StringIO()
    with CallProgress(elsewhere) as progress:
        progress.add("7f", "call.flac")
        progress.show("7f", {Stage.TRANSCRIPTION: RUNNING})
    assert elsewhere.getvalue().strip() == ""
