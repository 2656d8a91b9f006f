"""How fast audio that is not live is read."""

from __future__ import annotations

from enum import StrEnum


class Pace(StrEnum):
    """How fast a file is read."""

    REALTIME = "realtime"
    FAST = "fast"
