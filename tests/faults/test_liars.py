"""Servers that talk nonsense: see `liars.py`. `make soak` runs thousands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.faults.batch import run_batch
from tests.faults.liars import run_liar

if TYPE_CHECKING:
    from tests.faults.tally import Record

LIARS = 100


async def test_whatever_a_server_claims_the_client_ends_in_order_and_keeps_its_audio(record: Record) -> None:
    tally = await run_batch("liars", run_liar, range(LIARS), at_once=50)
    assert tally.runs == {"liars": LIARS}
    assert tally.faults.total() >= LIARS
    record(tally)
