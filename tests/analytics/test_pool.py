from __future__ import annotations

import asyncio
import os
import signal
import traceback
from typing import TYPE_CHECKING

import pytest

from plugandtell.analytics.child_process import ChildLimits
from plugandtell.analytics.pool import Pool, PoolSettings
from plugandtell.analytics.service import CallInput
from plugandtell.core.call import Stage
from plugandtell.core.errors import (
    ChildCrashed,
    EngineFailed,
    EngineUnavailable,
    FolderUnusable,
    InputEmpty,
    StageTimedOut,
)
from plugandtell.core.findings import Intent
from tests.support.services import Obedient
from tests.support.watching import ended, until

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

SOON_S = 60.0  # no time limit that a test reaches


def pool_of(folder: Path, made: str = "ok", settings: PoolSettings | None = None) -> Pool:
    return Pool(Obedient(folder, made), settings or PoolSettings(), folder / "data")


async def pid_of(pool: Pool, deed: str = "ok", limit_s: float = SOON_S) -> int:
    """Have a call worked on; returns the process that did it."""
    result = await pool.run(Stage.INTENT, CallInput(deed, "file:///a.wav"), limit_s)
    assert isinstance(result, Intent)
    return int(result.sentence or 0)


async def began(folder: Path, deed: str) -> int:
    """Wait until a call is being worked on; returns the process that does it."""
    return int(await until((folder / f"began-{deed}").read_text))


def made(folder: Path) -> Sequence[str]:
    """The services that were made, one after another."""
    return (folder / "made").read_text().split()


async def test_a_child_makes_its_service_once_and_does_many_calls(tmp_path: Path) -> None:
    async with pool_of(tmp_path) as pool:
        pids = {await pid_of(pool) for _ in range(5)}
    assert len(pids) == 1
    assert pids != {os.getpid()}
    assert made(tmp_path) == ["intent"]
    assert await ended(*pids)


async def test_each_stage_has_children_of_its_own(tmp_path: Path) -> None:
    async with pool_of(tmp_path) as pool:
        await pool.warm(Stage.FEATURES)
        await pid_of(pool)
        await pool.warm(Stage.FEATURES)
    assert made(tmp_path) == ["features", "intent"]


async def test_many_calls_at_once_share_the_children_there_may_be(tmp_path: Path) -> None:
    async with pool_of(tmp_path, settings=PoolSettings(children=3)) as pool:
        pids = await asyncio.gather(*(pid_of(pool, f"ok-{number}") for number in range(60)))
    assert len(set(pids)) == len(made(tmp_path)) <= 3


async def test_an_error_of_ours_arrives_as_it_was_raised(tmp_path: Path) -> None:
    async with pool_of(tmp_path) as pool:
        with pytest.raises(InputEmpty) as caught:
            await pid_of(pool, "refuse-a.wav")
        assert caught.value.args == ("a.wav", "not one sample")
        assert "services.py" in "".join(traceback.format_exception(caught.value))
        await pid_of(pool)
    assert made(tmp_path) == ["intent"]


@pytest.mark.parametrize(("deed", "said"), [("fail-x", "KeyError: 'x'"), ("quit-3", "SystemExit: 3")])
async def test_what_nobody_expected_is_an_engine_that_failed_and_a_new_child(
    tmp_path: Path, deed: str, said: str
) -> None:
    async with pool_of(tmp_path) as pool:
        with pytest.raises(EngineFailed, match=said) as caught:
            await pid_of(pool, deed)
        assert "services.py" in "".join(traceback.format_exception(caught.value))
        await pid_of(pool)
    assert len(made(tmp_path)) == 2


@pytest.mark.parametrize(
    ("deed", "said"),
    [("crash", "signal 11, SIGSEGV"), ("exit-3", "exit code 3"), ("exit-0", "exit code 0")],
)
async def test_a_crash_costs_the_call_and_not_the_pool(tmp_path: Path, deed: str, said: str) -> None:
    async with pool_of(tmp_path) as pool:
        with pytest.raises(ChildCrashed, match=said) as caught:
            await pid_of(pool, deed)
        assert f"intent of call {deed}" in str(caught.value)
        if deed == "crash":
            assert "services.py" in "\n".join(caught.value.__notes__)
        await pid_of(pool)


