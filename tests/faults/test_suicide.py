"""A call that takes its worker's whole process along, not just a child of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plugandtell.analytics.settings import ServiceName
from plugandtell.core.call import CallState, Stage
from plugandtell.core.failure import FailureKind
from tests.faults.call_mischief import submit
from tests.faults.call_world import MAIN, SETTINGS, Workers, eventually, opened_stores
from tests.faults.nursery import nursery

if TYPE_CHECKING:
    from pathlib import Path


async def test_a_call_that_kills_every_worker_is_given_up_and_leaves_the_others_alone(tmp_path: Path) -> None:
    settings = SETTINGS | {"max_deaths": 1, "lock_s": 1.0}
    others = tuple(service for service in ServiceName if service is not ServiceName.FEATURES)
    async with nursery(MAIN) as opened, opened_stores(tmp_path, None) as (stores, flow):
        workers = Workers(opened, tmp_path, stores, 1, settings)
        workers.start([(ServiceName.FEATURES,), others])  # what else a worker has in hand when it dies is not the point
        try:
            await submit(flow, "bad", "file:///calls/a?features=suicide")
            await submit(flow, "good", "file:///calls/a")

            async def both_ended() -> bool:
                return all([(await flow.calls.get(call_id)).state.is_end for call_id in ("bad", "good")])

            assert await eventually(both_ended, 120.0), workers.said()
            assert (await flow.calls.get("good")).state is CallState.COMPLETE
            assert (await flow.calls.get("bad")).state is CallState.FAILED
            failures = await flow.calls.failures("bad")
            await workers.stop()
        finally:
            workers.kill()
    assert [(failure.stage, failure.attempt) for failure in failures] == [(Stage.FEATURES, 1), (Stage.FEATURES, 2)]
    assert {failure.kind for failure in failures} == {FailureKind.POISON}
    assert "2 workers died" in failures[0].message
