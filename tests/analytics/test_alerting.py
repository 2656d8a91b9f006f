"""One alert, one channel: who sends it, how often, and what it tells."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from plugandtell.analytics.alerting import Alerting
from plugandtell.analytics.calls import Alert
from plugandtell.analytics.consumer import Delivery, Done, Failed, Later
from plugandtell.analytics.database import StoredCalls
from plugandtell.analytics.flow import Flow
from plugandtell.core.call import CallOptions, Stage
from plugandtell.core.failure import Failure, FailureKind, RetryRules
from plugandtell.core.message import Attempt, failed
from tests.analytics.consuming import AT
from tests.analytics.recording_channel import Recording

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

RULES = RetryRules(attempts=3, rounds=0, first_delay_s=8)
ATTEMPT = Attempt("a", Stage.TRANSCRIPTION, 1)
FAILURE = Failure("a", Stage.TRANSCRIPTION, 1, FailureKind.PERMANENT, "E", "no luck", "", "", "w", AT)


@pytest.fixture
async def raised(flow: Flow) -> Flow:
    """Stores that know of one alert."""
    await flow.submit("a", "file:///a", "a", CallOptions())
    await flow.calls.raise_alert(Alert("a", Stage.TRANSCRIPTION, 1, "no luck", flow.now()))
    return flow


def job(channel: str = "test", starts: int = 1, audio_url: str = "file:///a") -> Delivery:
    return Delivery(f"{ATTEMPT.job_id}.{channel}", failed(ATTEMPT, audio_url, "test", FAILURE), 0, starts)


def sending(flow: Flow, **channels: Recording) -> Alerting:
    return Alerting(flow, channels, RULES, lambda: 0.0)


async def test_what_went_out_is_not_sent_again_even_by_a_job_that_is_new(raised: Flow) -> None:
    channel = Recording()
    for _ in range(2):
        assert await sending(raised, test=channel).handle(job()) == Done()
    assert len(channel.sent) == 1


async def test_an_alert_of_a_deleted_call_is_over(flow: Flow) -> None:
    channel = Recording()
    assert await sending(flow, test=channel).handle(job()) == Done()
    assert channel.sent == []


async def test_an_alert_goes_out_however_many_are_pending_before_it(raised: Flow) -> None:
    class Crowded(StoredCalls):
        """Whose first alerts are others."""

        async def pending_alerts(self, channels: Sequence[str], since: datetime = AT) -> list[tuple[Alert, str]]:
            return []

    assert isinstance(raised.calls, StoredCalls)
    crowded = Flow(Crowded(raised.calls._database), raised.queues, raised.now)
    channel = Recording()
    assert await sending(crowded, test=channel).handle(job(starts=2)) == Done()
    assert len(channel.sent) == 1


async def test_an_alert_for_a_channel_of_another_worker_is_left_to_it(raised: Flow) -> None:
    channel = Recording()
    without, having = sending(raised, log=Recording()), sending(raised, test=channel)
    assert isinstance(await without.handle(job()), Later)
    assert channel.sent == []
    assert await having.handle(job(starts=2)) == Done()
    assert len(channel.sent) == 1
    assert await without.handle(job(starts=3)) == Done()


async def test_an_alert_that_nobody_has_the_channel_for_is_over_when_it_is_no_news(raised: Flow) -> None:
    long_after = Flow(raised.calls, raised.queues, lambda: raised.now() + timedelta(days=1, seconds=1))
    assert await sending(long_after, log=Recording()).handle(job(starts=9)) == Done()
    assert await raised.calls.pending_alert(ATTEMPT.job_id, "test") is not None


async def test_what_workers_without_the_channel_begin_counts_as_no_try(raised: Flow) -> None:
    having = sending(raised, test=Recording(failures=3))
    outcomes = [await having.handle(job(starts=starts)) for starts in (50, 70, 90)]
    assert outcomes[:2] == [Later(4.0), Later(8.0)]
    assert isinstance(outcomes[2], Failed)


async def test_a_job_without_its_failure_is_put_aside(raised: Flow) -> None:
    told = job()
    without = replace(told.envelope, payload=replace(told.envelope.payload, failure=None))
    assert isinstance(await sending(raised, test=Recording()).handle(replace(told, envelope=without)), Failed)


@pytest.mark.parametrize(
    ("audio_url", "told"),
    [
        ("https://me:s3cret@host.example/calls/a.wav?X-Signature=s3cret#s3cret", "https://host.example/calls/a.wav"),
        ("s3://bucket/calls/a.wav", "s3://bucket/calls/a.wav"),
        ("https://me:s3cret@[broken/a.wav?X-Signature=s3cret", "[broken/a.wav"),
    ],
)
async def test_an_alert_does_not_tell_what_opens_the_audio(raised: Flow, audio_url: str, told: str) -> None:
    channel = Recording()
    await sending(raised, test=channel).handle(job(audio_url=audio_url))
    (facts,) = channel.sent
    assert facts["audio_url"] == told
    assert "s3cret" not in str(facts)
