"""What a log says, as the tests read it back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


def lines_of(path: Path) -> list[dict[str, Any]]:
    """The JSON lines of a file; fails on a line that is torn."""
    return [json.loads(line) for line in path.read_text("ascii").splitlines()]


def events_of(path: Path) -> list[str]:
    return [line["event"] for line in lines_of(path)]