async def test_what_a_crashed_child_started_goes_with_it(tmp_path: Path) -> None:
    async with pool_of(tmp_path) as pool:
        with pytest.raises(ChildCrashed, match="exit code 3"):
            await pid_of(pool, "orphan")
        assert await ended(int((tmp_path / "grandchild").read_text()))


async def test_a_child_that_cannot_end_by_itself_gets_no_other_call(tmp_path: Path) -> None:
    async with pool_of(tmp_path) as pool:
        with pytest.raises(EngineFailed, match="KeyError"):
            await pid_of(pool, "linger-x")
        await pid_of(pool, limit_s=20)


async def test_a_length_that_is_none_is_an_answer_that_cannot_be_read(tmp_path: Path) -> None:
    async with pool_of(tmp_path) as pool:
        with pytest.raises(EngineFailed, match="cannot be read"):
            await pid_of(pool, "length-mad")
        await pid_of(pool, f"length-{10**200}")


async def test_a_child_that_the_system_kills_is_said_to_be(tmp_path: Path) -> None:
    async with pool_of(tmp_path) as pool:
        running = asyncio.create_task(pid_of(pool, "hang"))
        os.kill(await began(tmp_path, "hang"), signal.SIGKILL)
        with pytest.raises(ChildCrashed, match="want of memory"):
            await running


@pytest.mark.parametrize("deed", ["hang", "freeze"])
async def test_what_takes_too_long_is_killed(tmp_path: Path, deed: str) -> None:
    async with pool_of(tmp_path) as pool:
        await pool.warm(Stage.INTENT)
        with pytest.raises(StageTimedOut, match=rf"intent of call {deed}.*\b1 s"):
            await pid_of(pool, deed, limit_s=1)
        assert await ended(await began(tmp_path, deed))
        await pid_of(pool)


async def test_the_limit_grows_with_the_length_that_a_service_tells(tmp_path: Path) -> None:
    async with pool_of(tmp_path, settings=PoolSettings(per_audio_s={Stage.INTENT: 0.01})) as pool:
        await pool.warm(Stage.INTENT)
        await pid_of(pool, "length-3000000", limit_s=0.6)
        with pytest.raises(StageTimedOut, match=r"0\.61 s"):
            await pid_of(pool, "length-1000", limit_s=0.6)


async def test_cancelling_ends_the_work_and_leaves_the_pool_usable(tmp_path: Path) -> None:
    async with pool_of(tmp_path) as pool:
        running = asyncio.create_task(pid_of(pool, "hang"))
        pid = await began(tmp_path, "hang")
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert await ended(pid)
        assert await pid_of(pool) != pid


async def test_cancelling_who_waits_for_a_child_costs_nobody_anything(tmp_path: Path) -> None:
    async with pool_of(tmp_path) as pool:
        first = asyncio.create_task(pid_of(pool, "wait-go"))
        await began(tmp_path, "wait-go")
        second = asyncio.create_task(pid_of(pool, "ok-2"))
        third = asyncio.create_task(pid_of(pool, "ok-3"))
        await asyncio.sleep(0)
        second.cancel()
        (tmp_path / "go").touch()
        assert await first == await third
    assert not (tmp_path / "began-ok-2").exists()


async def test_cancelling_while_a_service_is_being_made_ends_the_child(tmp_path: Path) -> None:
    async with pool_of(tmp_path, "hang") as pool:
        running = asyncio.create_task(pid_of(pool))
        await until(lambda: made(tmp_path))
        (pid,) = [child.pid for child in pool._busy]
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert await ended(pid)


async def test_a_service_that_cannot_be_made_says_so_to_each_caller(tmp_path: Path) -> None:
    async with pool_of(tmp_path, "unavailable") as pool:
        for _ in range(2):
            with pytest.raises(EngineUnavailable, match="no model"):
                await pid_of(pool)
    assert len(made(tmp_path)) == 2  # one try a caller, and no loop


async def test_what_can_never_be_made_here_is_known_before_a_call_comes(tmp_path: Path) -> None:
    async with pool_of(tmp_path, "unavailable") as pool:
        with pytest.raises(EngineUnavailable, match="no model"):
            await pool.warm_all(Stage)
    assert sorted(made(tmp_path)) == sorted(Stage)


