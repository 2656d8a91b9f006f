"""What cannot be used is named, and has an exit code; and the log says what happens."""

from __future__ import annotations

import asyncio
import json
import shlex
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from websockets.asyncio.server import serve
from websockets.typing import Subprotocol

from plugandtell.core.protocol.messages import Ack
from tests.support.processes import finished, free_port, running, running_server
from tests.support.recordings import recordings
from tests.support.speech import RATE, sentence, silence, write_wav
from tests.support.wire import STARTED_AT, WITHIN_S, Wire, hello, pcm

if TYPE_CHECKING:
    from pathlib import Path

    from websockets.asyncio.server import Server, ServerConnection


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
    flags = "--no-analytics --port=0 --input=in.wav --pace=fast"
    command = f"exec {shlex.quote(sys.executable)} -m plugandtell run {flags} {closed}>&-"
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
