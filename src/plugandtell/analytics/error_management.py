"""The error management service: every failure is put on record, judged, and led to another try or to a person.

Two kinds of messages come by way of the retry queue: the report of a failure (`status` is `failed`), and the attempt
that was held back until now. A report may come twice, and each step of what it leads to can be taken twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from plugandtell.analytics.calls import Alert
from plugandtell.analytics.consumer import Delivery, Done, Failed, Outcome
from plugandtell.analytics.flow import ERROR_MANAGEMENT
from plugandtell.core.call import StageState
from plugandtell.core.errors import CallNotFound
from plugandtell.core.failure import FailureKind, Route, judge
from plugandtell.core.message import Attempt, Status, attempt_of
from plugandtell.logservice import bound_contextvars, get_logger

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from plugandtell.analytics.alerting import Alerting
    from plugandtell.analytics.calls import CallRecord, StageRecord
    from plugandtell.analytics.flow import Flow
    from plugandtell.core.call import Stage
    from plugandtell.core.failure import Failure, RetryRules, Verdict


class ErrorManagement:
    """What is done with the messages of the retry queue.

    Args:
        flow: Sends attempts on.
        rules: For each stage.
        alerting: Sends alerts out.
        roll: A random number from 0 to below 1.
    """

    def __init__(
        self, flow: Flow, rules: Mapping[Stage, RetryRules], alerting: Alerting, roll: Callable[[], float]
    ) -> None:
        self._flow = flow
        self._rules = rules
        self._alerting = alerting
        self._roll = roll
        self._log = get_logger()

    async def handle(self, delivery: Delivery) -> Outcome:
        """Deal with one message.

        Raises:
            StoreUnreachable: It comes again, and what was done of it does no harm.
        """
        attempt = attempt_of(delivery.envelope)
        failure = delivery.envelope.payload.failure
        with bound_contextvars(call_id=attempt.call_id, stage=attempt.stage.value, attempt=attempt.number):
            try:
                if delivery.envelope.status is not Status.FAILED:
                    return await self._send_back(attempt)
                if failure is None:
                    return Failed("a report without its failure")
                return await self._take(attempt, failure)
            except CallNotFound:
                self._log.info("call_deleted")
                return Done()

    async def act(self, call: CallRecord, record: StageRecord, failure: Failure) -> None:
        """Do what the rules say about a stage's last failure, which is on record; twice is as good as once.

        Raises:
            CallNotFound: It was deleted meanwhile.
            StoreUnreachable: A store does not answer; it may be done in part.
        """
        counted = await self._counted(record, failure)
        verdict = judge(self._rules[failure.stage], failure.kind, counted, self._roll())
        self._log.info("failure_judged", kind=failure.kind.value, route=verdict.route.value, delay_s=verdict.delay_s)
        if verdict.route is Route.NOWHERE:
            await self._give_up(call, failure)
        else:
            await self._try_again(call, Attempt(call.call_id, failure.stage, failure.attempt).next, verdict)

    async def _counted(self, record: StageRecord, failure: Failure) -> int:
        """How many attempts count: of a poisonous failure, those alone that were poisonous too."""
        if failure.kind is not FailureKind.POISON:
            return failure.attempt - record.forgiven
        known = await self._flow.calls.failures(failure.call_id)
        return sum(
            other.stage is failure.stage
            and other.kind is FailureKind.POISON
            and record.forgiven < other.attempt <= failure.attempt
            for other in known
        )

    async def _take(self, attempt: Attempt, failure: Failure) -> Outcome:
        await self._flow.calls.note_failure(failure)
        call = await self._flow.calls.get(attempt.call_id)
        record = (await self._flow.calls.stages(attempt.call_id))[attempt.stage]
        is_open = record.state not in (StageState.DONE, StageState.FAILED)
        if is_open and record.forgiven < attempt.number == record.failed:
            await self.act(call, record, failure)
        return Done()

    async def _send_back(self, attempt: Attempt) -> Outcome:
        call = await self._flow.calls.get(attempt.call_id)
        await self._flow.attempt(call, attempt, ERROR_MANAGEMENT)
        return Done()

    async def _try_again(self, call: CallRecord, attempt: Attempt, verdict: Verdict) -> None:
        await self._flow.calls.mark_retrying(call.call_id, attempt.stage, self._flow.now())
        if verdict.route is Route.AGAIN:
            await self._flow.attempt(call, attempt, ERROR_MANAGEMENT, verdict.delay_s)
        else:
            await self._flow.hold(call, attempt, verdict.delay_s)

    async def _give_up(self, call: CallRecord, failure: Failure) -> None:
        """Raise the alert first: as long as the call has not ended, the sweep sees that something is to be done."""
        now = self._flow.now()
        alert = Alert(call.call_id, failure.stage, failure.attempt, failure.message, now)
        await self._flow.calls.raise_alert(alert)
        await self._alerting.send(alert, call, failure)
        await self._flow.calls.mark_failed(call.call_id, failure.stage, now)
        self._log.error("call_failed", error=failure.message)
