"""Server and client as processes: what is streamed, what is left, and what the exit codes say."""

from __future__ import annotations

import asyncio
import json
import shlex
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile
from websockets.asyncio.server import serve
from websockets.typing import Subprotocol

from plugandtell.core.protocol.messages import Ack
from plugandtell.sample import sample_path
from tests.support.processes import finished, running, running_server
from tests.support.recordings import recordings
from tests.support.speech import RATE, sentence, silence, write_wav
from tests.support.wire import STARTED_AT, WITHIN_S, Wire, hello, pcm

if TYPE_CHECKING:
    from pathlib import Path

    from websockets.asyncio.server import Server, ServerConnection


def slices_of(whole: bytes, folder: Path) -> list[tuple[int, int]]:
    """Where each recording lies in the input; fails unless it is there, sample for sample."""
    found = []
    for item in recordings(folder):
        start, end = item.sidecar["start_index"], item.sidecar["end_index"]
        assert item.pcm == whole[2 * start : 2 * end]
        found.append((start, end))
    return found


async def test_every_recording_is_a_slice_of_the_input_sample_for_sample(tmp_path: Path) -> None:
    whole = soundfile.read(sample_path(), dtype="int16")[0].astype("<i2").tobytes()
    async with running_server(tmp_path) as (_, url):
        outcome = await finished(tmp_path, "client", f"--server={url}", f"--input={sample_path()}", "--pace=fast")
    assert outcome.status == 0, outcome.stderr
    slices = slices_of(whole, tmp_path / "audio")
    assert len(slices) == 3
    assert outcome.lines == [found.path.name for found in recordings(tmp_path / "audio")]


async def test_fast_and_real_time_give_the_same_segments(tmp_path: Path) -> None:
    write_wav(tmp_path / "in.wav", silence(0.5), sentence(3), silence(0.6), sentence(4), silence(0.5))
    slices = []
    for pace in ("fast", "realtime"):
        async with running_server(tmp_path, f"--audio-dir={pace}", "--silence=0.5") as (_, url):
            outcome = await finished(tmp_path, "client", f"--server={url}", "--input=in.wav", f"--pace={pace}")
        assert outcome.status == 0, outcome.stderr
        slices.append([(item.sidecar["start_index"], item.pcm) for item in recordings(tmp_path / pace)])
    assert slices[0] == slices[1]
    assert len(slices[0]) == 2


@pytest.mark.parametrize(("pause_s", "expected"), [(2.9, 1), (3.1, 2)])
async def test_the_three_second_rule_holds_for_speech(tmp_path: Path, pause_s: float, expected: int) -> None:
    whole = write_wav(tmp_path / "in.wav", silence(1), sentence(0), silence(pause_s), sentence(1), silence(1))
    async with running_server(tmp_path) as (_, url):
        outcome = await finished(tmp_path, "client", f"--server={url}", "--input=in.wav", "--pace=fast")
    assert outcome.status == 0, outcome.stderr
    assert len(slices_of(whole, tmp_path / "audio")) == expected


async def test_two_clients_at_once_do_not_mix(tmp_path: Path) -> None:
    left = write_wav(tmp_path / "left.wav", silence(0.5), sentence(0), silence(0.5))
    right = write_wav(tmp_path / "right.wav", silence(0.5), sentence(2), silence(0.5))
    async with running_server(tmp_path) as (_, url):
        outcomes = await asyncio.gather(
            *(
                finished(tmp_path, "client", f"--server={url}", f"--input={name}.wav", f"--label={name}")
                for name in ("left", "right")
            )
        )
    assert [outcome.status for outcome in outcomes] == [0, 0]
    assert {found.sidecar["client"]["label"] for found in recordings(tmp_path / "audio")} == {"left", "right"}
    for found in recordings(tmp_path / "audio"):
        whole = {"left": left, "right": right}[found.sidecar["client"]["label"]]
        start, end = found.sidecar["start_index"], found.sidecar["end_index"]
        assert found.pcm == whole[2 * start : 2 * end]


@pytest.mark.parametrize("flag", [["--input", "-"], ["--input=-"]])
async def test_raw_audio_comes_in_on_standard_input(tmp_path: Path, flag: list[str]) -> None:
    whole = write_wav(tmp_path / "in.wav", silence(0.5), sentence(1), silence(0.5))
    async with (
        running_server(tmp_path) as (_, url),
        running(tmp_path, "client", f"--server={url}", *flag, stdin=subprocess.PIPE) as client,
    ):
        stdout, stderr = await asyncio.wait_for(client.process.communicate(whole + b"x"), WITHIN_S)
    assert client.process.returncode == 0, stderr
    assert stdout
    assert b"stray_bytes=1" in stderr
    assert len(slices_of(whole, tmp_path / "audio")) == 1


