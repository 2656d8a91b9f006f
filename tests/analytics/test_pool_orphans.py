"""What becomes of children whose parent is killed, or hears Ctrl-C."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from plugandtell.analytics.scratch import Scratch
from tests.support.watching import ended, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

REPOSITORY = Path(__file__).parents[2]


@asynccontextmanager
async def program(folder: Path, *deeds: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a program with a pool, in a process group of its own, as a terminal does."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.support.pool_program",
        str(folder),
        *deeds,
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):  # it was killed, and nobody has told us yet
                os.killpg(process.pid, signal.SIGKILL)
        await process.communicate()


async def children(folder: Path, *deeds: str) -> list[int]:
    """Wait until all are at work; returns their processes."""
    return [int(await until((folder / f"began-{deed}").read_text)) for deed in deeds]


@pytest.mark.parametrize("deed", ["hang", "freeze"])
async def test_kill_9_leaves_no_child_behind(tmp_path: Path, deed: str) -> None:
    async with program(tmp_path, deed) as process:
        pids = await children(tmp_path, deed)
        process.kill()
        assert await ended(*pids)


async def test_kill_9_leaves_no_idle_child_behind(tmp_path: Path) -> None:
    async with program(tmp_path, "ok", "hang") as process:
        pids = await children(tmp_path, "ok", "hang")
        process.kill()
        assert await ended(*pids)


async def test_what_a_killed_program_left_is_removed_by_the_next(tmp_path: Path) -> None:
    parent = tmp_path / "data" / "temporary"
    async with program(tmp_path, "leave-1", "hang") as process:
        await until(lambda: list(parent.rglob("left-1")))
        with Scratch(parent):
            assert list(parent.rglob("left-1"))  # it still runs
        process.kill()
        await process.wait()
        with Scratch(parent) as scratch:
            assert not list(parent.rglob("left-1"))
            assert scratch.new_folder().is_dir()
    assert [path.name for path in parent.iterdir()] == ["sweep.lock"]


async def test_ctrl_c_is_the_parents_who_ends_its_children(tmp_path: Path) -> None:
    async with program(tmp_path, "hang", "wait-go") as process:
        pids = await children(tmp_path, "hang", "wait-go")
        os.killpg(process.pid, signal.SIGINT)
        _, stderr = await process.communicate()
        assert await ended(*pids)
    assert stderr == b""


async def test_ctrl_c_sent_to_a_child_does_not_stop_its_job(tmp_path: Path) -> None:
    async with program(tmp_path, "wait-go") as process:
        (pid,) = await children(tmp_path, "wait-go")
        os.kill(pid, signal.SIGINT)
        (tmp_path / "go").touch()
        stdout, _ = await process.communicate()
    assert stdout.endswith(b"done\n")
