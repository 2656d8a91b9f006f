from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from plugandtell.analytics.alerting import Alerting
from plugandtell.analytics.channels import LOG
from plugandtell.analytics.consumer import Delivery, Done, Failed, Later
from plugandtell.analytics.error_management import ErrorManagement
from plugandtell.analytics.flow import Flow
from plugandtell.analytics.queues import QUEUE_OF, JobState, QueueName
from plugandtell.core.call import CallOptions, CallState, Stage, StageState
from plugandtell.core.failure import Failure, FailureKind, RetryRules
from plugandtell.core.message import Attempt, failed, pending
from tests.analytics.consuming import AT
from tests.analytics.recording_channel import Recording

if TYPE_CHECKING:
    from plugandtell.core.message import Envelope

FIRST = Attempt("a", Stage.TRANSCRIPTION, 1)
FAILURE = Failure("a", Stage.TRANSCRIPTION, 1, FailureKind.TRANSIENT, "E", "no luck", "", "", "w", AT)
RULES = RetryRules(attempts=2, rounds=1, first_delay_s=60, longest_delay_s=60)
QUEUE = QUEUE_OF[Stage.TRANSCRIPTION]


@pytest.fixture
async def alerting(flow: Flow) -> Alerting:
    await flow.submit("a", "file:///a", "a", CallOptions())
    return Alerting(flow, {LOG: Recording()}, RetryRules(attempts=3, rounds=0), lambda: 0.0)


@pytest.fixture
def errors(flow: Flow, alerting: Alerting) -> ErrorManagement:
    return ErrorManagement(flow, dict.fromkeys(Stage, RULES), alerting, lambda: 0.0)


def report(attempt: Attempt, kind: FailureKind = FailureKind.TRANSIENT) -> Delivery:
    failure = replace(FAILURE, call_id=attempt.call_id, attempt=attempt.number, kind=kind)
    return as_delivery(attempt.report_id, failed(attempt, "file:///a", "test", failure))


def as_delivery(job_id: str, envelope: Envelope, starts: int = 1) -> Delivery:
    return Delivery(job_id, envelope, deaths=0, starts=starts)


async def states(flow: Flow, *jobs: tuple[QueueName, str]) -> list[JobState]:
    return await flow.queues.states(jobs)


async def test_a_failure_is_recorded_and_tried_again_on_its_queue(flow: Flow, errors: ErrorManagement) -> None:
    assert await errors.handle(report(FIRST)) == Done()
    assert list(await flow.calls.failures("a")) == [FAILURE]
    assert await states(flow, (QUEUE, FIRST.next.job_id)) == [JobState.PENDING]
    assert (await flow.queues.counts())[QUEUE]["delayed"] == 1
    assert (await flow.calls.stages("a"))[Stage.TRANSCRIPTION].state is StageState.RETRYING


async def test_a_failure_that_is_reported_twice_counts_once(flow: Flow, errors: ErrorManagement) -> None:
    await asyncio.gather(errors.handle(report(FIRST)), errors.handle(report(FIRST)))
    await errors.handle(report(FIRST))
    assert len(await flow.calls.failures("a")) == 1
    assert (await flow.queues.counts())[QUEUE]["delayed"] == 1


async def test_what_is_exhausted_waits_in_the_retry_queue_and_goes_back_when_it_is_due(
    flow: Flow, errors: ErrorManagement
) -> None:
    await errors.handle(report(FIRST))
    await errors.handle(report(FIRST.next))
    third = FIRST.next.next
    assert await states(flow, (QUEUE, third.job_id), (QueueName.RETRY, third.return_id)) == [
        JobState.UNKNOWN,
        JobState.PENDING,
    ]
    due = as_delivery(third.return_id, pending(third, "file:///a", "test", AT))
    assert await errors.handle(due) == Done()
    assert await states(flow, (QUEUE, third.job_id)) == [JobState.PENDING]


async def test_what_is_hopeless_fails_for_good_with_one_alert(flow: Flow, errors: ErrorManagement) -> None:
    for _ in range(2):
        await errors.handle(report(FIRST, FailureKind.PERMANENT))
    assert (await flow.calls.get("a")).state is CallState.FAILED
    (alert,) = await flow.calls.alerts("a")
    assert (alert.alert_id, alert.message) == ("a.transcription.1", "no luck")
    assert (await flow.queues.counts())[QueueName.ALERT]["waiting"] == 1
    assert await states(flow, (QUEUE, FIRST.next.job_id)) == [JobState.UNKNOWN]


async def test_poison_after_bad_luck_is_tried_again_and_a_second_time_is_the_last(
    flow: Flow, errors: ErrorManagement
) -> None:
    attempts = [Attempt("a", Stage.TRANSCRIPTION, number) for number in (1, 2, 3)]
    for attempt, kind in zip(attempts, (FailureKind.TRANSIENT, FailureKind.POISON, FailureKind.POISON), strict=True):
        assert (await flow.calls.get("a")).state is not CallState.FAILED
        await errors.handle(report(attempt, kind))
    assert (await flow.calls.get("a")).state is CallState.FAILED
    assert [alert.attempt for alert in await flow.calls.alerts("a")] == [3]