async def test_everything_is_sent_when_nothing_judges(tmp_path: Path) -> None:
    noise = (np.arange(20_001) % 7).astype(np.int16)
    whole = write_wav(tmp_path / "in.wav", noise)
    async with running_server(tmp_path) as (_, url):
        outcome = await finished(tmp_path, "client", f"--server={url}", "--input=in.wav", "--pace=fast", "--vad=none")
    assert outcome.status == 0, outcome.stderr
    assert slices_of(whole, tmp_path / "audio") == [(0, 20_001)]


async def test_a_file_without_voice_leaves_no_recording_and_is_no_failure(tmp_path: Path) -> None:
    write_wav(tmp_path / "in.wav", silence(5))
    async with running_server(tmp_path) as (_, url):
        outcome = await finished(tmp_path, "client", f"--server={url}", "--input=in.wav", "--pace=fast")
    assert (outcome.status, outcome.stdout) == (0, "")
    assert recordings(tmp_path / "audio") == []


async def test_long_silence_is_no_jump_of_the_clock(tmp_path: Path) -> None:
    whole = write_wav(tmp_path / "in.wav", sentence(0), silence(150), sentence(1), silence(150))
    async with running_server(tmp_path) as (_, url):
        outcome = await finished(tmp_path, "client", f"--server={url}", "--input=in.wav", "--pace=fast")
    assert outcome.status == 0, outcome.stderr
    assert len(slices_of(whole, tmp_path / "audio")) == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_client_that_is_stopped_saves_what_it_heard(tmp_path: Path, number: int) -> None:
    whole = write_wav(tmp_path / "in.wav", silence(0.3), sentence(2), silence(20))
    async with (
        running_server(tmp_path) as (_, url),
        running(tmp_path, "client", f"--server={url}", "--input=in.wav") as client,
    ):
        await client.logged("transfer in progress")
        outcome = await client.stop(number)
    assert outcome.status == 0, outcome.stderr
    ((start, end),) = slices_of(whole, tmp_path / "audio")
    assert start < 0.3 * RATE < end


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_server_that_is_stopped_saves_what_is_open(tmp_path: Path, number: int) -> None:
    async with running_server(tmp_path) as (server, url), await Wire.greeted(url) as wire:
        await wire.speak(0, RATE)
        await server.logged("voice detected")
        listening = asyncio.create_task(wire.hear_out())
        outcome = await server.stop(number)
        assert await listening == 1001
    assert outcome.status == 0, outcome.stderr
    (found,) = recordings(tmp_path / "audio")
    assert found.pcm[: 2 * 1600] == pcm(0, 1600)
    assert found.sidecar["reason"] == "shutdown"


async def test_a_server_under_nohup_survives_the_end_of_its_terminal(tmp_path: Path) -> None:
    command = f"trap '' HUP INT; exec {shlex.quote(sys.executable)} -m plugandtell server --port=0"
    process = await asyncio.create_subprocess_shell(command, cwd=tmp_path, stdout=subprocess.PIPE)
    assert process.stdout is not None
    url = (await process.stdout.readline()).decode().strip()
    process.send_signal(signal.SIGHUP)
    async with await Wire.greeted(url) as wire:
        await wire.speak(0, RATE)
        await wire.end(RATE)
    process.send_signal(signal.SIGINT)
    assert await process.wait() == 0
    assert recordings(tmp_path / "audio")[0].pcm == pcm(0, RATE)


