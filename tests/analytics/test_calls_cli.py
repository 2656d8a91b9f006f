from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest

from plugandtell.analytics.calls import Alert
from plugandtell.analytics.calls_cli import app
from plugandtell.analytics.database import open_calls
from plugandtell.core.call import CallOptions, Stage
from plugandtell.core.errors import CallNotFound, InvalidSetting
from tests.analytics.samples import NOON, RESULTS, failure

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Ask = Callable[..., str]

GOOD, BAD = "aa11", "bb22"


@pytest.fixture
def ask(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Ask:
    """Runs a command on a database with a complete call and a failed one; gives what it printed."""
    asyncio.run(fill(tmp_path))

    def run(*arguments: str) -> str:
        assert app([*arguments, "--data-dir", str(tmp_path)], result_action="return_value") == 0
        return capsys.readouterr().out

    return run


async def fill(folder: Path) -> None:
    async with open_calls(None, folder) as calls:
        for call_id in (GOOD, BAD):
            await calls.add(call_id, f"file:///{call_id}.wav", f"{call_id}.wav", CallOptions(), NOON)
        for stage, result in RESULTS.items():
            await calls.keep_result(GOOD, stage, result, NOON)
        await calls.note_failure(failure(BAD))
        await calls.mark_failed(BAD, Stage.TRANSCRIPTION, NOON)
        await calls.raise_alert(Alert(BAD, Stage.TRANSCRIPTION, 1, "not audio", NOON))
        for call_id in (GOOD, BAD):
            await calls.settle(call_id, NOON)


def test_the_list_says_where_each_call_stands(ask: Ask) -> None:
    lines = ask("list").splitlines()
    assert lines[0].split() == ["CALL", "STATE", "SUBMITTED", "(UTC)", "SOURCE"]
    assert {tuple(line.split()) for line in lines[1:]} == {
        (GOOD, "complete", "2026-11-24", "12:00:00", "aa11.wav"),
        (BAD, "failed", "2026-11-24", "12:00:00", "bb22.wav"),
    }


def test_the_list_can_be_limited_and_says_how_many_there_are(ask: Ask) -> None:
    assert ask("list", "--limit=1").splitlines()[-1] == "1 complete, 1 failed in all"
    assert [json.loads(line)["call_id"] for line in ask("list", "--state=failed", "--json").splitlines()] == [BAD]


def test_an_empty_list_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    app(["list", "--data-dir", str(tmp_path)], result_action="return_value")
    assert "plugandtell analyze" in capsys.readouterr().out


def test_a_call_is_shown_with_its_stages_by_the_beginning_of_its_id(ask: Ask) -> None:
    text = ask("show", "a")
    assert "complaint (87% sure)" in text
    assert "sentiment      done" in text


def test_a_failed_call_is_shown_with_its_failures(ask: Ask) -> None:
    assert "failed  in transcription, tried once: not audio" in ask("show", BAD)
    shown = json.loads(ask("show", BAD, "--json"))
    assert shown["failures"][0]["kind"] == "permanent"
    assert shown["stages"]["transcription"]["state"] == "failed"


def test_a_call_that_has_ended_is_watched_to_its_end(ask: Ask) -> None:
    assert ask("watch", GOOD).splitlines()[-1].split()[2:] == [GOOD, "call", "complete"]
    changes = [json.loads(line) for line in ask("watch", GOOD, BAD, "--json").splitlines()]
    assert {(one["call_id"], one["state"]) for one in changes if one["stage"] is None} >= {
        (GOOD, "complete"),
        (BAD, "failed"),
    }


@pytest.mark.parametrize(
    ("kind", "begins"), [("json", "{"), ("txt", "aa11.wav"), ("srt", "1\n00:00:00,000"), ("vtt", "WEBVTT\n")]
)
def test_complete_calls_are_exported_to_files(ask: Ask, tmp_path: Path, kind: str, begins: str) -> None:
    printed = ask("export", "--to", str(tmp_path / "out"), "--format", kind)
    assert printed.splitlines() == [str(tmp_path / "out" / f"{GOOD}.{kind}")]
    assert (tmp_path / "out" / f"{GOOD}.{kind}").read_text(encoding="utf-8").startswith(begins)


def test_failures_and_alerts_are_listed(ask: Ask) -> None:
    assert "InputNotAudio: not audio" in ask("failures").splitlines()[1]
    assert json.loads(ask("failures", "bb", "--json"))["worker"] == "host-1"
    assert ask("failures", GOOD) == "no failures\n"
    assert ask("alerts").splitlines()[1].split()[0] == BAD
    assert ask("alerts", GOOD) == "no alerts\n"


def test_a_deleted_call_is_gone(ask: Ask) -> None:
    assert ask("delete", BAD) == f"{BAD}\n"
    assert BAD not in ask("list")
    with pytest.raises(CallNotFound, match="bb22"):
        ask("show", BAD)


def test_nothing_is_deleted_without_a_name(ask: Ask) -> None:
    with pytest.raises(InvalidSetting, match="at least one call"):
        ask("delete")
