"""What a user asks for when a recording is saved: a command, and the bell."""

from __future__ import annotations

import asyncio
import shlex
import signal
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.processes import finished, running, running_server
from tests.support.recordings import recordings
from tests.support.speech import sentence, silence, write_wav
from tests.support.terminal import in_terminal
from tests.support.watching import ended, until

if TYPE_CHECKING:
    from pathlib import Path

FAST = ("--vad=none", "--pace=fast")


@pytest.fixture
def spoken(tmp_path: Path) -> Path:
    """A file with a sentence."""
    write_wav(tmp_path / "in.wav", sentence(0), silence(0.2))
    return tmp_path / "in.wav"


def python(program: str, *arguments: str) -> str:
    """A flag that has a Python program run."""
    return f"--on-saved={shlex.join([sys.executable, '-c', program, *arguments])}"


async def test_a_client_runs_the_command_for_what_is_saved(tmp_path: Path, spoken: Path) -> None:
    program = "import os, sys; print('printed'); open('out', 'w').write(os.environ['PLUGANDTELL_SAVED_FILE'])"
    async with running_server(tmp_path) as (_, url):
        outcome = await finished(tmp_path, "client", f"--server={url}", f"--input={spoken}", *FAST, python(program))
    assert outcome.status == 0, outcome.stderr
    assert (tmp_path / "out").read_text() == recordings(tmp_path / "audio")[0].path.name
    assert outcome.lines == [(tmp_path / "out").read_text()], "what the command prints is none of the client's output"


async def test_a_command_that_fails_is_no_failure_of_the_client(tmp_path: Path, spoken: Path) -> None:
    flag = python("import sys; sys.exit('no luck')")
    async with running_server(tmp_path) as (_, url):
        outcome = await finished(tmp_path, "client", f"--server={url}", f"--input={spoken}", *FAST, flag)
    assert outcome.status == 0
    assert "hook failed" in outcome.stderr
    assert "no luck" in outcome.stderr


async def test_a_command_that_is_not_installed_is_said_before_anything_is_heard(tmp_path: Path, spoken: Path) -> None:
    outcome = await finished(tmp_path, "client", f"--input={spoken}", "--on-saved=no-such-program-anywhere")
    assert outcome.status == 2
    assert "no-such-program-anywhere" in outcome.stderr


async def test_run_tells_the_command_where_the_recording_is(tmp_path: Path, spoken: Path) -> None:
    program = "import os, shutil; shutil.copy(os.environ['PLUGANDTELL_SAVED_PATH'], 'copy.wav')"
    flags = (f"--input={spoken}", *FAST, "--port=0", "--no-analytics")
    outcome = await finished(tmp_path, "run", *flags, python(program))
    assert outcome.status == 0, outcome.stderr
    assert (tmp_path / "copy.wav").read_bytes() == recordings(tmp_path / "audio")[0].path.read_bytes()


async def test_a_client_that_is_told_twice_to_stop_takes_the_command_with_it(tmp_path: Path, spoken: Path) -> None:
    program = (
        "import os, time; out = open('pid.part', 'w'); print(os.getpid(), file=out); out.close();"
        " os.rename('pid.part', 'pid'); time.sleep(99)"
    )
    async with (
        running_server(tmp_path) as (_, url),
        running(tmp_path, "client", f"--server={url}", f"--input={spoken}", *FAST, python(program)) as client,
    ):
        await until((tmp_path / "pid").exists)
        pid = int((tmp_path / "pid").read_text())
        ending = asyncio.create_task(client.outcome())
        while not (await asyncio.wait({ending}, timeout=0.02))[0]:
            client.process.terminate()
        assert ending.result().status == -signal.SIGTERM
        assert await ended(pid)


@pytest.mark.parametrize(
    ("command", "flags", "rings"),
    [("client", ["--bell"], 1), ("client", ["--bell", "--plain"], 1), ("run", ["--bell"], 1), ("client", [], 0)],
)
async def test_the_bell_rings_on_a_terminal_when_it_is_asked_for(
    tmp_path: Path, spoken: Path, command: str, flags: list[str], rings: int
) -> None:
    async with running_server(tmp_path) as (_, url):
        where = ["--port=0", "--no-analytics", "--audio-dir=own"] if command == "run" else [f"--server={url}"]
        async with in_terminal(tmp_path, command, f"--input={spoken}", *FAST, *flags, *where) as terminal:
            assert await terminal.ended() == 0
            assert terminal.raw.count(b"\a") == rings
