from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

import pytest

from plugandtell.logservice import (
    LogLevel,
    LogSettings,
    bound_contextvars,
    configure,
    current_level,
    log_forwarded,
)

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("level", list(LogLevel))
def test_the_level_of_this_process_is_known(tmp_path: Path, level: LogLevel) -> None:
    with configure(LogSettings("server", tmp_path, level)):
        assert current_level() is level


def test_what_another_process_sent_is_logged_with_the_ids_that_are_bound_here(tmp_path: Path) -> None:
    line = json.dumps({"timestamp": "T", "level": "warning", "event": "obeyed", "process": "child", "pid": 7, "x": 1})
    with configure(LogSettings("worker", tmp_path)) as service, bound_contextvars(call="7f"):
        log_forwarded(line)
    logged = json.loads(service.path.read_text())
    assert logged["event"] == "obeyed"
    assert logged["level"] == "warning"
    assert logged["process"] == "worker"
    assert (logged["child"], logged["call"], logged["x"]) == (7, "7f", 1)
    assert logged["timestamp"] != "T"


@pytest.mark.parametrize("line", ["", "[]", "{}", '{"event": 3}', "nonsense"])
def test_what_is_no_event_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r"no event|JSON|Expecting"):
        log_forwarded(line)


def test_strange_fields_and_levels_do_no_harm(tmp_path: Path) -> None:
    line = json.dumps({"level": ["x"], "event": "100 %s", "self": 1, "event_": 2, "exc_info": True, "level_": 3})
    with configure(LogSettings("worker", tmp_path)) as service:
        log_forwarded(line)
    assert json.loads(service.path.read_text())["event"] == "100 %s"
    assert logging.getLogger("plugandtell").level == logging.NOTSET
