"""How severe an event must be to be logged."""

from __future__ import annotations

from enum import StrEnum


class LogLevel(StrEnum):
    """The least severe events that are logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
