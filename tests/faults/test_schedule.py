from __future__ import annotations

from tests.faults.hostility import make_attack
from tests.faults.schedule import DEATH_KINDS, Direction, Kind, make_schedule

SEEDS = range(300)


def test_a_seed_makes_the_same_schedule_every_time_and_another_one_another() -> None:
    assert [make_schedule(seed) for seed in SEEDS] == [make_schedule(seed) for seed in SEEDS]
    assert len({make_schedule(seed) for seed in SEEDS}) == len(SEEDS)
    assert [make_attack(seed) for seed in SEEDS] == [make_attack(seed) for seed in SEEDS]


def test_every_kind_of_fault_comes_in_either_direction() -> None:
    faults = [fault for seed in SEEDS for fault in make_schedule(seed, DEATH_KINDS).faults]
    assert {(fault.kind, fault.direction) for fault in faults} == {(kind, way) for kind in Kind for way in Direction}


def test_a_schedule_says_what_it_does() -> None:
    schedule = make_schedule(0)
    assert str(schedule).startswith(f"seed 0: {schedule.faults[0]}")
