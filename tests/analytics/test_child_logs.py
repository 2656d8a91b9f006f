"""What is logged in a child is in the log of the process that has the pool."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from plugandtell.analytics.pool import Pool, PoolSettings
from plugandtell.analytics.service import CallInput
from plugandtell.core.call import Stage
from plugandtell.logservice import LogSettings, bound_contextvars, configure
from tests.support.services import Obedient

if TYPE_CHECKING:
    from pathlib import Path


async def test_events_of_a_child_and_warnings_of_its_libraries_are_in_the_log(tmp_path: Path) -> None:
    with configure(LogSettings("worker", tmp_path)) as service:
        async with Pool(Obedient(tmp_path), PoolSettings(), tmp_path) as pool:
            with bound_contextvars(call="7f"):
                await pool.run(Stage.INTENT, CallInput("log-me", "file:///a.wav"), 60.0)
    logged: list[dict[str, Any]] = [json.loads(line) for line in service.path.read_text().splitlines()]
    (obeyed,) = [event for event in logged if event["event"] == "obeyed"]
    assert (obeyed["value"], obeyed["call"], obeyed["process"]) == ("me", "7f", "worker")
    assert obeyed["child"] != obeyed["pid"]
    assert obeyed["api_token"] == "***"
    (warned,) = [event for event in logged if event["event"] == "beware of me"]
    assert (warned["level"], warned["logger"]) == ("warning", "some.library")
