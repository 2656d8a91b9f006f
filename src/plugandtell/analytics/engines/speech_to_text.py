"""The port behind which every speech engine stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from plugandtell.core.hearing import Heard
    from plugandtell.core.transcript import Engine

RATE: Final = 16_000
"""Samples a second that every engine takes."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What an engine can do.

    Attributes:
        languages: As ISO 639-1 codes; None where it does not say, and takes any.
        has_word_times: Whether its utterances have words with times.
        can_stream: Whether it could transcribe while somebody still speaks.
    """

    languages: frozenset[str] | None
    has_word_times: bool
    can_stream: bool

    def can_hear(self, language: str) -> bool:
        """Whether it knows the language."""
        return self.languages is None or language in self.languages


class SpeechToText(Protocol):
    """A speech engine, its model loaded."""

    @property
    def engine(self) -> Engine:
        """What it is called in a transcript."""
        ...

    @property
    def capabilities(self) -> Capabilities:
        """What it can do."""
        ...

    def transcribe(self, samples: NDArray[np.float32], language: str | None, languages: Sequence[str]) -> Heard:
        """Write down what is said on one channel.

        The same sound gives the same text. Where nobody speaks there is none. Utterances lie within the sound and
        are ordered by time.

        Args:
            samples: Mono at 16 kHz, from -1 to 1.
            language: What is spoken, as an ISO 639-1 code; None to find out.
            languages: Those to choose from, at least one.

        Raises:
            EngineFailed: It may work another time.
            EngineUnavailable: The language, or something that the engine needs, is not there.
        """
        ...
