"""Finds calls that nobody works on, and sends them on.

Between two steps a process may die, and a store may forget: the job is gone, and the call would wait for good. The
database says what is owed; what no queue holds is added again. Many may sweep at once, at any time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from plugandtell.analytics.flow import ERROR_MANAGEMENT, stages_open
from plugandtell.analytics.queues import QUEUE_OF, JobState, QueueName
from plugandtell.core.errors import CallNotFound
from plugandtell.core.message import Attempt
from plugandtell.logservice import get_logger

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from plugandtell.analytics.calls import CallRecord, StageRecord
    from plugandtell.analytics.error_management import ErrorManagement
    from plugandtell.analytics.flow import Flow
    from plugandtell.core.call import Stage
    from plugandtell.core.failure import Failure

_PAGE: Final = 500


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep found: calls that have not ended, and attempts that it added again."""

    calls: int
    attempts: int


class Sweep:
    """Goes over all calls that have not ended.

    Args:
        flow: Sends attempts on.
        errors: Knows what a failure leads to.
        quiet_s: Only calls to which nothing happened for so long.
    """

    def __init__(self, flow: Flow, errors: ErrorManagement, quiet_s: float) -> None:
        self._flow = flow
        self._errors = errors
        self._quiet_s = quiet_s
        self._log = get_logger()

    async def run(self) -> Swept:
        """Go over them once.

        Raises:
            StoreUnreachable: A store does not answer; the rest is for the next time.
        """
        calls = attempts = 0
        after = ""
        before = self._flow.now() - timedelta(seconds=self._quiet_s)
        while page := await self._flow.calls.unfinished(before, after, _PAGE):
            calls += len(page)
            for owed in await self._owed(page):
                attempts += await self._add(owed)
            after = page[-1][0].call_id
        if attempts:
            self._log.warning("attempts_added_again", calls=calls, attempts=attempts)
        return Swept(calls, attempts)

    async def _owed(self, page: Sequence[tuple[CallRecord, Mapping[Stage, StageRecord]]]) -> list[Attempt]:
        """The attempts that are due and that no queue holds."""
        due = [
            Attempt(call.call_id, stage, records[stage].next_attempt)
            for call, records in page
            for stage in stages_open(records)
        ]
        jobs = [job for attempt in due for job in _holders(attempt)]
        states = dict(zip(jobs, await self._flow.queues.states(jobs), strict=True))
        owed = [attempt for attempt in due if JobState.PENDING not in {states[job] for job in _holders(attempt)}]
        for queue, job_id in {job for attempt in owed for job in _jobs(attempt) if states[job] is JobState.OVER}:
            await self._flow.queues.forget(queue, job_id)
        return owed

    async def _add(self, attempt: Attempt) -> bool:
        """Add it again, unless it went on while we looked elsewhere."""
        try:
            call = await self._flow.calls.get(attempt.call_id)
            records = await self._flow.calls.stages(attempt.call_id)
            record = records[attempt.stage]
            if attempt.stage not in stages_open(records) or record.next_attempt != attempt.number:
                return False
            failure = None if record.failed == record.forgiven else await self._failure(attempt.before)
            if failure is None:
                await self._flow.attempt(call, attempt, ERROR_MANAGEMENT)
            else:
                await self._errors.act(call, record, failure)
        except CallNotFound:
            return False
        return True

    async def _failure(self, attempt: Attempt) -> Failure | None:
        """The failure of an attempt, as it is on record."""
        failures = await self._flow.calls.failures(attempt.call_id)
        wanted = (attempt.stage, attempt.number)
        return next((failure for failure in failures if (failure.stage, failure.attempt) == wanted), None)


def _jobs(attempt: Attempt) -> tuple[tuple[QueueName, str], ...]:
    """The jobs that stand for an attempt: held back, in its stage's queue, or its report."""
    return (
        (QueueName.RETRY, attempt.return_id),
        (QUEUE_OF[attempt.stage], attempt.job_id),
        (QueueName.RETRY, attempt.report_id),
    )


def _holders(attempt: Attempt) -> tuple[tuple[QueueName, str], ...]:
    """The jobs of which one is pending as long as an attempt is neither lost nor over."""
    return (*_jobs(attempt), (QueueName.RETRY, attempt.before.report_id))