async def test_what_a_killed_server_had_acknowledged_is_there_after_its_next_start(tmp_path: Path) -> None:
    async with running_server(tmp_path) as (server, url), await Wire.greeted(url) as wire:
        await wire.speak(0, 3 * RATE)
        acknowledged = 0
        while acknowledged < 2 * RATE:
            acknowledged = (await wire.hear(Ack)).stored_to
        server.process.kill()
        await server.outcome()
    assert list((tmp_path / "audio").glob("*.part"))
    async with running_server(tmp_path) as (server, _):
        await server.stop()
    (found,) = recordings(tmp_path / "audio")
    assert found.pcm == pcm(0, len(found.pcm) // 2)
    assert len(found.pcm) // 2 >= acknowledged
    assert found.sidecar["recovered"] is True
    assert found.path.name == "2026-11-23T15-35-00.848Z_laptop.wav"


async def test_a_client_goes_on_at_a_server_that_was_killed_and_came_back(tmp_path: Path) -> None:
    """Together the recordings hold the input: nothing is missing, nothing is there twice, and the client knows it."""
    whole = write_wav(tmp_path / "in.wav", silence(0.3), sentence(2), sentence(0), silence(0.3))
    flags = ("server", f"--port={free_port()}")
    url = f"ws://127.0.0.1:{flags[1].partition('=')[2]}"
    async with running(tmp_path, *flags) as first:
        await first.line()
        async with running(tmp_path, "client", f"--server={url}", "--input=in.wav") as client:
            await first.logged("transfer in progress")
            await first.logged("transfer in progress")  # a second later, much is acknowledged
            first.process.kill()
            await client.logged("connection lost")
            async with running(tmp_path, *flags) as second:
                await second.line()
                outcome = await client.outcome()
    assert outcome.status == 0, outcome.stderr
    slices = slices_of(whole, tmp_path / "audio")
    assert len(slices) == 2
    assert slices[0][1] == slices[1][0]
    assert slices[0][0] < 0.3 * RATE
    assert slices[1][1] > len(whole) // 2 - 0.3 * RATE
    recovered, rest = (found.sidecar for found in recordings(tmp_path / "audio"))
    assert recovered["recovered"] is True
    assert rest["continues"] == recovered["segment_id"]


async def test_the_log_says_at_a_glance_what_happens_and_carries_the_ids(tmp_path: Path) -> None:
    write_wav(tmp_path / "in.wav", silence(0.3), sentence(0), silence(1.6), sentence(4), silence(0.5))
    async with running_server(tmp_path, "--silence=1") as (server, url):
        client = await finished(tmp_path, "client", f"--server={url}", "--input=in.wav")
        assert client.status == 0
        await server.stop()
    told = {name: read_log(tmp_path / "logs" / f"{name}.log") for name in ("client", "server")}
    assert {"connected", "voice_detected", "transfer_in_progress", "silence_growing", "segment_saved"} <= {
        line["event"] for line in told["client"]
    }
    assert {"connected", "voice_detected", "transfer_in_progress", "segment_ended", "segment_saved"} <= {
        line["event"] for line in told["server"]
    }
    stream_ids = {line["stream_id"] for lines in told.values() for line in lines if "stream_id" in line}
    assert len(stream_ids) == 1
    for line in told["server"]:
        if line["event"].startswith("segment") or line["event"] in ("voice_detected", "transfer_in_progress"):
            assert {"stream_id", "segment_id", "client"} <= line.keys()
    assert {line["reason"] for line in told["server"] if line["event"] == "segment_ended"} == {"silence", "end"}


def read_log(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.mark.parametrize(
    ("flags", "status", "said"),
    [
        pytest.param(["--input=missing.wav"], 5, "missing.wav", id="missing file"),
        pytest.param(["--input=text.wav"], 5, "text.wav", id="not audio"),
        pytest.param(["--input=empty.wav"], 5, "empty.wav", id="empty"),
        pytest.param(["--input=."], 5, "folder", id="a folder"),
        pytest.param(["--server=http://127.0.0.1:1"], 2, "--server", id="no address"),
        pytest.param(["--server=127.0.0.1:3000"], 2, "--server", id="no scheme"),
        pytest.param([f"--server=ws://{'a' * 70}"], 2, "--server", id="no host name"),
        pytest.param(["--server=ws://bob:hunter2@127.0.0.1:9"], 2, "***@127.0.0.1:9", id="a password in the address"),
        pytest.param([b"--label=\xff"], 2, "--label", id="label that is no text"),
        pytest.param(["--vad=magic"], 2, "--vad", id="unknown detector"),
        pytest.param(["--vad=webrtc:9"], 2, "--vad", id="unknown mode"),
        pytest.param(["--pace=slow"], 2, "--pace", id="unknown pace"),
        pytest.param(["--batch-ms=0"], 2, "--batch-ms", id="out of range"),
        pytest.param(["--device=no such microphone"], 4, "input device", id="no such microphone"),
    ],
)
async def test_bad_input_is_named_and_has_an_exit_code(
    tmp_path: Path, flags: list[str | bytes], status: int, said: str
) -> None:
    (tmp_path / "text.wav").write_text("this is text")
    write_wav(tmp_path / "empty.wav", silence(0))
    outcome = await finished(tmp_path, "client", *flags, environment={"PLUGANDTELL_SERVER": "ws://127.0.0.1:9"})
    assert outcome.status == status, outcome.stderr
    assert said in outcome.stderr
    assert "Traceback" not in outcome.stderr
    assert "hunter2" not in outcome.stderr


async def test_a_proxy_that_is_none_is_named(tmp_path: Path) -> None:
    write_wav(tmp_path / "in.wav", sentence(0))
    arguments = ("client", "--server=ws://host.invalid", "--input=in.wav")
    outcome = await finished(tmp_path, *arguments, environment={"http_proxy": "foo://bar", "https_proxy": "foo://bar"})
    assert outcome.status == 3
    assert "proxy" in outcome.stderr


async def test_who_connects_in_vain_can_be_stopped_at_once(tmp_path: Path) -> None:
    write_wav(tmp_path / "in.wav", sentence(0))
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"ws://127.0.0.1:{silent.getsockname()[1]}"
        async with running(tmp_path, "client", f"--server={url}", "--input=in.wav") as client:
            await client.logged("capture started")
            outcome = await client.stop(signal.SIGTERM)
    assert outcome.status == 3
    assert "asked to stop" in outcome.stderr


@pytest.mark.parametrize("closed", [1, 2])
async def test_nobody_needs_to_read_what_is_printed(tmp_path: Path, closed: int) -> None:
    """A shell closes standard output (1) or standard error (2) before the commands start."""
    write_wav(tmp_path / "in.wav", silence(0.3), sentence(4), silence(0.3))
    command = f"exec {shlex.quote(sys.executable)} -m plugandtell run --port=0 --input=in.wav --pace=fast {closed}>&-"
    process = await asyncio.create_subprocess_shell(
        command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    assert await asyncio.wait_for(process.wait(), WITHIN_S) == 0
    assert len(recordings(tmp_path / "audio")) == 1


async def test_a_reader_that_goes_away_stops_nothing(tmp_path: Path) -> None:
    write_wav(tmp_path / "in.wav", silence(0.3), sentence(4), silence(1.2), sentence(4), silence(0.3))
    async with running_server(tmp_path, "--silence=1") as (_, url):
        arguments = f"client --server={url} --input=in.wav".split()
        command = f"{shlex.join([sys.executable, '-m', 'plugandtell', *arguments])} | true; exit ${{PIPESTATUS[0]}}"
        shell = ["bash", "-c", command]
        process = await asyncio.create_subprocess_exec(*shell, cwd=tmp_path, stderr=subprocess.PIPE)
        _, stderr = await asyncio.wait_for(process.communicate(), WITHIN_S)
    assert process.returncode == 0, stderr
    assert b"Traceback" not in stderr
    assert len(recordings(tmp_path / "audio")) == 2


async def test_no_server_has_an_exit_code(tmp_path: Path) -> None:
    write_wav(tmp_path / "in.wav", sentence(0))
    outcome = await finished(tmp_path, "client", f"--server=ws://127.0.0.1:{free_port()}", "--input=in.wav")
    assert outcome.status == 3
    assert "no server answers" in outcome.stderr


@pytest.mark.parametrize("kind", ["http", "other websocket", "silent", "garbage"])
async def test_a_server_that_is_not_ours_is_named(tmp_path: Path, kind: str) -> None:
    write_wav(tmp_path / "in.wav", sentence(0))

    async def answer(socket: ServerConnection) -> None:
        await socket.send("good day" if kind == "garbage" else '{"type":"ack","stored_to":1}')
        await socket.wait_closed()

    async def answer_http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        if kind == "http":
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
        writer.close()

    server: asyncio.Server | Server
    if kind in ("http", "silent"):
        server = await asyncio.start_server(answer_http, "127.0.0.1", 0)
    else:
        subprotocols = [Subprotocol("plugandtell.v1")] if kind == "garbage" else None
        server = await serve(answer, "127.0.0.1", 0, subprotocols=subprotocols)
    port = next(iter(server.sockets)).getsockname()[1]
    outcome = await finished(tmp_path, "client", f"--server=ws://127.0.0.1:{port}", "--input=in.wav")
    server.close()
    assert outcome.status == 3, outcome.stderr
    assert "not a PlugAndTell server" in outcome.stderr
    assert "Traceback" not in outcome.stderr


async def test_a_refusal_has_an_exit_code(tmp_path: Path) -> None:
    write_wav(tmp_path / "in.wav", sentence(0))
    async with running_server(tmp_path, "--max-streams=1") as (_, url), await Wire.greeted(url, hello()):
        outcome = await finished(tmp_path, "client", f"--server={url}", "--input=in.wav")
    assert outcome.status == 6
    assert "full" in outcome.stderr


async def test_a_port_in_use_has_an_exit_code(tmp_path: Path) -> None:
    async with running_server(tmp_path) as (_, url):
        outcome = await finished(tmp_path, "server", f"--port={url.rpartition(':')[2]}", "--audio-dir=other")
    assert outcome.status == 8
    assert "in use" in outcome.stderr


@pytest.mark.parametrize("flag", ["--audio-dir", "--log-dir"])
async def test_a_folder_that_cannot_be_used_has_an_exit_code(tmp_path: Path, flag: str) -> None:
    (tmp_path / "file").write_text("in the way")
    outcome = await finished(tmp_path, "server", "--port=0", f"{flag}=file/folder")
    assert outcome.status == 9
    assert flag in outcome.stderr


async def test_a_full_disk_keeps_what_was_written_and_says_so(tmp_path: Path) -> None:
    """A limit on the size of files stands for the disk."""
    limited = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000));"
        "from plugandtell.cli import main; main()"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", limited, "server", "--port=0", cwd=tmp_path, stdout=subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        url = (await process.stdout.readline()).decode().strip()
        async with await Wire.greeted(url) as wire:
            await wire.speak(0, 4 * RATE)
            assert await wire.hear_out() == 1011
            assert wire.error.code == "write_failed"
            stored_to = max(message.stored_to for message in wire.all_heard(Ack))
    finally:
        process.send_signal(signal.SIGINT)
        assert await process.wait() == 0
    (found,) = recordings(tmp_path / "audio")
    assert found.pcm == pcm(0, len(found.pcm) // 2)
    assert stored_to <= len(found.pcm) // 2 <= 50_000
    assert found.sidecar["started_at"] == STARTED_AT.isoformat(timespec="milliseconds").replace("+00:00", "Z")


async def test_settings_come_from_flags_then_the_environment_then_the_file(tmp_path: Path) -> None:
    (tmp_path / "plugandtell.toml").write_text('[server]\naudio_dir = "from-file"\nport = 0\n[log]\nlog_dir = "log"\n')
    async with running(tmp_path, "server") as server:
        await server.line()
        assert (tmp_path / "from-file").is_dir()
        assert (tmp_path / "log" / "server.log").is_file()
        await server.stop()
    async with running(tmp_path, "server", environment={"PLUGANDTELL_AUDIO_DIR": "from-env"}) as server:
        await server.line()
        assert (tmp_path / "from-env").is_dir()
        await server.stop()
    environment = {"PLUGANDTELL_AUDIO_DIR": "from-env"}
    async with running(tmp_path, "server", "--audio-dir=from-flag", environment=environment) as server:
        await server.line()
        assert (tmp_path / "from-flag").is_dir()
        await server.stop()


async def test_a_mistake_in_the_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "plugandtell.toml").write_text("[server]\nprot = 3000\n")
    outcome = await finished(tmp_path, "server")
    assert outcome.status == 2
    assert "prot" in outcome.stderr + outcome.stdout


@pytest.mark.parametrize("command", [["server"], ["client"], ["run"], []])
async def test_help_is_complete_and_loads_nothing_heavy(tmp_path: Path, command: list[str]) -> None:
    probe = (
        "import sys; from plugandtell.cli import app;"
        f"app({[*command, '--help']!r}, result_action='return_value');"
        "heavy = {'numpy', 'websockets', 'sounddevice', 'soundfile', 'soxr', 'webrtcvad', 'structlog', 'asyncio'};"
        "sys.exit(f'loaded {heavy & set(sys.modules)}' if heavy & set(sys.modules) else 0)"
    )
    result = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", probe], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert result.returncode == 0, result.stderr
    assert "Exit codes" in result.stdout
    assert "PLUGANDTELL_" in result.stdout


async def test_the_version_is_told(tmp_path: Path) -> None:
    outcome = await finished(tmp_path, "--version")
    assert outcome.status == 0
    assert outcome.stdout.strip() == "0.1.0"
