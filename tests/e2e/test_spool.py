"""Clients that die: what they had heard is sent by the next one, as the recording it was."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

from plugandtell.core.journal import scan
from plugandtell.core.protocol.messages import Audio
from tests.support.processes import finished, free_port, running, running_server
from tests.support.recordings import recordings, slices_of
from tests.support.speech import sentence, silence, write_wav

if TYPE_CHECKING:
    from pathlib import Path

FLAGS = ("--spool-dir=spool", "--label=laptop")


def spooled_to(folder: Path) -> int:
    """Up to where the spool holds audio."""
    newest = max(folder.glob("spool/*/*.chunk"))
    heard = [item for item in scan(newest.read_bytes()).records if isinstance(item, Audio)]
    return heard[-1].start + len(heard[-1].pcm) // 2


def streams(folder: Path) -> list[Path]:
    return [path for path in (folder / "spool").iterdir() if path.is_dir()]


async def test_a_client_that_is_killed_loses_nothing_that_it_had_heard(tmp_path: Path) -> None:
    whole = write_wav(tmp_path / "in.wav", *(sentence(number) for number in range(5)))
    write_wav(tmp_path / "later.wav", silence(1))
    async with running_server(tmp_path) as (server, url):
        arguments = ("client", f"--server={url}", *FLAGS)
        async with running(tmp_path, *arguments, "--input=in.wav", "--vad=none") as client:
            await server.logged("transfer in progress")
            await server.logged("transfer in progress")  # half a second was acknowledged just now
            acknowledged_to = spooled_to(tmp_path)
            async with asyncio.timeout(30):
                while spooled_to(tmp_path) <= acknowledged_to:  # noqa: ASYNC110  (the file is the only sign)
                    await asyncio.sleep(0.01)
            client.process.kill()
            await client.outcome()
        heard_to = spooled_to(tmp_path)
        outcome = await finished(tmp_path, *arguments, "--input=later.wav", "--pace=fast")
    assert outcome.status == 0, outcome.stderr
    assert slices_of(whole, tmp_path / "audio") == [(0, heard_to)]
    assert outcome.lines == [recordings(tmp_path / "audio")[0].path.name]
    assert streams(tmp_path) == []


async def test_what_both_ends_lose_in_their_death_is_together_once_they_are_back(tmp_path: Path) -> None:
    """The server is killed, the client goes on hearing, and is killed too."""
    whole = write_wav(tmp_path / "in.wav", *(sentence(number) for number in range(5)))
    write_wav(tmp_path / "later.wav", silence(1))
    flags = ("server", f"--port={free_port()}")
    arguments = ("client", f"--server=ws://127.0.0.1:{flags[1].partition('=')[2]}", *FLAGS)
    async with running(tmp_path, *flags) as first:
        await first.line()
        async with running(tmp_path, *arguments, "--input=in.wav", "--vad=none") as client:
            await first.logged("transfer in progress")
            first.process.kill()
            await client.logged("connection lost")
            await client.logged("transfer in progress")
            client.process.kill()
            await client.outcome()
    heard_to = spooled_to(tmp_path)
    async with running(tmp_path, *flags) as second:
        await second.line()
        outcome = await finished(tmp_path, *arguments, "--input=later.wav", "--pace=fast")
    assert outcome.status == 0, outcome.stderr
    recovered, rest = slices_of(whole, tmp_path / "audio")
    assert (recovered[0], rest) == (0, (recovered[1], heard_to))
    assert streams(tmp_path) == []


async def test_a_client_that_must_go_says_what_it_keeps_and_the_next_one_sends_it(tmp_path: Path) -> None:
    whole = write_wav(tmp_path / "in.wav", silence(0.5), *(sentence(number) for number in range(5)))
    write_wav(tmp_path / "later.wav", silence(1))
    flags = ("server", f"--port={free_port()}")
    arguments = ("client", f"--server=ws://127.0.0.1:{flags[1].partition('=')[2]}", *FLAGS)
    async with running(tmp_path, *flags) as first:
        await first.line()
        async with running(tmp_path, *arguments, "--input=in.wav") as client:
            await first.logged("transfer in progress")
            first.process.kill()
            await client.logged("connection lost")
            outcome = await client.stop(signal.SIGINT)
    assert outcome.status == 7, outcome.stderr
    assert "kept in the spool, and the next start sends them" in outcome.stderr
    async with running(tmp_path, *flags) as second:
        await second.line()
        outcome = await finished(tmp_path, *arguments, "--input=later.wav", "--pace=fast")
    assert outcome.status == 0, outcome.stderr
    assert "leftover sent" in outcome.stderr
    slices = slices_of(whole, tmp_path / "audio")
    assert slices[0][1] == slices[1][0]
    assert outcome.lines[-1] == recordings(tmp_path / "audio")[-1].path.name
    assert streams(tmp_path) == []


async def test_a_client_whose_disk_is_full_goes_on_from_memory_and_says_so(tmp_path: Path) -> None:
    """A limit on the size of files stands for the disk."""
    whole = write_wav(tmp_path / "in.wav", sentence(0))
    limited = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000));"
        "from plugandtell.cli import main; main()"
    )
    async with running_server(tmp_path) as (_, url):
        arguments = ("client", f"--server={url}", *FLAGS, "--vad=none", "--input=in.wav", "--pace=fast")
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", limited, *arguments, cwd=tmp_path, stderr=subprocess.PIPE
        )
        _, stderr = await process.communicate()
    assert process.returncode == 0, stderr
    assert b"spool failed" in stderr
    assert b"Traceback" not in stderr
    assert slices_of(whole, tmp_path / "audio") == [(0, len(whole) // 2)]
    assert streams(tmp_path) == []
