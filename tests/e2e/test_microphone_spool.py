"""What is spoken while there is no server, into a client that does not live to see one."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.e2e.test_microphone import speak
from tests.support.processes import free_port, running
from tests.support.recordings import recordings
from tests.support.speech import sentence, silence
from tests.support.virtual_microphone import virtual_microphone

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="the virtual microphone is made by PulseAudio, which only Linux has"
)


async def test_what_is_spoken_while_the_server_is_away_survives_the_client(tmp_path: Path) -> None:
    said = sentence(4)
    port = free_port()
    server, client = ("server", f"--port={port}"), ("client", f"--server=ws://127.0.0.1:{port}")
    with virtual_microphone() as microphone:
        environment = microphone.environment
        async with running(tmp_path, *server) as first:
            await first.line()
            async with running(tmp_path, *client, environment=environment) as killed:
                await killed.logged("connected")
                first.process.kill()
                await killed.logged("connection lost")
                await speak(microphone, np.concatenate([said, silence(0.3)]).astype("<i2").tobytes())
                await killed.logged("silence growing")
                killed.process.kill()
                await killed.outcome()
        async with running(tmp_path, *server) as second:
            await second.line()
            async with running(tmp_path, *client, environment=environment) as later:
                await later.logged("leftover sent")
                outcome = await later.stop()
    assert outcome.status == 0, outcome.stderr
    (found,) = recordings(tmp_path / "audio")
    assert said.astype("<i2").tobytes() in found.pcm
    assert outcome.lines == [found.path.name]