async def test_what_cannot_be_made_now_is_left_to_the_first_call(tmp_path: Path) -> None:
    async with pool_of(tmp_path, "fail-x") as pool:
        await pool.warm_all([Stage.INTENT, Stage.FEATURES])
        with pytest.raises(EngineFailed):
            await pid_of(pool)


@pytest.mark.parametrize(
    ("deed", "start_s", "kind", "said"),
    [
        ("crash", SOON_S, ChildCrashed, "intent (starting)"),
        ("fail-x", SOON_S, EngineFailed, "KeyError"),
        ("hang", 0.5, StageTimedOut, "intent (starting)"),
    ],
)
async def test_a_service_that_dies_while_it_is_made_is_told_from_one_that_dies_of_a_call(
    tmp_path: Path, deed: str, start_s: float, kind: type[Exception], said: str
) -> None:
    async with pool_of(tmp_path, deed, PoolSettings(limits=ChildLimits(start_s=start_s))) as pool:
        with pytest.raises(kind) as caught:
            await pid_of(pool)
    assert said in str(caught.value)


async def test_what_cannot_be_taken_to_a_child_is_an_error_of_the_caller(tmp_path: Path) -> None:
    async with Pool(lambda _: None, PoolSettings(), tmp_path) as pool:  # type: ignore[arg-type, return-value]
        with pytest.raises(Exception, match="lambda"):
            await pid_of(pool)


async def test_a_child_that_died_while_it_waited_costs_no_call(tmp_path: Path) -> None:
    async with pool_of(tmp_path) as pool:
        pid = await pid_of(pool)
        os.kill(pid, signal.SIGKILL)
        assert await pid_of(pool) != pid


async def test_a_child_gives_way_to_a_new_one_after_so_many_calls(tmp_path: Path) -> None:
    async with pool_of(tmp_path, settings=PoolSettings(limits=ChildLimits(max_jobs=2))) as pool:
        pids = [await pid_of(pool) for _ in range(5)]
    assert [pids.count(pid) for pid in dict.fromkeys(pids)] == [2, 2, 1]


async def test_a_child_that_has_grown_gives_way_to_a_new_one(tmp_path: Path) -> None:
    async with pool_of(tmp_path, settings=PoolSettings(limits=ChildLimits(max_mb=150))) as pool:
        pids = [await pid_of(pool, "grow-50") for _ in range(4)]
    assert 1 < len(set(pids)) < 4


async def test_a_call_that_takes_all_memory_is_killed(tmp_path: Path) -> None:
    async with pool_of(tmp_path, settings=PoolSettings(limits=ChildLimits(max_mb=100, kill_mb=200))) as pool:
        with pytest.raises(ChildCrashed, match="more than 200 MB of memory"):
            await pid_of(pool, "eat-300")


async def test_a_child_without_a_job_is_ended_after_a_while(tmp_path: Path) -> None:
    async with pool_of(tmp_path, settings=PoolSettings(idle_s=0.05)) as pool:
        assert await ended(await pid_of(pool))
        await pid_of(pool)


async def test_what_children_print_goes_nowhere_where_it_could_do_harm(tmp_path: Path) -> None:
    async with pool_of(tmp_path) as pool:
        assert await pid_of(pool, "say-hello") == await pid_of(pool)


async def test_temporary_files_go_with_the_child_that_made_them(tmp_path: Path) -> None:
    async with pool_of(tmp_path) as pool:
        await pid_of(pool, "leave-1")
        (left,) = (tmp_path / "data").rglob("left-1")
        with pytest.raises(ChildCrashed):
            await pid_of(pool, "crash")
        await until(lambda: not left.exists())
        await pid_of(pool, "leave-2")
    assert not list((tmp_path / "data").rglob("left-*"))


async def test_closing_ends_what_runs_and_what_waits_as_worth_another_try(tmp_path: Path) -> None:
    pool = await pool_of(tmp_path).__aenter__()
    running, waiting = (asyncio.create_task(pid_of(pool, deed)) for deed in ("hang", "ok"))
    pid = await began(tmp_path, "hang")
    await pool.close()
    await pool.close()
    assert await ended(pid)
    for task in (running, waiting):
        with pytest.raises(EngineFailed, match="being stopped"):
            await task


async def test_a_folder_that_cannot_be_made_is_said_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    with pytest.raises(FolderUnusable, match="--data-dir"):
        await pool_of(tmp_path).__aenter__()
