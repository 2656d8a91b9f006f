"""The commands of call analytics as processes, with a speech server that is told what to hear."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support.http_server import Answer, WebServer, web_server
from tests.support.processes import finished, running
from tests.support.recordings import recordings
from tests.support.speech import sentence, silence, write_wav

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HEARD = "I want to complain, my order 4711 never arrived and this is unacceptable."


@pytest.fixture
def speech_server() -> Iterator[WebServer]:
    with web_server() as server:
        segments = [{"start": 0.6, "end": 2.4, "text": HEARD}]
        heard = {"text": HEARD, "language": "english", "duration": 3.0, "segments": segments}
        server.answers["/v1/audio/transcriptions"] = Answer(json.dumps(heard).encode())
        yield server


@pytest.fixture
def engines(speech_server: WebServer) -> list[str]:
    """Flags for engines that need no model, and for a data folder of their own."""
    return ["--speech=remote", f"--speech-url={speech_server.url}/v1", "--text=rules", "--data-dir=data"]


async def test_a_file_is_analysed_without_anything_to_start(tmp_path: Path, engines: list[str]) -> None:
    write_wav(tmp_path / "call.wav", silence(0.5), sentence(2), silence(0.5))
    outcome = await finished(tmp_path, "analyze", "call.wav", *engines)
    assert outcome.status == 0, outcome.stderr
    assert outcome.stdout.startswith("call.wav  (complete, 0:04, en, call ")
    assert "wants  complaint" in outcome.stdout
    assert "order 4711" in outcome.stdout
    listed = await finished(tmp_path, "calls", "list", "--json", "--data-dir=data")
    assert [json.loads(line)["state"] for line in listed.stdout.splitlines()] == ["complete"]


async def test_what_is_no_audio_is_said_and_takes_nothing_else_with_it(tmp_path: Path, engines: list[str]) -> None:
    write_wav(tmp_path / "call.wav", silence(0.5), sentence(2), silence(0.5))
    (tmp_path / "letter.txt").write_text("Dear Sir or Madam")
    outcome = await finished(tmp_path, "analyze", "letter.txt", "call.wav", "--json", *engines)
    assert outcome.status == 5, outcome.stderr
    bad, good = map(json.loads, outcome.stdout.splitlines())
    assert (bad["state"], good["state"]) == ("failed", "complete")
    assert bad["failures"][0]["kind"] == "permanent"
    assert "letter.txt" in bad["failures"][0]["message"]
    alerts = await finished(tmp_path, "calls", "alerts", "--data-dir=data")
    assert "letter.txt" in alerts.stdout


async def test_a_failed_call_is_tried_again_from_the_stage_that_failed(
    tmp_path: Path, engines: list[str], speech_server: WebServer
) -> None:
    write_wav(tmp_path / "call.wav", silence(0.5), sentence(2), silence(0.5))
    answer = speech_server.answers.pop("/v1/audio/transcriptions")
    outcome = await finished(tmp_path, "analyze", "call.wav", "--attempts=1", "--rounds=0", *engines)
    assert outcome.status == 13, outcome.stdout + outcome.stderr
    assert "failed  in transcription, tried once" in outcome.stdout
    speech_server.answers["/v1/audio/transcriptions"] = answer
    retried = await finished(tmp_path, "calls", "retry", "--all", "--data-dir=data")
    assert retried.status == 0, retried.stdout
    call_id, stage = retried.lines
    assert stage == "transcription"
    async with running(tmp_path, "worker", *engines):
        watched = await finished(tmp_path, "calls", "watch", call_id, "--data-dir=data")
    assert watched.stdout.splitlines()[-1].split()[2:] == [call_id, "call", "complete"]


@pytest.mark.parametrize("container", ["wav", "flac"])
async def test_what_is_recorded_is_analysed_before_the_run_ends(
    tmp_path: Path, engines: list[str], container: str
) -> None:
    write_wav(tmp_path / "in.wav", silence(0.5), sentence(2), silence(4), sentence(4), silence(0.5))
    flags = "--port=0", "--input=in.wav", "--pace=fast", f"--format={container}"
    outcome = await finished(tmp_path, "run", *flags, *engines)
    assert outcome.status == 0, outcome.stderr
    names = [found.path.name for found in recordings(tmp_path / "audio")]
    assert len(names) == 2
    assert all(name.endswith(f".{container}") and name in outcome.stdout for name in names)
    for name in names:
        assert f"analytics | audio/{name}  (complete" in outcome.stderr
    assert outcome.stderr.count("wants  complaint") == 2


async def test_a_worker_that_is_stopped_gives_back_what_it_had_in_hand(
    tmp_path: Path, engines: list[str], speech_server: WebServer
) -> None:
    write_wav(tmp_path / "call.wav", silence(0.5), sentence(2), silence(0.5))
    speech_server.answers["/v1/audio/transcriptions"].stalls = True
    async with running(tmp_path, "worker", "--grace-s=0", "--log-level=debug", *engines) as worker:
        await worker.logged("working")
        submitted = await finished(tmp_path, "submit", "call.wav", "--data-dir=data")
        call_id = submitted.lines[0]
        await worker.logged("stage began")
        outcome = await worker.stop(signal.SIGTERM)
    assert outcome.status == 0, outcome.stderr
    speech_server.answers["/v1/audio/transcriptions"].stalls = False
    async with running(tmp_path, "worker", *engines):
        watched = await finished(tmp_path, "calls", "watch", call_id, "--data-dir=data")
    assert watched.stdout.splitlines()[-1].split()[2:] == [call_id, "call", "complete"]
    failures = await finished(tmp_path, "calls", "failures", call_id, "--data-dir=data")
    assert failures.stdout == "no failures\n"


async def test_a_database_that_is_none_of_ours_is_said_with_the_way_out(tmp_path: Path) -> None:
    outcome = await finished(tmp_path, "calls", "list", "--database-url=mysql://a:secret@b/c")
    assert outcome.status == 2
    assert "--database-url" in outcome.stderr
    assert "secret" not in outcome.stderr


async def test_recording_goes_on_without_an_engine(tmp_path: Path) -> None:
    write_wav(tmp_path / "in.wav", silence(0.5), sentence(2), silence(0.5))
    flags = ["--port=0", "--input=in.wav", "--pace=fast", "--data-dir=data", "--model=/no/such/folder"]
    async with running(tmp_path, "run", *flags) as run:
        await run.logged("analytics ended with exit code 12: its next start has the rest")
        outcome = await run.outcome()
    assert outcome.status == 12, outcome.stderr
    assert len(recordings(tmp_path / "audio")) == 1


async def test_analytics_that_is_killed_starts_again_and_takes_up_what_was_left(
    tmp_path: Path, engines: list[str], speech_server: WebServer
) -> None:
    write_wav(tmp_path / "in.wav", silence(0.5), sentence(2), silence(0.5))
    speech_server.answers["/v1/audio/transcriptions"].stalls = True
    async with running(tmp_path, "run", "--port=0", "--input=in.wav", *engines) as run:
        await run.logged("recording submitted")
        os.kill(await child_of(run.process.pid, "worker"), signal.SIGKILL)
        speech_server.answers["/v1/audio/transcriptions"].stalls = False
        await run.logged("starts again")
        outcome = await run.outcome()
    assert outcome.status == 0, outcome.stderr
    assert outcome.stderr.count("(complete") == 1


async def test_a_call_that_asks_for_redaction_is_redacted_by_any_worker(
    tmp_path: Path, engines: list[str], speech_server: WebServer
) -> None:
    write_wav(tmp_path / "call.wav", silence(0.5), sentence(2), silence(0.5))
    heard = {"text": "My number is 212-555-0142.", "language": "english"}
    speech_server.answers["/v1/audio/transcriptions"] = Answer(json.dumps(heard).encode())
    submitted = await finished(tmp_path, "submit", "--redact", "call.wav", "--data-dir=data")
    call_id = submitted.lines[0]
    async with running(tmp_path, "worker", *engines):
        await finished(tmp_path, "calls", "watch", call_id, "--data-dir=data")
    shown = await finished(tmp_path, "calls", "show", call_id, "--json", "--data-dir=data")
    assert json.loads(shown.stdout)["text"] == "My number is [phone]."
    assert "0142" not in shown.stdout


async def test_another_ctrl_c_leaves_the_analysis_for_the_next_start(
    tmp_path: Path, engines: list[str], speech_server: WebServer
) -> None:
    write_wav(tmp_path / "in.wav", silence(0.5), sentence(2), silence(0.5))
    speech_server.answers["/v1/audio/transcriptions"].stalls = True
    async with running(tmp_path, "run", "--port=0", "--input=in.wav", "--pace=fast", *engines) as run:
        await run.logged("recording submitted")
        outcome = await run.stop()
    assert outcome.status == 0, outcome.stderr
    assert "leaving the rest of the analysis" in outcome.stderr
    assert "killed" not in outcome.stderr


async def child_of(parent: int, command: str) -> int:
    """The process that runs `plugandtell COMMAND` for that parent."""
    listing = await asyncio.create_subprocess_exec("ps", "-A", "-o", "pid=,ppid=,args=", stdout=subprocess.PIPE)
    lines, _ = await listing.communicate()
    for line in lines.decode().splitlines():
        pid, ppid, arguments = line.split(maxsplit=2)
        if int(ppid) == parent and f"plugandtell {command}" in arguments:
            return int(pid)
    raise AssertionError(f"no {command} runs under {parent}")
