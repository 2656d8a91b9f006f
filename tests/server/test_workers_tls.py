"""An encrypted line tells nobody whose it is before the hello, and cannot be handed on: it is pumped."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import sys
from typing import TYPE_CHECKING, Any

import pytest

from plugandtell.core.protocol.messages import Ack, Position, SegmentSaved, Welcome
from plugandtell.server.app import running_server as serving
from plugandtell.server.settings import ServerSettings
from tests.support.certificates import OTHER_TOKEN, TOKEN, Authority, write_secret
from tests.support.processes import running_server
from tests.support.recordings import recordings
from tests.support.wire import RATE, WITHIN_S, Wire, pcm
from tests.support.workers import hello_for, logged, peak_memory_kb, pid_of

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows hands no connections on")


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


async def test_each_stream_gets_to_its_worker_and_keeps_its_token_and_address(
    tmp_path: Path, authority: Authority
) -> None:
    tokens = write_secret(tmp_path / "tokens", f"anna: {TOKEN}\nbert: {OTHER_TOKEN}\n")
    flags = ("--workers=2", f"--tokens-file={tokens}", *authority.certify().flags)
    greetings = [hello_for(worker) for worker in (1, 1, 2, 2)]
    async with running_server(tmp_path, *flags) as (server, url):
        for greeting in greetings:
            options: dict[str, Any] = {
                "ssl": authority.trusting(),
                "additional_headers": {"Authorization": f"Bearer {TOKEN}"},
            }
            async with await Wire.greeted(url, greeting, **options) as wire:
                await wire.speak(0, 20 * RATE)
                await wire.say(Position(20 * RATE))
                while (await wire.hear(Ack)).stored_to < 20 * RATE:
                    pass
            async with await Wire.open(url, **options) as wire:
                await wire.say(greeting)
                assert (await wire.hear(Welcome)).resume_from == 20 * RATE
                await wire.speak(20 * RATE, RATE)
                assert len(await wire.end(21 * RATE)) == 1
            thief: dict[str, Any] = {
                "ssl": authority.trusting(),
                "additional_headers": {"Authorization": f"Bearer {OTHER_TOKEN}"},
            }
            async with await Wire.open(url, **thief) as wire:
                await wire.say(greeting)
                assert await wire.hear_out() == 1008
        assert (await server.stop()).status == 0
    found = recordings(tmp_path / "audio")
    assert [one.pcm for one in found] == [pcm(0, 21 * RATE)] * 4
    assert {one.sidecar["client"]["token_name"] for one in found} == {"anna"}
    assert {line["address"].partition(":")[0] for line in logged(tmp_path, "connected")} == {"127.0.0.1"}
    assert {line["token_name"] for line in logged(tmp_path, "connected")} == {"anna"}


async def test_the_end_of_either_side_is_the_end_of_the_other(tmp_path: Path, authority: Authority) -> None:
    """Closes, cuts, and the death of the worker that pumps, and of the one that records."""
    flags = ("--workers=2", "--resume-window=30", *authority.certify().flags)
    async with running_server(tmp_path, *flags) as (server, url):
        for worker in (1, 2):  # the next in turn has the line, so that one of these is pumped
            async with await Wire.greeted(url, hello_for(worker), ssl=authority.trusting()) as wire:
                await wire.socket.close(1000, "enough")
        for worker in (1, 2):
            async with await Wire.greeted(url, hello_for(worker), ssl=authority.trusting()) as wire:
                await wire.say_raw("nonsense")
                assert await wire.hear_out() == 1007
                assert wire.error.code == "not_json"
        for struck in (1, 2):
            pumped = [await Wire.greeted(url, hello_for(worker), ssl=authority.trusting()) for worker in (1, 1, 2, 2)]
            for wire in pumped:
                await wire.speak(0, RATE)
                await wire.say(Position(RATE))
                while (await wire.hear(Ack)).stored_to < RATE:
                    pass
            os.kill(await pid_of(tmp_path, struck), signal.SIGKILL)
            async with asyncio.timeout(WITHIN_S):
                open_still = {asyncio.create_task(wire.socket.wait_closed()) for wire in pumped}
                while len(open_still) > 1:  # one comes by the other worker to the other worker
                    _, open_still = await asyncio.wait(open_still, return_when=asyncio.FIRST_COMPLETED)
            await pid_of(tmp_path, struck, 2)
            for wire in pumped:
                await wire.drop()
        outcome = await server.stop()
        assert (outcome.status, "Traceback" in outcome.stderr) == (0, False)
    assert {(line["dropped"], line["close_code"]) for line in logged(tmp_path, "disconnected")} >= {(False, 1000)}
    assert all(one.pcm == pcm(0, RATE) for one in recordings(tmp_path / "audio"))


async def test_who_stops_it_gets_what_is_pumped_saved_and_told(tmp_path: Path, authority: Authority) -> None:
    async with running_server(tmp_path, "--workers=2", *authority.certify().flags) as (server, url):
        wires = [await Wire.greeted(url, hello_for(worker), ssl=authority.trusting()) for worker in (1, 1, 2, 2)]
        for wire in wires:
            await wire.speak(0, RATE)
            await wire.hear(Ack)
        outcome = asyncio.create_task(server.stop())
        assert [await wire.hear_out() for wire in wires] == [1001] * 4
        assert (await outcome).status == 0
        assert all(len(wire.all_heard(SegmentSaved)) == 1 for wire in wires)
    assert len(recordings(tmp_path / "audio")) == 4


async def test_a_worker_that_hangs_at_the_end_is_named_and_takes_no_other_along(
    tmp_path: Path, authority: Authority, capsys: pytest.CaptureFixture[str]
) -> None:
    """The other pumps for it, and cannot wait for that for ever."""
    certificate = authority.certify()
    settings = ServerSettings(
        port=0, workers=2, audio_dir=tmp_path / "audio", tls_cert=certificate.cert, tls_key=certificate.key
    )
    async with serving(settings, shutdown_within_s=0.5) as server:
        pid = int(re.findall(r"worker=1 worker_pid=(\d+)", capsys.readouterr().out)[0])
        wires = [await Wire.greeted(server.url, hello_for(1), ssl=authority.trusting()) for _ in range(2)]
        for wire in wires:
            await wire.speak(0, RATE)
            await wire.say(Position(RATE))
            while (await wire.hear(Ack)).stored_to < RATE:
                pass
        os.kill(pid, signal.SIGSTOP)
    told = capsys.readouterr().out
    assert "worker_crashed" not in told
    assert re.findall(r"worker_overdue.*worker=(\d)", told) == ["1"]
    assert [one.pcm for one in recordings(tmp_path / "audio")] == [pcm(0, RATE)] * 2


async def test_a_handshake_that_never_comes_holds_nobody_up_and_is_given_up(
    tmp_path: Path, authority: Authority
) -> None:
    flags = ("--workers=2", "--hello-timeout=0.3", "--max-streams-per-address=4", *authority.certify().flags)
    async with running_server(tmp_path, *flags) as (server, url):
        silent = [await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2])) for _ in range(4)]
        async with asyncio.timeout(WITHIN_S):
            assert [await reader.read() for reader, _ in silent] == [b""] * 4
        for _, writer in silent:
            writer.close()
        for worker in (1, 2):  # their places are free again
            async with await Wire.greeted(url, hello_for(worker), ssl=authority.trusting()) as wire:
                await wire.speak(0, RATE)
                await wire.end(RATE)
        assert "Traceback" not in (await server.stop()).stderr


async def test_who_pings_without_end_and_reads_no_answer_is_dropped(tmp_path: Path, authority: Authority) -> None:
    """What is for him waits in the sockets, and not in the process that pumps."""
    pings = (b"\x89\xfd\0\0\0\0" + bytes(125)) * 512
    flags = ("--workers=2", "--send-timeout=0.5", *authority.certify().flags)
    async with running_server(tmp_path, *flags) as (server, url):
        for worker in (1, 2):
            sock = socket.socket()
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.setblocking(False)
            await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", int(url.rpartition(":")[2])))
            async with await Wire.greeted(url, hello_for(worker), ssl=authority.trusting(), sock=sock) as wire:
                transport = wire.socket.transport
                transport.pause_reading()
                async with asyncio.timeout(WITHIN_S):
                    while not transport.is_closing():
                        if transport.get_write_buffer_size() < len(pings):
                            transport.write(pings)
                        await asyncio.sleep(0)
        for worker in (1, 2):
            assert peak_memory_kb(await pid_of(tmp_path, worker)) < 150_000
        assert (await server.stop()).status == 0
