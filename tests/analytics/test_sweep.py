from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from plugandtell.analytics.alerting import Alerting
from plugandtell.analytics.error_management import ErrorManagement
from plugandtell.analytics.queues import QUEUE_OF, JobState, QueueName
from plugandtell.analytics.sweep import Sweep, Swept
from plugandtell.core.call import CallOptions, CallState, Stage
from plugandtell.core.failure import Failure, FailureKind, RetryRules
from plugandtell.core.message import Attempt
from tests.analytics.consuming import AT
from tests.support.results import RESULTS

if TYPE_CHECKING:
    from plugandtell.analytics.flow import Flow

FIRST = Attempt("a", Stage.TRANSCRIPTION, 1)
QUEUE = QUEUE_OF[Stage.TRANSCRIPTION]
RULES = RetryRules(attempts=2, rounds=1, first_delay_s=60, longest_delay_s=60)


@pytest.fixture
def sweep(flow: Flow) -> Sweep:
    alerting = Alerting(flow, {}, RULES, lambda: 0.0)
    return Sweep(flow, ErrorManagement(flow, dict.fromkeys(Stage, RULES), alerting, lambda: 0.0), quiet_s=0.0)


async def enter(flow: Flow) -> None:
    """As far as a process comes that dies in the middle of a submission."""
    await flow.calls.add("a", "file:///a", "a", CallOptions(), AT)


def failure(number: int, kind: FailureKind = FailureKind.TRANSIENT) -> Failure:
    return Failure("a", Stage.TRANSCRIPTION, number, kind, "E", "no luck", "", "", "w", AT)


async def is_pending(flow: Flow, queue: QueueName, job_id: str) -> bool:
    return await flow.queues.states([(queue, job_id)]) == [JobState.PENDING]


async def test_a_call_that_never_reached_its_queue_is_sent_off(flow: Flow, sweep: Sweep) -> None:
    await enter(flow)
    assert await sweep.run() == Swept(calls=1, attempts=1)
    assert await is_pending(flow, QUEUE, FIRST.job_id)


async def test_what_a_queue_holds_is_left_alone(flow: Flow, sweep: Sweep) -> None:
    await enter(flow)
    await flow.forward("a", "test")
    assert await sweep.run() == Swept(calls=1, attempts=0)


async def test_a_stage_that_was_not_sent_on_begins(flow: Flow, sweep: Sweep) -> None:
    await enter(flow)
    for stage in (Stage.TRANSCRIPTION, Stage.FEATURES):
        await flow.calls.keep_result("a", stage, RESULTS[stage], AT)
    assert (await sweep.run()).attempts == 2
    assert await is_pending(flow, QueueName.SENTIMENT, "a.sentiment.1")
    assert await is_pending(flow, QueueName.INTENT, "a.intent.1")


async def test_a_failure_that_nobody_has_read_of_yet_is_left_to_error_management(flow: Flow, sweep: Sweep) -> None:
    await enter(flow)
    await flow.report(FIRST, "file:///a", failure(1))
    assert (await sweep.run()).attempts == 0


async def test_a_failure_that_error_management_is_busy_with_is_left_to_it(flow: Flow, sweep: Sweep) -> None:
    await enter(flow)
    await flow.report(FIRST, "file:///a", failure(1))
    await flow.calls.note_failure(failure(1))
    assert (await sweep.run()).attempts == 0


@pytest.mark.parametrize(
    ("number", "queue", "job_id"),
    [(1, QUEUE, "a.transcription.2"), (2, QueueName.RETRY, "a.transcription.3.again")],
)
async def test_what_a_failure_should_have_led_to_is_made_up_for(
    flow: Flow, sweep: Sweep, number: int, queue: QueueName, job_id: str
) -> None:
    await enter(flow)
    await flow.calls.note_failure(failure(number))
    assert (await sweep.run()).attempts == 1
    assert await is_pending(flow, queue, job_id)
    assert (await sweep.run()).attempts == 0


async def test_a_last_failure_whose_alert_was_lost_ends_the_call(flow: Flow, sweep: Sweep) -> None:
    await enter(flow)
    await flow.calls.note_failure(failure(1, FailureKind.PERMANENT))
    await sweep.run()
    assert (await flow.calls.get("a")).state is CallState.FAILED
    assert len(await flow.calls.alerts("a")) == 1
    assert await sweep.run() == Swept(calls=0, attempts=0)


async def test_a_job_that_is_over_without_an_outcome_is_added_anew(flow: Flow, sweep: Sweep) -> None:
    await enter(flow)
    await flow.forward("a", "test")
    client = flow.queues._client
    await client.hset(f"{flow.queues.prefix}:{QUEUE.value}:{FIRST.job_id}", "finishedOn", "1")
    assert (await sweep.run()).attempts == 1
    assert await is_pending(flow, QUEUE, FIRST.job_id)


async def test_a_person_s_retry_that_got_lost_is_made_up_for(flow: Flow, sweep: Sweep) -> None:
    await enter(flow)
    await flow.calls.note_failure(failure(1, FailureKind.PERMANENT))
    await sweep.run()
    await flow.calls.reset("a", AT)
    assert (await sweep.run()).attempts == 1
    assert await is_pending(flow, QUEUE, "a.transcription.2")


async def test_a_store_that_forgot_everything_is_told_again(flow: Flow, sweep: Sweep) -> None:
    for number in range(3):
        await flow.submit(f"c{number}", "file:///a", "a", CallOptions())
    for number in range(3):
        await flow.queues.forget(QUEUE, f"c{number}.transcription.1")
    assert await sweep.run() == Swept(calls=3, attempts=3)
