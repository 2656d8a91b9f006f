"""Hundreds of short schedules: see `lines.py`. `make soak` runs as many as you have time for."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from tests.faults.batch import run_batch
from tests.faults.lines import run_line, run_workers_line

if TYPE_CHECKING:
    from tests.faults.tally import Record

BATCHES = 2
OF_SCHEDULES = 160
OF_WORKERS = 8


@pytest.mark.parametrize("batch", range(BATCHES))
async def test_whatever_happens_to_the_line_nothing_is_lost_and_nothing_doubled(batch: int, record: Record) -> None:
    seeds = range(batch * OF_SCHEDULES, (batch + 1) * OF_SCHEDULES)
    tally = await run_batch("lines", run_line, seeds, at_once=OF_SCHEDULES)
    assert tally.runs == {"lines": OF_SCHEDULES}
    assert tally.faults.total() > 0
    assert tally.samples > 0
    record(tally)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows hands no connections on")
async def test_the_same_holds_for_a_server_of_two_processes(record: Record) -> None:
    tally = await run_batch("lines", run_workers_line, range(OF_WORKERS), at_once=OF_WORKERS)
    assert tally.faults.total() > 0
    assert tally.samples > 0
    record(tally)
