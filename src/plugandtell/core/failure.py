"""What went wrong in a stage, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from plugandtell.core.call import Stage
from plugandtell.core.errors import ChildCrashed, InputError, MessageInvalid, StageTimedOut

_FAULTS_OF_CALLS: Final = (InputError, MessageInvalid)
"""What is the same on every machine. Any other PermanentError is of the machine that met it, such as a package that is
missing or a key that was revoked: another worker, or this one when somebody has mended it, can do the work."""

_MOST_DOUBLINGS = 64  # far beyond any longest delay, and far below what a float can hold


class FailureKind(StrEnum):
    """Whether another try can help.

    `transient`: the same may work later, or elsewhere. `permanent`: the call itself is at fault, and would fail the
    same way everywhere. `poison`: it took the worker's process down with it, or ran beyond its time limit; it is tried
    again, but not as often.
    """

    TRANSIENT = "transient"
    PERMANENT = "permanent"
    POISON = "poison"


def kind_of(error: BaseException) -> FailureKind:
    """What kind of failure an error is. One that nobody expected may have been bad luck, and attempts are counted."""
    if isinstance(error, ChildCrashed | StageTimedOut):
        return FailureKind.POISON
    return FailureKind.PERMANENT if isinstance(error, _FAULTS_OF_CALLS) else FailureKind.TRANSIENT


@dataclass(frozen=True, slots=True)
class Failure:
    """One attempt that failed, as it is kept for good.

    Attributes:
        call_id: The call.
        stage: The stage in which it failed.
        attempt: Which attempt at this stage it was, counted from 1.
        kind: Whether another try can help.
        error: The name of the error's class.
        message: What a person reads.
        details: What else is known, for whoever looks into it; may be empty.
        traceback: Of the error; empty where there is none.
        worker: Which worker it was.
        at: When, in UTC.
    """

    call_id: str
    stage: Stage
    attempt: int
    kind: FailureKind
    error: str
    message: str
    details: str
    traceback: str
    worker: str
    at: datetime


@dataclass(frozen=True, slots=True)
class RetryRules:
    """How often a stage is tried, and how long it waits in between.

    Attributes:
        attempts: On the stage's own queue, shortly one after another.
        rounds: Further attempts by way of the retry queue, with growing delays.
        poison_attempts: So many times in all may a job kill its worker or run beyond its time limit.
        first_delay_s: Before the second attempt, and again before the first round; it doubles from then on.
        longest_delay_s: No delay is longer.

    Raises:
        ValueError: A field is out of range.
    """

    attempts: int = 3
    rounds: int = 10
    poison_attempts: int = 2
    first_delay_s: float = 2.0
    longest_delay_s: float = 600.0

    def __post_init__(self) -> None:
        for name in ("attempts", "poison_attempts"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}, but must be at least 1")
        if self.rounds < 0:
            raise ValueError(f"rounds is {self.rounds}, but must be at least 0")
        if not 0 <= self.first_delay_s <= self.longest_delay_s:
            raise ValueError(f"delays grow from {self.first_delay_s:g} to {self.longest_delay_s:g} s: not a range")


class Route(StrEnum):
    """Where a failed job goes: back onto its queue, through the retry queue, or nowhere."""

    AGAIN = "again"
    LATER = "later"
    NOWHERE = "nowhere"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a failed job: the way it takes, and after which delay."""

    route: Route
    delay_s: float = 0.0


def judge(rules: RetryRules, kind: FailureKind, attempt: int, roll: float) -> Verdict:
    """What becomes of a job whose attempt number `attempt`, counted from 1, failed.

    A delay lies in the upper half of a span that doubles with each attempt ("equal jitter": M. Brooker, "Exponential
    Backoff And Jitter", AWS Architecture Blog, 2015), so that the delays grow for sure, and no two jobs keep step.

    Args:
        rules: Of the stage.
        kind: Of the failure.
        attempt: The one that failed; where it was poisonous, counted among the poisonous ones alone.
        roll: Where in its span the delay lies: a random number from 0 to below 1.
    """
    allowed = rules.poison_attempts if kind is FailureKind.POISON else rules.attempts + rules.rounds
    if kind is FailureKind.PERMANENT or attempt >= allowed:
        return Verdict(Route.NOWHERE)
    if attempt < rules.attempts:
        return Verdict(Route.AGAIN, _delay_s(rules, attempt - 1, roll))
    return Verdict(Route.LATER, _delay_s(rules, attempt - rules.attempts, roll))


def _delay_s(rules: RetryRules, doublings: int, roll: float) -> float:
    span_s = min(rules.longest_delay_s, rules.first_delay_s * 2.0 ** min(doublings, _MOST_DOUBLINGS))
    return span_s * (1 + roll) / 2
