"""What may be an entity: where it is in a text, what it is, and its value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from plugandtell.core.findings import EntityKind


@dataclass(frozen=True, slots=True)
class Candidate:
    """A piece of a reading from its character `start` up to `end` that may be an entity."""

    kind: EntityKind
    start: int
    end: int
    value: str
