"""What the four services have in common: a call and what is known of it go in, a result comes out.

A service is made and used in a child process (see `pool`), where it may take its time and all of a core.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeVar, runtime_checkable

from plugandtell.core.call import CallOptions, Stage
from plugandtell.core.findings import Features, Intent, Sentiment
from plugandtell.core.transcript import Transcript

StageResult = Transcript | Features | Sentiment | Intent
_Result = TypeVar("_Result", Transcript, Features, Sentiment, Intent)

RESULT_OF: Final[Mapping[Stage, type[StageResult]]] = {
    Stage.TRANSCRIPTION: Transcript,
    Stage.FEATURES: Features,
    Stage.SENTIMENT: Sentiment,
    Stage.INTENT: Intent,
}


@dataclass(frozen=True, slots=True)
class CallInput:
    """A call as a service sees it.

    Attributes:
        call_id: The call.
        audio_url: Where its audio is.
        options: What whoever submitted it knows about it.
        results: Of the stages before.
    """

    call_id: str
    audio_url: str
    options: CallOptions = field(default_factory=CallOptions)
    results: Mapping[Stage, StageResult] = field(default_factory=dict)

    def result(self, stage: Stage, kind: type[_Result]) -> _Result:
        """The result of a stage before, which is of that kind."""
        found = self.results[stage]
        assert isinstance(found, kind)
        return found

    @property
    def transcript(self) -> Transcript:
        """What was said."""
        return self.result(Stage.TRANSCRIPTION, Transcript)


class Service(Protocol):
    """One of the four. Models are loaded when it is made, once for many calls."""

    def process(self, call: CallInput) -> StageResult:
        """Do this stage's work for one call.

        Raises:
            TransientError: It may work later.
            PermanentError: It would fail the same way: no audio, empty, too long, and the like.
        """
        ...


@runtime_checkable
class TellsLength(Protocol):
    """A service that calls `tell_length` with the length of the audio in milliseconds, as soon as it knows it.

    The time limit of its job grows with that length, which nobody else can know before the audio is decoded.
    """

    tell_length: Callable[[int], None]


@runtime_checkable
class TellsFetching(Protocol):
    """A service that calls `tell_fetching` before it fetches a call's audio, once, and `tell_fetched` when it is there.

    The time limit of its job does not run meanwhile: a slow line is no fault of the call.
    """

    tell_fetching: Callable[[], None]
    tell_fetched: Callable[[], None]
