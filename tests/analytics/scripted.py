"""Services that do what a test says."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from plugandtell.analytics.runtime import run_services
from plugandtell.analytics.settings import ServiceName, WorkerSettings
from tests.support.results import RESULTS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Collection

    from plugandtell.analytics.flow import Flow
    from plugandtell.analytics.service import CallInput, StageResult
    from plugandtell.analytics.worker import Runner
    from plugandtell.core.call import CallState, Stage

    Step = BaseException | Callable[[], Awaitable[None]]

QUICK = WorkerSettings(lock_s=0.5, first_delay_s=0.01, longest_delay_s=0.05, sweep_every_s=0.5, grace_s=0.2)


class ScriptedRunner:
    """Answers with a small result of each stage; before that, it goes through the steps that a test plans."""

    def __init__(self) -> None:
        self.ran: Counter[tuple[str, Stage]] = Counter()
        self._plans: defaultdict[tuple[str, Stage], list[Step]] = defaultdict(list)

    def plan(self, call_id: str, stage: Stage, *steps: Step) -> None:
        """What happens in the first attempts, one step each: an error is raised, anything else awaited."""
        self._plans[call_id, stage] += steps

    async def run(self, stage: Stage, call: CallInput, limit_s: float) -> StageResult:
        self.ran[call.call_id, stage] += 1
        if plan := self._plans[call.call_id, stage]:
            step = plan.pop(0)
            if isinstance(step, BaseException):
                raise step
            await step()
        return RESULTS[stage]


@asynccontextmanager
async def running(
    flow: Flow,
    runner: Runner,
    services: Collection[ServiceName] = tuple(ServiceName),
    settings: WorkerSettings = QUICK,
) -> AsyncIterator[asyncio.Event]:
    """These services, until the end of the block; gives the event that stops them before."""
    stop = asyncio.Event()
    task = asyncio.create_task(run_services(services, settings, flow, runner, stop))
    try:
        yield stop
    finally:
        stop.set()
        await task


async def ended(flow: Flow, call_id: str, within_s: float = 20.0) -> CallState:
    """Wait for the end of a call. Only the database says so, which has to be asked."""
    async with asyncio.timeout(within_s):
        while not (state := (await flow.calls.get(call_id)).state).is_end:  # noqa: ASYNC110  (see above)
            await asyncio.sleep(0.01)
    return state
