"""A service at work: takes one stage's jobs, has them done in the pool, keeps the results and sends the calls on."""

from __future__ import annotations

import asyncio
import traceback
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

from plugandtell.analytics.consumer import Delivery, Done, Failed, Outcome
from plugandtell.analytics.flow import SERVICE_OF, stages_open
from plugandtell.analytics.patience import patiently
from plugandtell.analytics.queues import JobState, QueueName
from plugandtell.analytics.service import CallInput
from plugandtell.core.errors import CallNotFound, ChildCrashed, PlugAndTellError, StageTimedOut, TransientError
from plugandtell.core.failure import Failure, kind_of
from plugandtell.core.message import Attempt, attempt_of
from plugandtell.logservice import bound_contextvars, get_logger

if TYPE_CHECKING:
    from collections.abc import Callable

    from plugandtell.analytics.calls import CallRecord
    from plugandtell.analytics.flow import Flow
    from plugandtell.analytics.service import StageResult
    from plugandtell.core.call import Stage

_LONGEST_TRACEBACK: Final = 20_000


class Runner(Protocol):
    """Does the work of a stage, somewhere where it can do no harm."""

    async def run(self, stage: Stage, call: CallInput, limit_s: float) -> StageResult:
        """The result; cancelling it ends the work.

        Raises:
            PlugAndTellError: What the service raised, ChildCrashed or StageTimedOut.
        """
        ...


@dataclass(frozen=True, slots=True)
class WorkRules:
    """What a worker holds its jobs to.

    Attributes:
        limit_s: How long the work on a call may take.
        deaths: How many workers may lose an attempt by dying, before it counts as poisonous.
        starts: How often an attempt is begun whose outcome cannot be kept for a reason that nobody expected, before
            that is its failure.
        overtime_s: How long after its limit the pool has to end the work, before the worker waits for it no more.
    """

    limit_s: Callable[[CallInput], float]
    deaths: int = 5
    starts: int = 5
    overtime_s: float = 10.0


class StageWorker:
    """What is done with the jobs of one stage.

    Args:
        stage: Which.
        name: Of this worker, for people who look for the machine.
        flow: Sends calls on.
        runner: Does the work.
        rules: What the work is held to.
    """

    def __init__(self, stage: Stage, name: str, flow: Flow, runner: Runner, rules: WorkRules) -> None:
        self._stage = stage
        self._name = name
        self._calls = flow.calls
        self._queues = flow.queues
        self._now = flow.now
        self._flow = flow
        self._runner = runner
        self._rules = rules
        self._log = get_logger()

    async def handle(self, delivery: Delivery) -> Outcome:
        """Make one attempt, unless it was made already.

        Raises:
            StoreUnreachable: Before the work began; what is done is kept, however long the stores stay away.
        """
        attempt = attempt_of(delivery.envelope)
        with bound_contextvars(call_id=attempt.call_id, stage=attempt.stage.value, attempt=attempt.number):
            try:
                return await self._handle(delivery, attempt)
            except CallNotFound:
                self._log.info("call_deleted")
                return Done()

    async def _handle(self, delivery: Delivery, attempt: Attempt) -> Outcome:
        if attempt.stage is not self._stage:
            return Failed(f"a message of {attempt.stage} in the queue of {self._stage}")
        call = await self._calls.get(attempt.call_id)
        try:
            return await self._attempt(delivery, call, attempt)
        except (CallNotFound, TransientError):
            raise
        except Exception as error:
            if delivery.starts < self._rules.starts:
                raise
            return await self._fail(call, attempt, error)

    async def _attempt(self, delivery: Delivery, call: CallRecord, attempt: Attempt) -> Outcome:
        if not await self._is_due(delivery, call, attempt):
            self._log.info("attempt_made_already")
            await self._flow.forward(call.call_id, SERVICE_OF[self._stage])
            return Done()
        try:
            result = await self._work(delivery, call, attempt)
        except Exception as error:  # noqa: BLE001  (the boundary of a task: every error becomes a failure on record)
            return await self._fail(call, attempt, error)
        kept = await patiently(lambda: self._calls.keep_result(call.call_id, self._stage, result, self._now()))
        self._log.info("stage_done", kept=kept)
        await patiently(lambda: self._flow.forward(call.call_id, SERVICE_OF[self._stage]))
        return Done()

    async def _is_due(self, delivery: Delivery, call: CallRecord, attempt: Attempt) -> bool:
        """Whether this attempt is the next one. One that was delivered before may have failed, without a note of it."""
        records = await self._calls.stages(call.call_id)
        if self._stage not in stages_open(records) or attempt.number != records[self._stage].next_attempt:
            return False
        if delivery.starts > 1:
            (reported,) = await self._queues.states([(QueueName.RETRY, attempt.report_id)])
            return reported is JobState.UNKNOWN
        return True

    async def _work(self, delivery: Delivery, call: CallRecord, attempt: Attempt) -> StageResult:
        if delivery.deaths > self._rules.deaths:
            raise ChildCrashed(self._named(call), f"{delivery.deaths} workers died with it in hand")
        await patiently(partial(self._calls.begin, call.call_id, self._stage, attempt.number, self._name, self._now()))
        results = await patiently(lambda: self._calls.results(call.call_id))
        job = CallInput(call.call_id, call.audio_url, call.options, results)
        limit_s = self._rules.limit_s(job)
        self._log.debug("stage_began", limit_s=limit_s)
        try:
            async with asyncio.timeout(limit_s + self._rules.overtime_s) as overtime:
                return await self._runner.run(self._stage, job, limit_s)
        except TimeoutError as error:
            if not overtime.expired():
                raise
            raise StageTimedOut(self._named(call), limit_s) from error

    async def _fail(self, call: CallRecord, attempt: Attempt, error: Exception) -> Outcome:
        if isinstance(error, CallNotFound):
            raise error
        failure = Failure(
            call_id=call.call_id,
            stage=self._stage,
            attempt=attempt.number,
            kind=kind_of(error),
            error=type(error).__name__,
            message=str(error) if isinstance(error, PlugAndTellError) else f"{type(error).__name__}: {error}",
            details="\n".join(getattr(error, "__notes__", [])),
            traceback="".join(traceback.format_exception(error))[-_LONGEST_TRACEBACK:],
            worker=self._name,
            at=self._now(),
        )
        self._log.warning("stage_failed", kind=failure.kind.value, error=failure.message)
        await patiently(lambda: self._flow.report(attempt, call.audio_url, failure))
        return Failed(failure.message)

    def _named(self, call: CallRecord) -> str:
        return f"{self._stage.value} of call {call.call_id}"
