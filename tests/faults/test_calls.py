"""Some schedules in which worker processes and stores are killed: see `calls.py`. `make soak` runs thousands."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tests.faults.batch import run_batch
from tests.faults.call_world import MAIN, Database
from tests.faults.calls import run_calls
from tests.faults.nursery import nursery
from tests.support.stores import needs_postgres, needs_redis, postgres_server

if TYPE_CHECKING:
    from tests.faults.tally import Record

OF_SCHEDULES = 6


async def test_every_call_reaches_its_end_with_our_own_stores(record: Record) -> None:
    async with nursery(MAIN) as opened:
        tally = await run_batch("calls", partial(run_calls, opened, None), range(OF_SCHEDULES), at_once=OF_SCHEDULES)
    assert tally.runs == {"calls": OF_SCHEDULES}
    record(tally)


@needs_postgres
@needs_redis
async def test_every_call_reaches_its_end_with_redis_and_postgresql(record: Record) -> None:
    with postgres_server() as postgres:
        async with nursery(MAIN) as opened:
            run = partial(run_calls, opened, Database(postgres))
            tally = await run_batch("far_calls", run, range(100, 100 + OF_SCHEDULES), at_once=OF_SCHEDULES)
    assert tally.runs == {"calls": OF_SCHEDULES}
    record(tally)
