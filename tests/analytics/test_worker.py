from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from plugandtell.analytics.consumer import Delivery, Done, Failed
from plugandtell.analytics.queues import QUEUE_OF, JobState, QueueName
from plugandtell.analytics.worker import StageWorker, WorkRules
from plugandtell.core.call import CallOptions, Stage, StageState
from plugandtell.core.errors import EngineFailed, StoreUnreachable
from plugandtell.core.failure import FailureKind
from plugandtell.core.message import Attempt, pending
from tests.analytics.consuming import AT
from tests.analytics.scripted import ScriptedRunner
from tests.support.results import RESULTS

if TYPE_CHECKING:
    from plugandtell.analytics.flow import Flow
    from plugandtell.core.failure import Failure

FIRST = Attempt("a", Stage.TRANSCRIPTION, 1)


@pytest.fixture
def runner() -> ScriptedRunner:
    return ScriptedRunner()


@pytest.fixture
async def worker(flow: Flow, runner: ScriptedRunner) -> StageWorker:
    await flow.submit("a", "file:///a", "a", CallOptions())
    return StageWorker(Stage.TRANSCRIPTION, "w", flow, runner, WorkRules(lambda _call: 60.0, deaths=2))


def delivery(attempt: Attempt = FIRST, deaths: int = 0, starts: int = 1) -> Delivery:
    return Delivery(attempt.job_id, pending(attempt, "file:///a", "test", AT), deaths, starts)


async def state(flow: Flow, queue: QueueName, job_id: str) -> JobState:
    (found,) = await flow.queues.states([(queue, job_id)])
    return found


async def report(flow: Flow, attempt: Attempt = FIRST) -> Failure | None:
    """The failure that error management is told of."""
    job = await flow.queues.peek(QueueName.RETRY, attempt.report_id)
    return None if job is None else job.payload.failure


async def test_a_result_is_kept_and_the_next_stage_begins(
    flow: Flow, worker: StageWorker, runner: ScriptedRunner
) -> None:
    assert await worker.handle(delivery()) == Done()
    assert await flow.calls.results("a") == {Stage.TRANSCRIPTION: RESULTS[Stage.TRANSCRIPTION]}
    assert await state(flow, QUEUE_OF[Stage.FEATURES], "a.features.1") is JobState.PENDING
    assert await state(flow, QUEUE_OF[Stage.SENTIMENT], "a.sentiment.1") is JobState.UNKNOWN


async def test_a_job_that_is_delivered_twice_at_once_has_one_result(
    flow: Flow, worker: StageWorker, runner: ScriptedRunner
) -> None:
    both = asyncio.Barrier(2)

    async def meet() -> None:
        await both.wait()

    runner.plan("a", Stage.TRANSCRIPTION, meet, meet)
    outcomes = await asyncio.gather(worker.handle(delivery()), worker.handle(delivery()))
    assert set(outcomes) == {Done()}
    done = [change for change in await flow.calls.changes_since(0, "a") if change.state is StageState.DONE]
    assert len(done) == 1
    assert (await flow.queues.counts())[QUEUE_OF[Stage.FEATURES]]["waiting"] == 1


async def test_a_job_that_comes_again_after_its_result_only_sends_the_call_on(
    flow: Flow, worker: StageWorker, runner: ScriptedRunner
) -> None:
    await flow.calls.keep_result("a", Stage.TRANSCRIPTION, RESULTS[Stage.TRANSCRIPTION], AT)
    assert await worker.handle(delivery(starts=2)) == Done()
    assert not runner.ran
    assert await state(flow, QUEUE_OF[Stage.FEATURES], "a.features.1") is JobState.PENDING


async def test_a_failure_is_reported_and_seen_in_the_queue(
    flow: Flow, worker: StageWorker, runner: ScriptedRunner
) -> None:
    error = EngineFailed("test", "bad luck")
    error.add_note("said by the engine")
    runner.plan("a", Stage.TRANSCRIPTION, error)
    assert await worker.handle(delivery()) == Failed("test failed: bad luck")
    failure = await report(flow)
    assert failure is not None
    assert (failure.attempt, failure.kind, failure.error) == (1, FailureKind.TRANSIENT, "EngineFailed")
    assert (failure.worker, failure.details) == ("w", "said by the engine")


