r"""The life of a call: four stages, and an end that every call reaches.

transcription -> features -> sentiment || intent -> complete
     \_____________\____________\_________\_____-> failed
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


class Stage(StrEnum):
    """What is done with a call, each by a service of its own."""

    TRANSCRIPTION = "transcription"
    FEATURES = "features"
    SENTIMENT = "sentiment"
    INTENT = "intent"


class StageState(StrEnum):
    """Where a call stands in one stage.

    `waiting` in its queue or for the stages before it; `running` in a worker; `retrying` after a failure, with another
    attempt to come; `done`, with a result that will not change; `failed` for good.
    """

    WAITING = "waiting"
    RUNNING = "running"
    RETRYING = "retrying"
    DONE = "done"
    FAILED = "failed"


class CallState(StrEnum):
    """Where a call stands as a whole. `complete` and `failed` are ends; only a person's retry leads out of `failed`."""

    WAITING = "waiting"
    RUNNING = "running"
    COMPLETE = "complete"
    FAILED = "failed"

    @property
    def is_end(self) -> bool:
        """Whether nothing more happens to the call by itself."""
        return self in (CallState.COMPLETE, CallState.FAILED)


class AgentChannel(StrEnum):
    """Which channel of a stereo recording is the agent's; the other one is the caller's."""

    FIRST = "first"
    SECOND = "second"


@dataclass(frozen=True, slots=True)
class CallOptions:
    """What whoever submits a call knows about it.

    Attributes:
        language: An ISO 639-1 code; None to find out.
        agent_channel: Of a stereo recording.
        started_at: When the call began, with its offset from UTC: what "tomorrow" is relative to. None where nobody
            knows; such dates are then left as they were said.
        redact: Keep phone numbers and the like out of what is stored, whichever worker gets the call.

    Raises:
        ValueError: The language is no such code, or the time has no offset.
    """

    language: str | None = None
    agent_channel: AgentChannel = AgentChannel.FIRST
    started_at: datetime | None = None
    redact: bool = False

    def __post_init__(self) -> None:
        if self.language is not None and not (
            len(self.language) == 2 and self.language.isascii() and self.language.islower()
        ):
            raise ValueError(f"a language is two small letters, such as en, not {self.language!r}")
        if self.started_at is not None and self.started_at.utcoffset() is None:
            raise ValueError(f"the time of a call needs its offset from UTC, which {self.started_at} lacks")


NEEDS: Final[Mapping[Stage, frozenset[Stage]]] = {
    Stage.TRANSCRIPTION: frozenset(),
    Stage.FEATURES: frozenset({Stage.TRANSCRIPTION}),
    Stage.SENTIMENT: frozenset({Stage.TRANSCRIPTION, Stage.FEATURES}),
    Stage.INTENT: frozenset({Stage.TRANSCRIPTION, Stage.FEATURES}),
}
"""The stages whose results each one needs."""


def stages_ready(done: Collection[Stage]) -> tuple[Stage, ...]:
    """The stages that can begin now: not done, and all that they need is."""
    return tuple(stage for stage in Stage if stage not in done and NEEDS[stage] <= set(done))


def call_state(states: Mapping[Stage, StageState]) -> CallState:
    """What the states of its stages (a stage that is not named has not begun) make of a call.

    A call whose stage has failed for good is `failed` as soon as no other stage is on its way: a stage that waits for
    the failed one never begins.
    """
    known = {stage: states.get(stage, StageState.WAITING) for stage in Stage}
    if all(state is StageState.DONE for state in known.values()):
        return CallState.COMPLETE
    done = [stage for stage, state in known.items() if state is StageState.DONE]
    has_failed = StageState.FAILED in known.values()
    if has_failed and all(known[stage] is StageState.FAILED for stage in stages_ready(done)):
        return CallState.FAILED
    return CallState.WAITING if all(state is StageState.WAITING for state in known.values()) else CallState.RUNNING


_NEXT: Final[Mapping[StageState, frozenset[StageState]]] = {
    StageState.WAITING: frozenset({StageState.RUNNING, StageState.RETRYING, StageState.DONE, StageState.FAILED}),
    StageState.RUNNING: frozenset({StageState.RUNNING, StageState.RETRYING, StageState.DONE, StageState.FAILED}),
    StageState.RETRYING: frozenset({StageState.RUNNING, StageState.DONE, StageState.FAILED}),
    StageState.DONE: frozenset(),
    StageState.FAILED: frozenset(),
}


def may_become(state: StageState, after: StageState) -> bool:
    """Whether a stage can go from one state to the other by itself.

    What comes late changes nothing: a stage that is done stays done, and only a person's retry leads out of `failed`.
    """
    return after in _NEXT[state]
