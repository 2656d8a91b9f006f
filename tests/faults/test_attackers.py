"""Hostile clients against a real server: see `attackers.py`. `make soak` runs thousands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.faults.attackers import run_attacks
from tests.faults.nursery import nursery

if TYPE_CHECKING:
    from pathlib import Path

    from tests.faults.tally import Record

ATTACKS = 250


async def test_whoever_attacks_the_socket_only_ends_his_own_connection(tmp_path: Path, record: Record) -> None:
    async with nursery() as opened:
        tally = await run_attacks(opened, range(ATTACKS), tmp_path)
    assert tally.runs == {"attacks": ATTACKS}
    assert tally.faults.total() >= ATTACKS
    assert tally.samples > 0, "no honest stream was recorded meanwhile"
    record(tally)
