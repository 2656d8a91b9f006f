"""What goes wrong with calls on their way, and when: a seed makes a schedule, the same one every time."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from random import Random

from plugandtell.analytics.settings import ServiceName
from plugandtell.core.call import Stage
from tests.faults.call_worker import Way

STAGES = tuple(name for name in ServiceName if name is not ServiceName.ERRORS)
_LAYOUTS: tuple[tuple[tuple[ServiceName, ...], ...], ...] = (
    (tuple(ServiceName),),
    (tuple(ServiceName), tuple(ServiceName)),
    (STAGES, (ServiceName.ERRORS,)),
    ((ServiceName.TRANSCRIPTION,), STAGES[1:], (ServiceName.ERRORS,)),
    (STAGES, STAGES, (ServiceName.ERRORS,), (ServiceName.ERRORS,)),
)
_WAYS = (
    *(Way.QUICK,) * 10,
    *(Way.SLOW, Way.ONCE) * 3,
    *(Way.ALWAYS, Way.HOPELESS, Way.POISON, Way.POISON_ONCE, Way.HANG, Way.SUICIDE_ONCE),
)


class CallFault(StrEnum):
    """What can happen while calls are on their way."""

    KILL_WORKER = "kill_worker"
    STOP_WORKER = "stop_worker"
    FREEZE_WORKER = "freeze_worker"
    ERRORS_DOWN = "errors_down"
    KILL_STORE = "kill_store"
    FREEZE_STORE = "freeze_store"
    KILL_DATABASE = "kill_database"
    KILL_ALL = "kill_all"
    SUBMIT_AGAIN = "submit_again"
    ADD_AGAIN = "add_again"
    LOSE_JOBS = "lose_jobs"


_KINDS = (
    *(CallFault.KILL_WORKER,) * 5,
    *(CallFault.KILL_STORE, CallFault.KILL_DATABASE, CallFault.KILL_ALL) * 2,
    *(CallFault.STOP_WORKER, CallFault.FREEZE_WORKER, CallFault.ERRORS_DOWN, CallFault.FREEZE_STORE),
    *(CallFault.SUBMIT_AGAIN, CallFault.ADD_AGAIN, CallFault.LOSE_JOBS),
)


@dataclass(frozen=True, slots=True)
class Happening:
    """One fault: its kind, after how many further changes to calls it comes, and a number to choose with."""

    kind: CallFault
    after_changes: int
    choice: int

    def __str__(self) -> str:
        return f"{self.kind} after {self.after_changes}"


@dataclass(frozen=True, slots=True)
class CallSchedule:
    """Some calls and their misfortunes.

    Attributes:
        seed: Makes this schedule.
        calls: How the stages of each behave.
        layout: Which services each process runs.
        concurrency: Of each service.
        faults: In the order in which they come.
    """

    seed: int
    calls: tuple[dict[Stage, Way], ...]
    layout: tuple[tuple[ServiceName, ...], ...]
    concurrency: int
    faults: tuple[Happening, ...]

    def __str__(self) -> str:
        return f"seed {self.seed}: " + ", then ".join(map(str, self.faults))


def make_call_schedule(seed: int) -> CallSchedule:
    """The schedule of this seed."""
    dice = Random(seed)
    return CallSchedule(
        seed=seed,
        calls=tuple({stage: dice.choice(_WAYS) for stage in Stage} for _ in range(dice.randint(2, 6))),
        layout=dice.choice(_LAYOUTS),
        concurrency=dice.choice((1, 3)),
        faults=tuple(
            Happening(dice.choice(_KINDS), dice.randint(0, 12), dice.randrange(1000)) for _ in range(dice.randint(1, 4))
        ),
    )
