"""The command for each recording: real processes, told of recordings that a test makes up."""

from __future__ import annotations

import asyncio
import json
import shlex
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from plugandtell.client.saved_hook import SavedHook, hook_of
from plugandtell.client.settings import ClientSettings
from plugandtell.core.errors import InvalidSetting
from plugandtell.core.protocol.messages import ClientInfo, EndReason, Hello, SegmentSaved
from tests.support.watching import ended, until

if TYPE_CHECKING:
    from pathlib import Path

SERVER = "ws://127.0.0.1:3000"
HELLO = Hello(UUID(int=7), 16_000, 1, datetime.now(UTC), ClientInfo("c", "1"), {"name": "desk; touch here"})


def saved(number: int) -> SegmentSaved:
    """A recording of one second."""
    start = number * 32_000
    return SegmentSaved(UUID(int=number), f"{number}.wav", start, start + 16_000, 1000, EndReason.SILENCE)


def hook_that(program: str, *arguments: str, within_s: float = 30.0, folder: Path | None = None) -> SavedHook:
    """A hook that runs a Python program."""
    command = shlex.join([sys.executable, "-c", program, *arguments])
    hook = hook_of(ClientSettings(on_saved=command, on_saved_timeout=within_s), SERVER, folder)
    assert hook is not None
    return hook


async def test_the_command_finds_the_facts_in_its_environment_and_on_standard_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLUGANDTELL_TOKEN", "secret")
    program = (
        "import json, os, sys\n"
        "facts = {name: value for name, value in os.environ.items() if name.startswith('PLUGANDTELL_SAVED_')}\n"
        "given = json.load(sys.stdin).items()\n"
        "same = {'PLUGANDTELL_SAVED_' + name.upper(): str(value) for name, value in given} == facts\n"
        "json.dump([sys.argv[2:], facts, same, 'PLUGANDTELL_TOKEN' in os.environ], open(sys.argv[1], 'w'))\n"
    )
    out = tmp_path / "out"
    hook = hook_that(program, str(out), "$HOME; `x`", folder=tmp_path / "audio")
    async with hook.running():
        hook.take(saved(3), HELLO)
    arguments, facts, same, has_token = json.loads(out.read_text())
    assert arguments == ["$HOME; `x`"]
    assert facts == {
        "PLUGANDTELL_SAVED_FILE": "3.wav",
        "PLUGANDTELL_SAVED_PATH": str(tmp_path / "audio" / "3.wav"),
        "PLUGANDTELL_SAVED_SEGMENT_ID": str(UUID(int=3)),
        "PLUGANDTELL_SAVED_STREAM_ID": str(UUID(int=7)),
        "PLUGANDTELL_SAVED_START_INDEX": "96000",
        "PLUGANDTELL_SAVED_END_INDEX": "112000",
        "PLUGANDTELL_SAVED_DURATION_MS": "1000",
        "PLUGANDTELL_SAVED_REASON": "silence",
        "PLUGANDTELL_SAVED_LABEL": "desk; touch here",
        "PLUGANDTELL_SAVED_SERVER": SERVER,
    }
    assert same
    assert not has_token


async def test_commands_run_one_at_a_time_and_in_order(tmp_path: Path) -> None:
    out = tmp_path / "out"
    program = (
        "import os, sys; out = open(sys.argv[1], 'a', buffering=1);"
        " out.write('<'); out.write(os.environ['PLUGANDTELL_SAVED_FILE']); out.write('>')"
    )
    hook = hook_that(program, str(out))
    async with hook.running():
        for number in range(5):
            hook.take(saved(number), HELLO)
    assert out.read_text() == "<0.wav><1.wav><2.wav><3.wav><4.wav>"


async def test_a_command_that_fails_is_logged_and_the_next_one_runs(tmp_path: Path) -> None:
    program = (
        "import os, pathlib, sys\nif os.environ['PLUGANDTELL_SAVED_FILE'] == '0.wav': sys.exit('the disk is full')\n"
        "pathlib.Path(sys.argv[1]).touch()\n"
    )
    hook = hook_that(program, str(tmp_path / "ran"))
    with capture_logs() as logged:
        async with hook.running():
            hook.take(saved(0), HELLO)
            hook.take(saved(1), HELLO)
    failed = [(line["file"], line["error"]) for line in logged if line["event"] == "hook_failed"]
    assert failed == [("0.wav", "it ended with status 1: the disk is full")]
    assert (tmp_path / "ran").exists()


_WITH_A_CHILD = (
    "import os, pathlib, subprocess, sys, time\n"
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(99)'])\n"
    "part = pathlib.Path(sys.argv[1] + '.part'); part.write_text(f'{os.getpid()} {child.pid}')\n"
    "part.rename(sys.argv[1]); time.sleep(99)\n"
)


async def test_a_command_that_takes_too_long_is_killed_with_what_it_started(tmp_path: Path) -> None:
    hook = hook_that(_WITH_A_CHILD, str(tmp_path / "pids"), within_s=1.0)
    with capture_logs() as logged:
        async with hook.running():
            hook.take(saved(0), HELLO)
    assert [line["error"] for line in logged if line["event"] == "hook_failed"] == ["it was not done after 1 s"]
    pids = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
    assert await ended(*pids)


async def test_what_runs_when_the_client_is_cancelled_is_ended(tmp_path: Path) -> None:
    hook = hook_that(_WITH_A_CHILD, str(tmp_path / "pids"))

    async def client() -> None:
        async with hook.running():
            hook.take(saved(0), HELLO)
            hook.take(saved(1), HELLO)
            await asyncio.Event().wait()

    with capture_logs() as logged:
        task = asyncio.create_task(client())
        await until((tmp_path / "pids").exists)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert [line["unfinished"] for line in logged if line["event"] == "hook_ended"] == [2]
    pids = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
    assert await ended(*pids)


async def test_no_more_than_a_hundred_wait() -> None:
    hook = hook_that("pass")
    with capture_logs() as logged:
        for number in range(103):
            hook.take(saved(number), HELLO)
    assert [(line["file"], line["skipped"]) for line in logged] == [("100.wav", 1), ("101.wav", 2), ("102.wav", 3)]


@pytest.mark.parametrize("command", ["", "'unbalanced", "   ", "no-such-program-anywhere x", "'' x"])
def test_a_command_that_cannot_be_run_is_said_at_once(command: str) -> None:
    with pytest.raises(InvalidSetting, match="--on-saved"):
        hook_of(ClientSettings(on_saved=command), SERVER, None)
