"""The log: people read it on stderr, machines in a rotated JSON file, and neither can stop the program.

An app module starts it, everybody else asks for a logger:

    with configure(LogSettings("server", Path("logs"))) as service:
        ...

    log = get_logger()
    with bound_contextvars(stream=stream_id):
        log.info("voice_detected", at_s=12.3)  # has the stream on it, like all that this task logs
"""

from structlog.contextvars import bind_contextvars, bound_contextvars, clear_contextvars
from structlog.typing import FilteringBoundLogger

from plugandtell.core.log_level import LogLevel
from plugandtell.logservice.console import log_line
from plugandtell.logservice.forwarding import current_level, forward, log_forwarded
from plugandtell.logservice.service import (
    LogService,
    configure,
    configure_forwarding,
    get_logger,
    silence_without_log,
    take_line,
)
from plugandtell.logservice.settings import LogSettings
from plugandtell.logservice.throttle import Throttle

__all__ = [
    "FilteringBoundLogger",
    "LogLevel",
    "LogService",
    "LogSettings",
    "Throttle",
    "bind_contextvars",
    "bound_contextvars",
    "clear_contextvars",
    "configure",
    "configure_forwarding",
    "current_level",
    "forward",
    "get_logger",
    "log_forwarded",
    "log_line",
    "silence_without_log",
    "take_line",
]
