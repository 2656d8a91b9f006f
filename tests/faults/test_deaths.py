"""Some dozens of schedules in which real processes are killed: see `deaths.py`. `make soak` runs thousands."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.faults.batch import run_batch
from tests.faults.deaths import run_death
from tests.faults.nursery import nursery

if TYPE_CHECKING:
    from tests.faults.tally import Record

BATCHES = 2
OF_SCHEDULES = 12


@pytest.mark.parametrize("batch", range(BATCHES))
async def test_whoever_is_killed_nothing_is_lost_and_nothing_doubled(batch: int, record: Record) -> None:
    seeds = range(batch * OF_SCHEDULES, (batch + 1) * OF_SCHEDULES)
    async with nursery() as opened:
        tally = await run_batch("deaths", partial(run_death, opened), seeds, at_once=OF_SCHEDULES)
    assert tally.runs == {"deaths": OF_SCHEDULES}
    assert tally.faults["kill_client"] + tally.faults["kill_server"] > 0
    assert tally.samples > 0
    record(tally)
