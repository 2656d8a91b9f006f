"""What becomes of a job whose outcome cannot be kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from plugandtell.analytics.consumer import Delivery, Done, Failed
from plugandtell.analytics.flow import Flow
from plugandtell.analytics.queues import QueueName
from plugandtell.analytics.worker import StageWorker, WorkRules
from plugandtell.core.call import CallOptions, Stage
from plugandtell.core.errors import CallNotFound, StoreUnusable
from plugandtell.core.failure import FailureKind
from plugandtell.core.message import Attempt, pending
from tests.analytics.consuming import AT
from tests.analytics.scripted import ScriptedRunner

if TYPE_CHECKING:
    from plugandtell.analytics.calls import Calls
    from plugandtell.core.failure import Failure

FIRST = Attempt("a", Stage.TRANSCRIPTION, 1)
DAMAGED = StoreUnusable("database", "it is damaged", "restore it")


class Refusing:
    """The database, but for one thing that it refuses to do as long as there is an error."""

    def __init__(self, calls: Calls, method: str, error: Exception) -> None:
        self._calls = calls
        self._method = method
        self.error: Exception | None = error

    def __getattr__(self, name: str) -> Any:
        return self._refuse if name == self._method and self.error else getattr(self._calls, name)

    async def _refuse(self, *_: object) -> None:
        assert self.error is not None
        raise self.error


def refusing(flow: Flow, method: str, error: Exception = DAMAGED) -> tuple[Refusing, StageWorker]:
    calls = Refusing(flow.calls, method, error)
    strict = Flow(cast("Calls", calls), flow.queues, flow.now)
    rules = WorkRules(lambda _call: 60.0, starts=3)
    return calls, StageWorker(Stage.TRANSCRIPTION, "w", strict, ScriptedRunner(), rules)


class Stuck(Flow):
    """Sends no call on."""

    async def forward(self, call_id: str, sender: str) -> None:
        raise DAMAGED


def delivery(starts: int) -> Delivery:
    return Delivery(FIRST.job_id, pending(FIRST, "file:///a", "test", AT), 0, starts)


async def report(flow: Flow) -> Failure | None:
    job = await flow.queues.peek(QueueName.RETRY, FIRST.report_id)
    return None if job is None else job.payload.failure


@pytest.fixture(autouse=True)
async def _call(flow: Flow) -> None:
    await flow.submit("a", "file:///a", "a", CallOptions())


async def test_a_result_that_cannot_be_kept_is_the_attempt_s_failure_in_the_end(flow: Flow) -> None:
    _, worker = refusing(flow, "keep_result")
    for starts in (1, 2):
        with pytest.raises(StoreUnusable):
            await worker.handle(delivery(starts))
    assert await report(flow) is None
    assert isinstance(await worker.handle(delivery(3)), Failed)
    failure = await report(flow)
    assert failure is not None
    assert (failure.attempt, failure.kind, failure.error) == (1, FailureKind.TRANSIENT, "StoreUnusable")


async def test_a_result_that_is_kept_in_the_last_try_is_no_failure(flow: Flow) -> None:
    calls, worker = refusing(flow, "keep_result")
    for starts in (1, 2):
        with pytest.raises(StoreUnusable):
            await worker.handle(delivery(starts))
    calls.error = None
    assert await worker.handle(delivery(3)) == Done()
    assert await report(flow) is None
    assert Stage.TRANSCRIPTION in await flow.calls.results("a")


async def test_a_call_that_cannot_be_sent_on_keeps_its_result_and_does_not_come_again_for_ever(flow: Flow) -> None:
    stuck = Stuck(flow.calls, flow.queues, flow.now)
    runner = ScriptedRunner()
    worker = StageWorker(Stage.TRANSCRIPTION, "w", stuck, runner, WorkRules(lambda _call: 60.0, starts=3))
    for starts in (1, 2):
        with pytest.raises(StoreUnusable):
            await worker.handle(delivery(starts))
    assert isinstance(await worker.handle(delivery(3)), Failed)
    assert await report(flow) is not None
    assert Stage.TRANSCRIPTION in await flow.calls.results("a")
    assert runner.ran["a", Stage.TRANSCRIPTION] == 1


async def test_a_call_that_is_deleted_before_its_result_is_kept_has_not_failed(flow: Flow) -> None:
    _, worker = refusing(flow, "keep_result", CallNotFound("a", "no call"))
    assert await worker.handle(delivery(3)) == Done()
    assert await report(flow) is None
