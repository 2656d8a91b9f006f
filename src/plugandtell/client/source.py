"""The port through which the client's audio comes, whether from a microphone, a file or standard input."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from plugandtell.core.audio import SPEECH

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PIPE_HINT = f"pipe raw {SPEECH.sample_rate} Hz mono 16-bit little-endian audio to `--input -`"


@dataclass(frozen=True, slots=True)
class Losses:
    """What a source could not pass on.

    Attributes:
        dropped_samples: Heard, but nobody took them in time and the buffer was full.
        overflows: How often the sound system lost audio before it reached us.
        stray_bytes: Left over at the end of input, because they made no whole sample.
    """

    dropped_samples: int = 0
    overflows: int = 0
    stray_bytes: int = 0

    def __add__(self, other: Losses) -> Losses:
        return Losses(
            self.dropped_samples + other.dropped_samples,
            self.overflows + other.overflows,
            self.stray_bytes + other.stray_bytes,
        )


@dataclass(frozen=True, slots=True)
class Hole:
    """Time that passed without audio, because what should have heard it could not.

    A long one may be told of piece by piece while it lasts.

    Attributes:
        samples: How long it was, in the `SPEECH` format.
        cause: What happened.
    """

    samples: int
    cause: str


class Source(Protocol):
    """Yields audio in the `SPEECH` format, whole samples only, from the first captured sample on, and its holes.

    Life: `open`, `chunks` once, `close`. All methods are called on one event loop.
    """

    @property
    def name(self) -> str:
        """What logs and messages call it: the file, `-`, or the name of the device."""

    @property
    def is_live(self) -> bool:
        """Whether audio comes at its own pace, and is lost if nobody takes it."""

    @property
    def losses(self) -> Losses:
        """What could not be passed on so far."""

    async def open(self) -> None:
        """Make it ready.

        Raises:
            InputError: The file or standard input cannot be used.
            MicrophoneError: The microphone cannot be used.
        """

    def chunks(self) -> AsyncIterator[bytes | Hole]:
        """Yield audio and holes until the input ends or `stop` is called.

        Raises:
            InputError: The input broke; what could be read was yielded before.
            MicrophoneLost: The device went away for good; what was heard was yielded before.
        """

    def stop(self) -> None:
        """End `chunks` as soon as it has yielded what was captured already. Idempotent."""

    async def close(self) -> None:
        """Release the device or file, stopping first if need be. Idempotent; takes a few seconds at worst."""