async def test_poison_that_a_person_forgave_no_longer_counts(flow: Flow, errors: ErrorManagement) -> None:
    attempts = [Attempt("a", Stage.TRANSCRIPTION, number) for number in (1, 2, 3, 4)]
    for attempt in attempts[:2]:
        await errors.handle(report(attempt, FailureKind.POISON))
    await flow.retry("a")
    await errors.handle(report(attempts[2], FailureKind.POISON))
    assert (await flow.calls.get("a")).state is not CallState.FAILED
    await errors.handle(report(attempts[3], FailureKind.POISON))
    assert (await flow.calls.get("a")).state is CallState.FAILED


async def test_a_report_from_before_a_person_s_retry_changes_nothing(flow: Flow, errors: ErrorManagement) -> None:
    await errors.handle(report(FIRST, FailureKind.PERMANENT))
    await flow.retry("a")
    await errors.handle(report(FIRST, FailureKind.PERMANENT))
    assert (await flow.calls.stages("a"))[Stage.TRANSCRIPTION].state is StageState.WAITING
    assert len(await flow.calls.alerts("a")) == 1
    second = FIRST.next
    assert await states(flow, (QUEUE, second.job_id)) == [JobState.PENDING]
    await errors.handle(report(second))
    assert (await flow.calls.get("a")).state is not CallState.FAILED


async def test_reports_of_a_deleted_call_are_over(errors: ErrorManagement) -> None:
    assert await errors.handle(report(replace(FIRST, call_id="gone"))) == Done()


async def test_a_report_without_its_failure_is_put_aside(errors: ErrorManagement) -> None:
    message = failed(FIRST, "file:///a", "test", FAILURE)
    without = replace(message, payload=replace(message.payload, failure=None))
    assert isinstance(await errors.handle(as_delivery("x", without)), Failed)


async def test_an_alert_goes_out_with_all_that_is_known(flow: Flow, errors: ErrorManagement) -> None:
    channel = Recording()
    alerting = Alerting(flow, {"test": channel}, RULES, lambda: 0.0)
    await errors.handle(report(FIRST, FailureKind.PERMANENT))
    job = alert_job()
    assert await alerting.handle(job) == Done()
    (facts,) = channel.sent
    assert facts["alert_id"] == "a.transcription.1"
    assert (facts["call_id"], facts["stage"], facts["kind"]) == ("a", "transcription", "permanent")
    assert (facts["message"], facts["audio_url"]) == ("no luck", "/a")
    assert await flow.calls.pending_alerts(["test"]) == []
    assert await alerting.handle(replace(job, starts=2)) == Done()
    assert len(channel.sent) == 1


async def test_an_alert_that_cannot_be_sent_is_tried_again_and_given_up_in_the_end(
    flow: Flow, errors: ErrorManagement
) -> None:
    channel = Recording(failures=3)
    alerting = Alerting(flow, {"test": channel}, RetryRules(attempts=3, rounds=0, first_delay_s=8), lambda: 0.0)
    await errors.handle(report(FIRST, FailureKind.PERMANENT))
    outcomes = [await alerting.handle(replace(alert_job(), starts=starts)) for starts in (1, 2, 3)]
    assert outcomes[:2] == [Later(4.0), Later(8.0)]
    assert isinstance(outcomes[2], Failed)
    assert await flow.calls.pending_alerts(["test"]) == []


async def test_a_pending_alert_whose_job_is_lost_is_sent_again(flow: Flow, errors: ErrorManagement) -> None:
    await errors.handle(report(FIRST, FailureKind.PERMANENT))
    alerting = Alerting(flow, {LOG: Recording(), "test": Recording()}, RULES, lambda: 0.0)
    assert await alerting.send_pending() == 1
    assert await states(flow, (QueueName.ALERT, "a.transcription.1.test")) == [JobState.PENDING]
    assert await alerting.send_pending() == 0


def alert_job() -> Delivery:
    failure = replace(FAILURE, kind=FailureKind.PERMANENT)
    return as_delivery("a.transcription.1.test", failed(FIRST, "file:///a", "test", failure))


async def test_a_channel_that_is_set_up_later_does_not_hear_of_long_ago(flow: Flow, errors: ErrorManagement) -> None:
    await errors.handle(report(FIRST, FailureKind.PERMANENT))
    later = Flow(flow.calls, flow.queues, lambda: flow.now() + timedelta(days=2))
    assert await Alerting(later, {"new": Recording()}, RULES, lambda: 0.0).send_pending() == 0
    assert await Alerting(flow, {"new": Recording()}, RULES, lambda: 0.0).send_pending() == 1
