"""Where a call stands, from its first stage to its end."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from plugandtell.analytics.calls import StageRecord
from plugandtell.core.call import CallState, Stage, StageState
from plugandtell.core.transcript import Transcript
from tests.analytics.database.moments import NOON, add, after, failure, keep
from tests.support.results import ENGINE, RESULTS

if TYPE_CHECKING:
    from plugandtell.analytics.database import StoredCalls

T, F, S, I = Stage  # noqa: E741
OTHER = Transcript(1, (), None, (), ENGINE)


async def state_of(calls: StoredCalls, stage: Stage) -> StageState:
    return (await calls.stage_states("7f"))[stage]


async def test_a_new_call_waits_in_every_stage(calls: StoredCalls) -> None:
    await add(calls, "7f")
    assert await calls.stage_states("7f") == dict.fromkeys(Stage, StageState.WAITING)
    assert (await calls.stages("7f"))[F] == StageRecord(changed_at=NOON)


async def test_who_begins_is_on_record(calls: StoredCalls) -> None:
    await add(calls, "7f")
    await calls.begin("7f", T, 1, "host-1", after(1))
    await calls.begin("7f", T, 2, "host-2", after(2))  # the first one died
    stage = (await calls.stages("7f"))[T]
    assert (stage.state, stage.attempt, stage.worker, stage.began_at) == (StageState.RUNNING, 2, "host-2", after(2))
    assert (await calls.get("7f")).state is CallState.RUNNING


@pytest.mark.parametrize("stage", Stage)
async def test_a_result_is_read_back_as_it_was_kept(calls: StoredCalls, stage: Stage) -> None:
    await add(calls, "7f")
    await keep(calls, "7f", stage)
    assert await calls.results("7f") == {stage: RESULTS[stage]}
    assert await state_of(calls, stage) is StageState.DONE


async def test_the_first_result_counts(calls: StoredCalls) -> None:
    await add(calls, "7f")
    await keep(calls, "7f", T)
    known = await calls.get("7f")
    assert not await calls.keep_result("7f", T, OTHER, after(99))
    assert (await calls.results("7f"))[T] == RESULTS[T]
    assert await calls.get("7f") == known


async def test_of_many_that_keep_a_result_at_once_one_does(calls: StoredCalls) -> None:
    await add(calls, "7f")
    kept = await asyncio.gather(*(calls.keep_result("7f", T, RESULTS[T], NOON) for _ in range(8)))
    assert sorted(kept) == [False] * 7 + [True]


async def test_the_call_is_complete_with_its_last_result(calls: StoredCalls) -> None:
    await add(calls, "7f")
    await keep(calls, "7f", T, F, I)
    assert (await calls.get("7f")).ended_at is None
    assert await calls.settle("7f", after(70)) is CallState.RUNNING
    await calls.keep_result("7f", S, RESULTS[S], after(80))
    call = await calls.get("7f")
    assert (call.state, call.ended_at) == (CallState.COMPLETE, after(80))
    assert await calls.settle("7f", after(90)) is CallState.COMPLETE
    assert await calls.get("7f") == call


async def test_the_last_two_results_at_once_make_the_call_complete(calls: StoredCalls) -> None:
    await add(calls, "7f")
    await keep(calls, "7f", T, F)
    await asyncio.gather(*(calls.keep_result("7f", stage, RESULTS[stage], NOON) for stage in (S, I)))
    assert (await calls.get("7f")).state is CallState.COMPLETE


async def test_nothing_leads_out_of_a_stage_that_is_done(calls: StoredCalls) -> None:
    await add(calls, "7f")
    await keep(calls, "7f", T)
    known = await calls.stages("7f")
    await calls.begin("7f", T, 2, "host-1", NOON)
    await calls.mark_retrying("7f", T, NOON)
    await calls.mark_failed("7f", T, NOON)
    assert await calls.stages("7f") == known
    assert await state_of(calls, T) is StageState.DONE


async def test_a_stage_that_failed_for_good_takes_no_late_result(calls: StoredCalls) -> None:
    await add(calls, "7f")
    await calls.mark_failed("7f", T, after(5))
    await calls.mark_failed("7f", T, after(6))
    await calls.begin("7f", T, 2, "host-1", NOON)
    await calls.mark_retrying("7f", T, NOON)
    assert not await calls.keep_result("7f", T, RESULTS[T], NOON)
    call = await calls.get("7f")
    assert (call.state, call.ended_at) == (CallState.FAILED, after(5))
    assert await calls.results("7f") == {}
    assert await state_of(calls, T) is StageState.FAILED


async def test_a_stage_that_is_retried_runs_again(calls: StoredCalls) -> None:
    await add(calls, "7f")
    await calls.begin("7f", T, 1, "host-1", NOON)
    await calls.mark_retrying("7f", T, after(1))
    await calls.mark_retrying("7f", T, after(2))
    stage = (await calls.stages("7f"))[T]
    assert (stage.state, stage.changed_at) == (StageState.RETRYING, after(1))
    await calls.begin("7f", T, 2, "host-1", after(3))
    assert await state_of(calls, T) is StageState.RUNNING


async def test_a_persons_retry_begins_at_the_failed_stage(calls: StoredCalls) -> None:
    await add(calls, "7f")
    await keep(calls, "7f", T, F, I)
    for attempt in (1, 2):
        await calls.note_failure(failure("7f", S, attempt))
    await calls.mark_failed("7f", S, NOON)
    assert await calls.reset("7f", after(99)) == [S]
    assert await calls.reset("7f", after(100)) == []
    call = await calls.get("7f")
    assert (call.state, call.ended_at) == (CallState.RUNNING, None)
    stage = (await calls.stages("7f"))[S]
    assert (stage.state, stage.failed, stage.forgiven, stage.next_attempt) == (StageState.WAITING, 2, 2, 3)
    await keep(calls, "7f", S)
    assert (await calls.get("7f")).state is CallState.COMPLETE


async def test_a_call_without_failed_stages_has_nothing_to_retry(calls: StoredCalls) -> None:
    await add(calls, "7f")
    await calls.note_failure(failure("7f"))
    known = await calls.stages("7f")
    assert await calls.reset("7f", NOON) == []
    assert await calls.stages("7f") == known


async def test_the_sweep_sees_calls_without_an_end(calls: StoredCalls) -> None:
    await add(calls, "c", "b", "d", "done", "failed", "young")
    await keep(calls, "done", *Stage)
    await calls.mark_failed("failed", T, NOON)
    await calls.begin("b", T, 1, "host-1", after(10))
    owed = await calls.unfinished(before=after(5))
    assert [call.call_id for call, _ in owed] == ["b", "c", "d"]
    assert owed[0][1] == await calls.stages("b")
    first = await calls.unfinished(after(5), "", 2)
    rest = await calls.unfinished(after(5), first[-1][0].call_id, 2)
    assert first + rest == owed


async def test_a_call_that_is_retried_is_without_an_end_again(calls: StoredCalls) -> None:
    await add(calls, "7f")
    await calls.mark_failed("7f", T, NOON)
    assert await calls.unfinished(after(5)) == []
    await calls.reset("7f", NOON)
    assert len(await calls.unfinished(after(5))) == 1


async def test_the_sweep_sees_nothing_where_nothing_is_owed(calls: StoredCalls) -> None:
    assert await calls.unfinished(after(30)) == []


async def test_a_time_must_say_where_it_holds(calls: StoredCalls) -> None:
    await add(calls, "7f")
    with pytest.raises(Exception, match="no offset from UTC"):
        await calls.mark_failed("7f", T, NOON.replace(tzinfo=None))
    assert await state_of(calls, T) is StageState.WAITING
