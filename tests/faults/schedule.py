"""What goes wrong, and when: a seed makes a schedule, the same one every time."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from random import Random

from plugandtell.core.recording import Container, GapPolicy

MOST_SENTENCES = 4
_PAUSES_S = (0.1, 0.4, 0.8, 1.6, 2.9, 3.4)


class Direction(StrEnum):
    """Which way the bytes go that are counted."""

    UP = "up"
    DOWN = "down"


class Kind(StrEnum):
    """What can happen to a line, and to the process at either end of it."""

    RESET = "reset"
    TRUNCATE = "truncate"
    HALF_CLOSE = "half_close"
    STALL = "stall"
    DEATH = "death"
    DELAY = "delay"
    TRICKLE = "trickle"
    REFUSE = "refuse"
    RESTART_SERVER = "restart_server"
    KILL_SERVER = "kill_server"
    KILL_CLIENT = "kill_client"


LINE_KINDS = (
    *(Kind.RESET, Kind.TRUNCATE, Kind.HALF_CLOSE, Kind.STALL, Kind.DELAY, Kind.TRICKLE, Kind.REFUSE) * 4,
    *(Kind.DEATH, Kind.RESTART_SERVER) * 2,
)
"""Faults that one process can play, the slow ones seldom."""
DEATH_KINDS = (*(Kind.KILL_SERVER, Kind.KILL_CLIENT) * 12, *LINE_KINDS)
"""Faults of real processes."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong.

    Attributes:
        kind: What.
        direction: Whose bytes are counted; for what happens to one direction only, which.
        after_bytes: How many of them pass after the fault before this one: any, so that most faults fall into the
            middle of a frame.
        amount: Of milliseconds for a stall or a delay, of bytes for a trickle, of connections for a refusal.
    """

    kind: Kind
    direction: Direction
    after_bytes: int
    amount: int

    def __str__(self) -> str:
        amount = f"({self.amount})" if self.amount else ""
        return f"{self.kind}{amount} after {self.after_bytes} {self.direction}"


@dataclass(frozen=True, slots=True)
class Schedule:
    """One stream and its misfortunes.

    Attributes:
        seed: Makes this schedule.
        sentences: What is said, by numbers of sentences.
        pauses_s: The pauses before, between and after them.
        vad: The detector of the gate.
        batch_ms: The length of the client's messages.
        silence_s: The silence that ends a recording, and so on, as the server's settings call it.
        max_duration_s: The longest recording.
        resume_window_s: How long a recording waits for its client.
        gaps: What becomes of a gap.
        durability: What an acknowledgement promises.
        faults: In the order in which they come.
        container: What finished recordings are.
    """

    seed: int
    sentences: tuple[int, ...]
    pauses_s: tuple[float, ...]
    vad: str
    batch_ms: int
    silence_s: float
    max_duration_s: float
    resume_window_s: float
    gaps: GapPolicy
    durability: str
    faults: tuple[Fault, ...]
    container: Container

    def __str__(self) -> str:
        return f"seed {self.seed}: " + ", then ".join(map(str, self.faults))


def make_schedule(seed: int, kinds: tuple[Kind, ...] = LINE_KINDS) -> Schedule:
    """The schedule of this seed."""
    dice = Random(seed)
    sentences = tuple(dice.randrange(5) for _ in range(dice.randint(1, MOST_SENTENCES)))
    return Schedule(
        seed=seed,
        sentences=sentences,
        pauses_s=tuple(dice.choice(_PAUSES_S) for _ in range(len(sentences) + 1)),
        vad=dice.choice(("none", "webrtc", "webrtc")),
        batch_ms=dice.choice((20, 100, 400)),
        silence_s=dice.choice((0.5, 1.0, 3.0)),
        max_duration_s=dice.choice((1.5, 3600.0, 3600.0)),
        resume_window_s=dice.choice((0.0, 0.05, 3.0, 60.0)),
        gaps=dice.choice(tuple(GapPolicy)),
        durability=dice.choice(("write", "fsync")),
        faults=tuple(_fault(dice, kinds) for _ in range(dice.randint(1, 5))),
        container=dice.choice(tuple(Container)),
    )


def _fault(dice: Random, kinds: tuple[Kind, ...]) -> Fault:
    kind = dice.choice(kinds)
    direction = dice.choice(tuple(Direction))
    early = dice.random() < 0.4  # within the handshake, the hello or the first message
    longest_bytes = 1000 if early or direction is Direction.DOWN else 80_000
    amounts = {
        Kind.STALL: dice.randint(1, 900),
        Kind.DELAY: dice.randint(1, 100),
        Kind.TRICKLE: dice.randint(1, 500),
        Kind.REFUSE: dice.randint(1, 3),
    }
    return Fault(kind, direction, dice.randint(0, longest_bytes), amounts.get(kind, 0))
