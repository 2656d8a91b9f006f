"""Tells people that a call has failed for good: each alert goes out once on each channel.

An alert and a channel make a job of their own in the alert queue, so that one deliverer works on it at a time and
tries again by itself. Workers need not have the same channels: a job for another's is left to it. The database keeps
what is pending: a job that gets lost is added again.
"""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any, Final, Protocol

from plugandtell.analytics.consumer import Delivery, Done, Failed, Later, Outcome
from plugandtell.analytics.flow import ERROR_MANAGEMENT
from plugandtell.analytics.queues import JobState, QueueName
from plugandtell.core.errors import CallNotFound, TransientError
from plugandtell.core.failure import RetryRules, Route, judge, kind_of
from plugandtell.core.message import Attempt, attempt_of, failed
from plugandtell.logservice import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from plugandtell.analytics.calls import Alert, CallRecord
    from plugandtell.analytics.flow import Flow
    from plugandtell.core.failure import Failure

DELIVERY_RULES: Final = RetryRules(attempts=12, rounds=0, first_delay_s=2.0, longest_delay_s=600.0)
"""Tries over about half an hour."""

_NEWS: Final = timedelta(days=1)
"""Older alerts are not searched for: a channel that was set up later hears of what fails from then on, or nearly."""
_LEFT_FOR_S: Final = 5.0
"""How long a job for another worker's channel rests before it can be taken again, by whoever is first."""
_MOST_COUNTED: Final = 10_000
"""Alerts whose tries are counted at once. Those of the one counted longest ago are forgotten first, and begin anew."""

Facts = dict[str, Any]
"""What an alert says, ready to be written as JSON."""


class Channel(Protocol):
    """A way for alerts to go out."""

    async def send(self, facts: Facts) -> None:
        """Send one. Where nobody can know whether it arrived, it may be sent twice, with the same `alert_id`.

        Raises:
            AlertNotSent: It did not arrive, but may later.
        """
        ...


class Alerting:
    """Sends alerts out, and what is done with the jobs of the alert queue.

    Args:
        flow: The stores.
        channels: By name, such as `webhook`.
        rules: How often it is tried, and when.
        roll: A random number from 0 to below 1.
    """

    def __init__(
        self, flow: Flow, channels: Mapping[str, Channel], rules: RetryRules, roll: Callable[[], float]
    ) -> None:
        self._flow = flow
        self._channels = channels
        self._rules = rules
        self._roll = roll
        self._tries: dict[str, int] = {}
        self._log = get_logger()

    async def send(self, alert: Alert, call: CallRecord, failure: Failure) -> None:
        """Have an alert sent on all channels.

        Raises:
            StoreUnreachable: The queue store does not answer.
        """
        for name in self._channels:
            await self._add(alert, name, call, failure)

    async def send_pending(self) -> int:
        """Have sent what the database knows as pending and no queue holds; says how many.

        Raises:
            StoreUnreachable: A store does not answer.
        """
        pending = await self._flow.calls.pending_alerts(list(self._channels), self._flow.now() - _NEWS)
        jobs = [(QueueName.ALERT, _job_id(alert, name)) for alert, name in pending]
        states = await self._flow.queues.states(jobs)
        lost = [one for one, state in zip(pending, states, strict=True) if state is not JobState.PENDING]
        for alert, name in lost:
            await self._send_again(alert, name)
        return len(lost)

    async def handle(self, delivery: Delivery) -> Outcome:
        """Send one alert on one channel.

        Raises:
            StoreUnreachable: It comes again.
        """
        failure = delivery.envelope.payload.failure
        if failure is None:
            return Failed("an alert without its failure")
        attempt = attempt_of(delivery.envelope)
        name = delivery.job_id.rpartition(".")[2]
        alert = await self._flow.calls.pending_alert(attempt.job_id, name)
        if alert is None:
            self._tries.pop(delivery.job_id, None)
            return Done()
        if name not in self._channels:
            return self._leave(alert)
        try:
            await self._channels[name].send(_facts(delivery, attempt, failure))
        except TransientError as error:
            return await self._again(delivery, attempt, name, error)
        self._tries.pop(delivery.job_id, None)
        await self._flow.calls.note_delivery(attempt.job_id, name, self._flow.now())
        return Done()

    def _leave(self, alert: Alert) -> Outcome:
        """To a worker that has the channel, for as long as one would be given a lost job again."""
        return Later(_LEFT_FOR_S) if alert.at >= self._flow.now() - _NEWS else Done()

    async def _again(self, delivery: Delivery, attempt: Attempt, name: str, error: TransientError) -> Outcome:
        tries = self._count(delivery.job_id)
        verdict = judge(self._rules, kind_of(error), tries, self._roll())
        self._log.warning("alert_not_sent", alert=attempt.job_id, channel=name, tries=tries, error=str(error))
        if verdict.route is Route.AGAIN:
            return Later(verdict.delay_s)
        await self._flow.calls.note_delivery(attempt.job_id, name, self._flow.now(), str(error))
        self._tries.pop(delivery.job_id, None)
        self._log.error("alert_given_up", alert=attempt.job_id, channel=name, error=str(error))
        return Failed(str(error))

    def _count(self, job_id: str) -> int:
        """One more try of ours. The queue's own count (`Delivery.starts`) includes workers that left the job alone."""
        tries = self._tries.pop(job_id, 0) + 1
        if len(self._tries) >= _MOST_COUNTED:
            del self._tries[next(iter(self._tries))]
        self._tries[job_id] = tries
        return tries

    async def _send_again(self, alert: Alert, name: str) -> None:
        try:
            call = await self._flow.calls.get(alert.call_id)
            failures = await self._flow.calls.failures(alert.call_id)
        except CallNotFound:
            return
        await self._flow.queues.forget(QueueName.ALERT, _job_id(alert, name))
        for failure in failures:
            if (failure.stage, failure.attempt) == (alert.stage, alert.attempt):
                await self._add(alert, name, call, failure)

    async def _add(self, alert: Alert, name: str, call: CallRecord, failure: Failure) -> None:
        attempt = Attempt(alert.call_id, alert.stage, alert.attempt)
        message = failed(attempt, call.audio_url, ERROR_MANAGEMENT, failure)
        await self._flow.queues.add(QueueName.ALERT, _job_id(alert, name), message)


def _job_id(alert: Alert, name: str) -> str:
    return f"{alert.alert_id}.{name}"


def _facts(delivery: Delivery, attempt: Attempt, failure: Failure) -> Facts:
    """For people, logs and other programs: without what opens the audio, which only workers need."""
    from plugandtell.analytics.audio_source import shown  # noqa: PLC0415  (only who alerts pays for its import)

    return {
        "alert_id": attempt.job_id,
        "call_id": attempt.call_id,
        "stage": attempt.stage.value,
        "attempt": attempt.number,
        "kind": failure.kind.value,
        "error": failure.error,
        "message": failure.message,
        "audio_url": shown(delivery.envelope.payload.audio_url),
        "worker": failure.worker,
        "at": failure.at.astimezone(UTC).isoformat(),
    }
