from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from plugandtell.analytics.database import StoredCalls
from plugandtell.analytics.flow import Flow
from plugandtell.analytics.settings import ServiceName
from plugandtell.core.call import CallOptions, CallState, Stage
from plugandtell.core.errors import ChildCrashed, EngineFailed, InputNotAudio, StageTimedOut
from plugandtell.core.failure import FailureKind
from tests.analytics.scripted import QUICK, ScriptedRunner, ended, running
from tests.support.results import RESULTS

if TYPE_CHECKING:
    from datetime import datetime


async def test_a_call_goes_through_all_stages(flow: Flow) -> None:
    runner = ScriptedRunner()
    async with running(flow, runner):
        assert await flow.submit("a", "file:///a.wav", "a.wav", CallOptions())
        assert await ended(flow, "a") is CallState.COMPLETE
    assert await flow.calls.results("a") == RESULTS
    assert runner.ran == {("a", stage): 1 for stage in Stage}
    assert await flow.calls.failures() == []


async def test_a_call_that_is_submitted_twice_is_done_once(flow: Flow) -> None:
    runner = ScriptedRunner()
    async with running(flow, runner):
        first, second = await asyncio.gather(*(flow.submit("a", "file:///a", "a", CallOptions()) for _ in range(2)))
        assert {first, second} == {True, False}
        await ended(flow, "a")
        assert not await flow.submit("a", "file:///a", "a", CallOptions())
    assert runner.ran == {("a", stage): 1 for stage in Stage}


async def test_sentiment_and_intent_run_at_the_same_time(flow: Flow) -> None:
    both = asyncio.Barrier(2)

    async def meet() -> None:
        await both.wait()

    runner = ScriptedRunner()
    runner.plan("a", Stage.SENTIMENT, meet)
    runner.plan("a", Stage.INTENT, meet)
    async with running(flow, runner):
        await flow.submit("a", "file:///a", "a", CallOptions())
        assert await ended(flow, "a") is CallState.COMPLETE


@pytest.mark.parametrize("stage", Stage)
async def test_a_stage_that_fails_once_is_tried_again(flow: Flow, stage: Stage) -> None:
    runner = ScriptedRunner()
    runner.plan("a", stage, EngineFailed("test", "bad luck"))
    async with running(flow, runner):
        await flow.submit("a", "file:///a", "a", CallOptions())
        assert await ended(flow, "a") is CallState.COMPLETE
    (failure,) = await flow.calls.failures("a")
    assert (failure.stage, failure.attempt, failure.kind) == (stage, 1, FailureKind.TRANSIENT)
    assert failure.message == "test failed: bad luck"
    assert "EngineFailed" in failure.traceback
    assert await flow.calls.results("a") == RESULTS


async def test_what_fails_for_ever_ends_after_all_attempts_with_one_alert(flow: Flow) -> None:
    runner = ScriptedRunner()
    runner.plan("a", Stage.FEATURES, *[EngineFailed("test", "bad luck")] * 99)
    async with running(flow, runner):
        await flow.submit("a", "file:///a", "a", CallOptions())
        assert await ended(flow, "a") is CallState.FAILED
    attempts = [failure.attempt for failure in await flow.calls.failures("a")]
    assert attempts == list(range(1, QUICK.attempts + QUICK.rounds + 1))
    assert runner.ran["a", Stage.FEATURES] == QUICK.attempts + QUICK.rounds
    (alert,) = await flow.calls.alerts("a")
    assert (alert.stage, alert.message) == (Stage.FEATURES, "test failed: bad luck")


@pytest.mark.parametrize(
    ("error", "attempts"),
    [
        (InputNotAudio("a.txt", "no known format"), 1),
        (ChildCrashed("transcription", "signal 11"), QUICK.poison_attempts),
        (StageTimedOut("transcription", 1.0), QUICK.poison_attempts),
        (ZeroDivisionError("a bug"), QUICK.attempts + QUICK.rounds),
    ],
)
async def test_how_often_a_failure_is_tried_depends_on_its_kind(flow: Flow, error: Exception, attempts: int) -> None:
    runner = ScriptedRunner()
    runner.plan("a", Stage.TRANSCRIPTION, *[error] * 99)
    async with running(flow, runner):
        await flow.submit("a", "file:///a", "a", CallOptions())
        assert await ended(flow, "a") is CallState.FAILED
    assert len(await flow.calls.failures("a")) == runner.ran["a", Stage.TRANSCRIPTION] == attempts
    assert len(await flow.calls.alerts("a")) == 1


async def test_a_person_s_retry_begins_at_the_stage_that_failed(flow: Flow) -> None:
    runner = ScriptedRunner()
    runner.plan("a", Stage.INTENT, InputNotAudio("a", "odd"))
    async with running(flow, runner):
        await flow.submit("a", "file:///a", "a", CallOptions())
        assert await ended(flow, "a") is CallState.FAILED
        assert await flow.retry("a") == [Stage.INTENT]
        assert await ended(flow, "a") is CallState.COMPLETE
    assert runner.ran["a", Stage.TRANSCRIPTION] == 1
    assert runner.ran["a", Stage.INTENT] == 2
    assert len(await flow.calls.failures("a")) == 1


async def test_the_error_service_may_be_down_for_a_while(flow: Flow) -> None:
    runner = ScriptedRunner()
    failed = asyncio.Event()

    async def fail() -> None:
        failed.set()
        raise EngineFailed("test", "bad luck")

    runner.plan("a", Stage.TRANSCRIPTION, fail)
    async with running(flow, runner, [name for name in ServiceName if name is not ServiceName.ERRORS]):
        await flow.submit("a", "file:///a", "a", CallOptions())
        await failed.wait()
        async with running(flow, runner, [ServiceName.ERRORS]):
            assert await ended(flow, "a") is CallState.COMPLETE
    assert len(await flow.calls.failures("a")) == 1


async def test_a_worker_stops_though_a_store_s_client_loses_a_cancellation(flow: Flow) -> None:
    sweeping = asyncio.Event()

    class Deaf(StoredCalls):
        async def unfinished(self, before: datetime, after: str = "", limit: int = 1000) -> list[Any]:
            sweeping.set()
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(0.2)
            return await super().unfinished(before, after, limit)

    assert isinstance(flow.calls, StoredCalls)
    deaf = Flow(Deaf(flow.calls._database), flow.queues, flow.now)
    async with asyncio.timeout(20), running(deaf, ScriptedRunner(), [ServiceName.ERRORS]):
        await sweeping.wait()