async def test_an_attempt_whose_failure_was_reported_is_not_made_again(
    flow: Flow, worker: StageWorker, runner: ScriptedRunner
) -> None:
    runner.plan("a", Stage.TRANSCRIPTION, EngineFailed("test", "bad luck"))
    await worker.handle(delivery())
    assert await worker.handle(delivery(starts=2)) == Done()
    assert runner.ran["a", Stage.TRANSCRIPTION] == 1


async def test_an_attempt_whose_failure_is_on_record_is_not_made_again(
    flow: Flow, worker: StageWorker, runner: ScriptedRunner
) -> None:
    runner.plan("a", Stage.TRANSCRIPTION, EngineFailed("test", "bad luck"))
    await worker.handle(delivery())
    failure = await report(flow)
    assert failure is not None
    await flow.calls.note_failure(failure)
    assert await worker.handle(delivery()) == Done()
    assert runner.ran["a", Stage.TRANSCRIPTION] == 1
    await worker.handle(delivery(FIRST.next))
    assert runner.ran["a", Stage.TRANSCRIPTION] == 2


async def test_a_job_that_killed_its_workers_is_not_begun_again(
    flow: Flow, worker: StageWorker, runner: ScriptedRunner
) -> None:
    assert await worker.handle(delivery(deaths=2, starts=3)) == Done()
    assert runner.ran["a", Stage.TRANSCRIPTION] == 1
    await flow.submit("b", "file:///b", "b", CallOptions())
    attempt = replace(FIRST, call_id="b")
    outcome = await worker.handle(delivery(attempt, deaths=3, starts=4))
    assert isinstance(outcome, Failed)
    assert "3 workers died" in outcome.why
    failure = await report(flow, attempt)
    assert failure is not None
    assert failure.kind is FailureKind.POISON
    assert not runner.ran["b", Stage.TRANSCRIPTION]


async def test_the_jobs_of_a_deleted_call_are_over(worker: StageWorker, runner: ScriptedRunner) -> None:
    assert await worker.handle(delivery(Attempt("gone", Stage.TRANSCRIPTION, 1))) == Done()
    assert not runner.ran


async def test_a_message_in_the_wrong_queue_is_put_aside(worker: StageWorker, runner: ScriptedRunner) -> None:
    outcome = await worker.handle(delivery(Attempt("a", Stage.INTENT, 1)))
    assert isinstance(outcome, Failed)
    assert not runner.ran


async def test_a_pool_that_does_not_end_what_is_over_time_is_not_waited_for(flow: Flow, runner: ScriptedRunner) -> None:
    async def hang() -> None:
        await asyncio.Event().wait()

    runner.plan("a", Stage.TRANSCRIPTION, hang)
    await flow.submit("a", "file:///a", "a", CallOptions())
    rules = WorkRules(lambda _call: 0.01, overtime_s=0.01)
    worker = StageWorker(Stage.TRANSCRIPTION, "w", flow, runner, rules)
    assert isinstance(await worker.handle(delivery()), Failed)
    failure = await report(flow)
    assert failure is not None
    assert (failure.kind, failure.error) == (FailureKind.POISON, "StageTimedOut")


async def test_what_a_service_cannot_reach_is_its_failure_and_not_the_store_s(
    flow: Flow, worker: StageWorker, runner: ScriptedRunner
) -> None:
    runner.plan("a", Stage.TRANSCRIPTION, StoreUnreachable("audio store", "s3://x", "refused"))
    assert isinstance(await worker.handle(delivery()), Failed)


async def test_a_failed_stage_stays_failed_whatever_comes_late(flow: Flow, worker: StageWorker) -> None:
    await flow.calls.mark_failed("a", Stage.TRANSCRIPTION, AT)
    assert await worker.handle(delivery()) == Done()
    assert await flow.calls.results("a") == {}
