"""The campaign of calls: real worker processes and real stores, killed and started again by schedule.

After every schedule: no call is lost, none is stuck, each failure is on record once, each alert was raised once, and
the results are those of a run that nobody disturbs.
"""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Final

from plugandtell.analytics.patience import patiently
from plugandtell.analytics.queues import QueueName
from tests.faults.call_mischief import Mischief, submit
from tests.faults.call_oracle import check_call
from tests.faults.call_schedule import CallSchedule, make_call_schedule
from tests.faults.call_world import Workers, eventually, opened_stores
from tests.faults.tally import Tally

if TYPE_CHECKING:
    from pathlib import Path

    from plugandtell.analytics.flow import Flow
    from tests.faults.call_world import Database, Stores
    from tests.faults.nursery import Nursery

WITHIN_S: Final = 150.0
_UNSETTLED: Final = ("waiting", "active", "delayed", "prioritized", "paused")


async def run_calls(nursery: Nursery, database: Database | None, seed: int, folder: Path) -> Tally:
    """Run the schedule of this seed.

    Raises:
        AssertionError: Something was lost, doubled, stuck or other than it should be.
    """
    schedule = make_call_schedule(seed)
    async with opened_stores(folder, database) as (stores, flow):
        workers = Workers(nursery, folder, stores, schedule.concurrency)
        try:
            await _Run(schedule, flow, stores, workers, folder).run()
        except BaseException as error:
            error.add_note(f"{schedule}\n{schedule.calls}\n{workers.said()[-20_000:]}")
            raise
        finally:
            workers.kill()
    kinds = Counter(fault.kind.value for fault in schedule.faults)
    return Tally(Counter(calls=1), kinds)


class _Run:
    def __init__(self, schedule: CallSchedule, flow: Flow, stores: Stores, workers: Workers, folder: Path) -> None:
        self._schedule = schedule
        self._flow = flow
        self._stores = stores
        self._workers = workers
        self._folder = folder
        self._urls = {
            f"c{number}": "file:///calls/a?" + "&".join(f"{stage.value}={way.value}" for stage, way in ways.items())
            for number, ways in enumerate(schedule.calls)
        }
        self._mischief = Mischief(flow, stores, workers, self._urls)

    async def run(self) -> None:
        self._workers.start(self._schedule.layout)
        for call_id in self._urls:
            await submit(self._flow, call_id, self._urls[call_id])
        for fault in self._schedule.faults:
            await self._mischief.play(fault)
        assert await eventually(self._all_ended, WITHIN_S), f"calls are stuck: {await self._stand()}"
        assert await eventually(self._all_settled, WITHIN_S), f"jobs are stuck: {await self._flow.queues.counts()}"
        await self._workers.stop()
        sent = (self._folder / "alerts").read_text().split() if (self._folder / "alerts").exists() else []
        expected: set[str] = set()
        for call_id, url in self._urls.items():
            expected.update(await patiently(partial(check_call, self._flow, call_id, url)))
        assert set(sent) == expected, f"alerts {sent} went out, not {expected}"
        assert "Traceback (most" not in (said := self._workers.said()), said

    async def _all_ended(self) -> bool:
        return all([(await self._flow.calls.get(call_id)).state.is_end for call_id in self._urls])

    async def _all_settled(self) -> bool:
        counts = await self._flow.queues.counts()
        unsettled = sum(counts[queue].get(state, 0) for queue in QueueName for state in _UNSETTLED)
        return not unsettled and not await self._flow.calls.pending_alerts(["log", "command"])

    async def _stand(self) -> dict[str, object]:
        return {call_id: await self._flow.calls.stages(call_id) for call_id in self._urls}
