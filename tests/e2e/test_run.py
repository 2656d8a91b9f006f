"""`plugandtell run`: two processes under one roof."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import signal
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock

from plugandtell.sample import sample_path
from tests.support.processes import finished, running
from tests.support.recordings import recordings
from tests.support.speech import RATE, sentence, silence, write_wav

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.processes import Running


async def being_recorded(run: Running) -> None:
    """Wait until the server has written the first audio: what the client says of it comes earlier."""
    while not (await run.logged("transfer in progress")).startswith("server"):
        pass


def process_id(folder: Path, name: str) -> int:
    """The process that writes a log."""
    line = (folder / "logs" / f"{name}.log").read_text().splitlines()[0]
    pid: int = json.loads(line)["pid"]
    return pid


async def test_it_records_a_file_and_tells_where(tmp_path: Path) -> None:
    write_wav(tmp_path / "in.wav", silence(0.5), sentence(0), silence(0.5))
    outcome = await finished(tmp_path, "run", "--no-analytics", "--port=0", "--input=in.wav", "--pace=fast")
    assert outcome.status == 0, outcome.stderr
    (found,) = recordings(tmp_path / "audio")
    assert outcome.stdout == f"1 recording in {tmp_path / 'audio'}:\n  {found.path.name}\n"
    marks = {line.partition("|")[0].strip() for line in outcome.stderr.splitlines()}
    assert marks == {"client", "server"}


async def test_without_a_microphone_it_streams_the_sample_and_says_so(tmp_path: Path) -> None:
    flags = ("--device=no such microphone", f"--fallback={sample_path()}")
    async with running(tmp_path, "run", "--no-analytics", "--port=0", *flags) as run:
        assert "sample.flac" in await run.logged("no microphone")
        await being_recorded(run)
        outcome = await run.stop()
    assert outcome.status == 0, outcome.stderr
    assert len(recordings(tmp_path / "audio")) == 1


async def test_without_voice_it_says_that_there_is_nothing(tmp_path: Path) -> None:
    write_wav(tmp_path / "in.wav", silence(1))
    outcome = await finished(tmp_path, "run", "--no-analytics", "--port=0", "--input=in.wav", "--pace=fast")
    assert outcome.status == 0
    assert outcome.stdout.startswith("no recordings")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_stops_both_in_order_and_saves_what_is_open(tmp_path: Path, number: int) -> None:
    whole = write_wav(tmp_path / "in.wav", silence(0.3), sentence(2), silence(20))
    async with running(tmp_path, "run", "--no-analytics", "--port=0", "--input=in.wav") as run:
        await being_recorded(run)
        outcome = await run.stop(number)
    assert outcome.status == 0, outcome.stderr
    (found,) = recordings(tmp_path / "audio")
    start = found.sidecar["start_index"]
    assert found.sidecar["reason"] == "end"  # the client told the server, before that was stopped
    assert found.pcm == whole[2 * start : 2 * start + len(found.pcm)]
    assert found.path.name in outcome.stdout
    assert outcome.stderr.index("all saved") < outcome.stderr.index("server stopping")


async def test_a_client_that_dies_is_reported_and_the_server_saves(tmp_path: Path) -> None:
    write_wav(tmp_path / "in.wav", silence(0.3), sentence(2), silence(20))
    async with running(tmp_path, "run", "--no-analytics", "--port=0", "--input=in.wav") as run:
        await being_recorded(run)
        os.kill(process_id(tmp_path, "client"), signal.SIGKILL)
        outcome = await run.outcome()
    assert outcome.status == 128 + signal.SIGKILL
    assert "the client ended with exit code 137" in outcome.stderr
    (found,) = recordings(tmp_path / "audio")
    assert found.path.name in outcome.stdout
    assert found.sidecar["reason"] == "shutdown"


async def test_a_server_that_dies_is_reported_and_the_client_says_what_is_not_saved(tmp_path: Path) -> None:
    write_wav(tmp_path / "in.wav", silence(0.3), sentence(2), silence(20))
    async with running(tmp_path, "run", "--no-analytics", "--port=0", "--input=in.wav") as run:
        await being_recorded(run)
        os.kill(process_id(tmp_path, "server"), signal.SIGKILL)
        outcome = await run.outcome()
    assert outcome.status == 7
    assert "the server ended with exit code 137" in outcome.stderr
    assert "not confirmed as saved" in outcome.stderr
    assert "no voice" not in outcome.stdout
    assert "1 recording unfinished" in outcome.stdout


async def test_no_child_outlives_a_killed_parent(tmp_path: Path) -> None:
    write_wav(tmp_path / "in.wav", silence(0.3), sentence(2), silence(20))
    async with running(tmp_path, "run", "--no-analytics", "--port=0", "--input=in.wav") as run:
        await being_recorded(run)
        run.process.kill()
    for name in ("client", "server"):
        lock = FileLock(tmp_path / "logs" / f".{name}.lock", thread_local=False)
        await asyncio.to_thread(lock.acquire, timeout=20)  # held as long as the process lives
        lock.release()
    assert len(recordings(tmp_path / "audio")) == 1


@pytest.mark.parametrize(
    ("flags", "status", "said"),
    [
        (["--input=missing.wav"], 5, "missing.wav"),
        (["--input", "-"], 2, "plugandtell-client"),
        (["--vad=magic"], 2, "--vad"),
        (["--port=99999"], 2, "--port"),
        (["--host=no.such.host.invalid"], 8, "no.such.host.invalid"),
    ],
)
async def test_what_a_child_cannot_do_ends_both(tmp_path: Path, flags: list[str], status: int, said: str) -> None:
    outcome = await finished(tmp_path, "run", "--no-analytics", "--port=0", *flags)
    assert outcome.status == status, outcome.stderr
    assert said in outcome.stderr
    assert "Traceback" not in outcome.stderr


async def test_the_sample_shows_the_three_second_rule(tmp_path: Path) -> None:
    outcome = await finished(tmp_path, "run", "--no-analytics", "--port=0", f"--input={sample_path()}", "--pace=fast")
    assert outcome.status == 0
    found = recordings(tmp_path / "audio")
    assert len(found) == 3
    for item, onset_s in zip(found, (0.60, 10.20, 22.18), strict=True):
        assert item.sidecar["start_index"] < onset_s * RATE < item.sidecar["end_index"]


async def test_a_terminal_that_knows_no_colours_gets_none(tmp_path: Path) -> None:
    write_wav(tmp_path / "in.wav", silence(0.3), sentence(4), silence(0.3))
    command = [
        sys.executable,
        "-m",
        "plugandtell",
        "run",
        "--no-analytics",
        "--port=0",
        "--input=in.wav",
        "--pace=fast",
    ]
    shown = {term: await asyncio.to_thread(_on_a_terminal, command, tmp_path, term) for term in ("dumb", "xterm")}
    assert b"\x1b[" in shown["xterm"]
    assert b"\x1b[" not in shown["dumb"]


def _on_a_terminal(command: list[str], folder: Path, term: str) -> bytes:
    ours, theirs = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR")}
    process = subprocess.Popen(command, cwd=folder, stderr=theirs, stdout=theirs, env=environment | {"TERM": term})
    os.close(theirs)
    shown = b""
    with suppress(OSError):  # how the end of a terminal reads on Linux
        while part := os.read(ours, 65_536):
            shown += part
    os.close(ours)
    assert process.wait() == 0
    return shown
