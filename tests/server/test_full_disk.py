"""Real file systems that are full or read-only. Where the test may not mount one, it says so."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from plugandtell.core.protocol.messages import SegmentSaved
from tests.support.driver import Driver
from tests.support.processes import finished, running_server
from tests.support.recordings import recordings
from tests.support.wire import RATE, pcm

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def mounted(folder: Path, options: str) -> Iterator[Path]:
    """A small file system in memory."""
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip(f"no file system of its own: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        unmount(folder)


def mount(options: str, folder: Path) -> None:
    subprocess.run(["mount", "-o", options, *([str(folder)] * (2 if options == "bind" else 1))], check=True)


def unmount(folder: Path) -> None:
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="tmpfs is Linux's")


@pytest.mark.parametrize("durability", ["write", "fsync"])
async def test_a_disk_that_fills_up_keeps_what_it_has_and_takes_the_rest_when_there_is_room(
    tmp_path: Path, durability: str
) -> None:
    client = Driver()
    client.speak(0, 20 * RATE)
    client.stream.end(20 * RATE)
    with mounted(tmp_path / "audio", "size=1m") as audio_dir:
        ballast = audio_dir / ".ballast"
        ballast.write_bytes(bytes(600_000))
        async with running_server(tmp_path, "--min-free-mb=0", f"--durability={durability}") as (server, url):
            assert not await client.run(url)
            assert "cannot write" in await server.logged("write failed")
            assert client.stream.unacknowledged_samples > 0
            ballast.unlink()
            await asyncio.to_thread(mount, "remount,size=20m", audio_dir)
            assert await client.run(url)
            assert (await server.stop()).status == 0
        found = sorted(recordings(audio_dir), key=lambda one: int(one.sidecar["start_index"]))
        assert len(found) > 1
        assert b"".join(one.pcm for one in found) == pcm(0, 20 * RATE)
        told = {message.file for message in client.heard if isinstance(message, SegmentSaved)}
        assert told == {one.path.name for one in found}


async def test_a_folder_that_is_read_only_is_said_at_the_start(tmp_path: Path) -> None:
    with mounted(tmp_path / "audio", "size=1m,ro"):
        outcome = await finished(tmp_path, "server", "--port=0")
        assert outcome.status == 9
        assert "--audio-dir" in outcome.stderr


async def test_a_folder_that_becomes_read_only_refuses_and_loses_nothing(tmp_path: Path) -> None:
    client = Driver()
    client.speak(0, 2 * RATE)
    with mounted(tmp_path / "audio", "size=10m") as audio_dir:
        async with running_server(tmp_path, "--min-free-mb=0") as (server, url):
            await asyncio.to_thread(mount, "bind", audio_dir)
            await asyncio.to_thread(mount, "remount,bind,ro", audio_dir)
            try:
                assert not await client.run(url)
                await server.logged("write failed")
            finally:
                await asyncio.to_thread(unmount, audio_dir)
            client.stream.end(2 * RATE)
            assert await client.run(url)
            await server.stop()
        assert [one.pcm for one in recordings(audio_dir)] == [pcm(0, 2 * RATE)]
