"""Numbers of a server of several processes: whichever of them is asked, it tells those of all."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

import pytest

from plugandtell.core.protocol.messages import Ack, Position
from tests.support.processes import running_server
from tests.support.scraping import get
from tests.support.watching import ended
from tests.support.wire import RATE, Wire
from tests.support.workers import hello_for, naming, pid_of

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows hands no connections on")


async def numbers(url: str) -> dict[str, float]:
    page = await get(url, "/metrics")
    assert page.status == 200
    return {name.removeprefix("plugandtell_"): value for name, value in page.numbers.items()}


async def test_each_worker_tells_the_sum_and_a_dead_one_takes_no_count_along(tmp_path: Path) -> None:
    greetings = [hello_for(1), hello_for(2)]
    async with running_server(tmp_path, "--workers=2") as (server, url):
        for greeting in greetings:
            for is_named in (True, False):  # the second may move, and is one message all the same
                async with await Wire.greeted(url, greeting, **naming(greeting, is_named=is_named)) as wire:
                    start = 0 if is_named else RATE
                    await wire.speak(start, RATE)  # 10 messages
                    await wire.say(Position(start + RATE))
                    while (await wire.hear(Ack)).stored_to < start + RATE:
                        pass
        for _ in range(3):  # each of the workers in turn
            found = await numbers(url)
            assert found["messages_received_total"] == 4 * 12
            assert found["recorded_seconds_total"] == 4
            assert found["stream_resumes_total"] == 2
            assert (found["recordings_open"], found["recording_processes"]) == (2, 2)
        assert found["connections_accepted_total"] == 4 + 3
        pid = await pid_of(tmp_path, 1)
        os.kill(pid, signal.SIGKILL)
        assert await ended(pid)
        await pid_of(tmp_path, 1, life=2)
        after = await numbers(url)
        assert after["worker_deaths_total"] == 1
        assert after["recorded_seconds_total"] == 4
        assert after["messages_received_total"] == 4 * 12
        assert after["recording_processes"] == 2
        assert after["process_cpu_seconds_total"] >= found["process_cpu_seconds_total"]
        assert (await server.stop()).status == 0
