"""The log of a process that has none of its own: its events go to the process that started it, which logs them."""

from __future__ import annotations

import json
import logging
import os
from typing import TYPE_CHECKING, Any

import structlog
from structlog.stdlib import ProcessorFormatter

from plugandtell.core.log_level import LogLevel
from plugandtell.logservice.processors import json_formatter
from plugandtell.logservice.service import OWN_LOGGER, get_logger

if TYPE_CHECKING:
    from collections.abc import Callable

_LEFT_OUT = ("timestamp", "process", "self", "exc_info")
"""What the process that logs adds anew, and what means something else to its logger."""


def current_level() -> LogLevel:
    """The least severe level that is logged in this process."""
    level = logging.getLogger(OWN_LOGGER).getEffectiveLevel()
    severe_enough = [known for known in LogLevel if logging.getLevelNamesMapping()[known.upper()] >= level]
    return severe_enough[0] if severe_enough else LogLevel.ERROR


def forward(level: LogLevel, send: Callable[[str], None]) -> None:
    """Let every logger of this process, ours or the standard library's, end in `send`, for the rest of its life.

    Args:
        level: Least severe events to send; of other libraries, warnings and worse.
        send: Takes an event as a line of JSON. It may be called from any thread, by one at a time.
    """
    own = logging.getLevelNamesMapping()[level.upper()]
    handler = _Sender(send)
    handler.setFormatter(json_formatter("child", os.getpid()))
    logging.basicConfig(handlers=[handler], level=max(logging.WARNING, own), force=True)
    logging.getLogger(OWN_LOGGER).setLevel(own)
    structlog.configure(
        processors=[ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(own),
        logger_factory=lambda *_: logging.getLogger(OWN_LOGGER),
        cache_logger_on_first_use=False,
    )


def log_forwarded(line: str) -> None:
    """Log what another process sent, with the ids that are bound here.

    Raises:
        ValueError: It is no event.
    """
    fields: Any = json.loads(line)
    if not isinstance(fields, dict) or not isinstance(fields.get("event"), str):
        raise ValueError(f"no event of a log: {line[:200]!r}")  # noqa: TRY004  (what it is of is text)
    event, level = fields.pop("event"), fields.pop("level", "info")
    fields["child"] = fields.pop("pid", None)
    rest = {str(name): value for name, value in fields.items() if name not in _LEFT_OUT}
    get_logger().log(logging.getLevelNamesMapping().get(str(level).upper(), logging.INFO), event, **rest)


class _Sender(logging.Handler):
    def __init__(self, send: Callable[[str], None]) -> None:
        super().__init__()
        self._send = send

    def emit(self, record: logging.LogRecord) -> None:
        """Called under the lock of the handler."""
        try:
            self._send(self.format(record))
        except Exception:  # noqa: BLE001  (the boundary of a task; it says so on standard error)
            self.handleError(record)
