"""Which of several processes a stream belongs to: always the same one, as long as there are equally many."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from uuid import UUID


@dataclass(frozen=True, slots=True)
class Shard:
    """One share of all streams; without arguments, the only one.

    Attributes:
        number: Counted from 0.
        of: How many there are.

    Raises:
        ValueError: There is no such share.
    """

    number: int = 0
    of: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.number < self.of:
            raise ValueError(f"there is no share {self.number} of {self.of}")

    def owns(self, stream_id: UUID) -> bool:
        """Whether the stream belongs to this share."""
        return shard_of(stream_id, self.of) == self.number


WHOLE: Final = Shard()
"""The share of a process that has all streams."""


def shard_of(stream_id: UUID, of: int) -> int:
    """The number of the share that the stream belongs to.

    A checksum rather than the number itself: the last bits of some kinds of UUID are those of a machine (RFC 9562).
    """
    return zlib.crc32(stream_id.bytes) % of
