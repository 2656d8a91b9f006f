"""All that a screen shows at one moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from plugandtell.core.status import ClientStatus, LogLine, ServerStatus
    from plugandtell.terminal.spans import Line


@dataclass(frozen=True, slots=True)
class View:
    """What is shown. A half that is None is not there.

    Attributes:
        client: The left half.
        server: The right half.
        log: The last events, the oldest first.
        has_keys: Whether keys are read.
        is_stopping: Whether the end was asked for.
    """

    client: ClientStatus | None = None
    server: ServerStatus | None = None
    log: tuple[LogLine, ...] = ()
    has_keys: bool = False
    is_stopping: bool = False


class Row(NamedTuple):
    """A line of a half, and how much it is wanted: where there is no room, those of the largest number go first."""

    rank: int
    line: Line


def most_wanted(rows: list[Row], height: int) -> list[Line]:
    """The lines there is room for, in their order."""
    kept = sorted(range(len(rows)), key=lambda at: (rows[at].rank, at))[: max(0, height)]
    return [rows[at].line for at in sorted(kept)]
