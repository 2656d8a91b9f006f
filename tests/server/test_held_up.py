"""A server that was held up does not blame its clients: by a busy machine, or by a computer that slept."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from plugandtell.core.protocol.messages import Ack
from tests.support.recordings import recordings
from tests.support.wire import RATE, Wire

if TYPE_CHECKING:
    from pathlib import Path

    from tests.server.conftest import StartServer


async def test_what_waits_in_the_socket_is_read_before_a_client_counts_as_idle(
    start_server: StartServer, audio_dir: Path
) -> None:
    async with start_server(idle_timeout=0.4) as url, await Wire.greeted(url) as wire:
        await wire.speak(0, RATE)
        while (await wire.hear(Ack)).stored_to < RATE:
            pass
        await wire.speak(RATE, RATE)
        time.sleep(0.8)  # noqa: ASYNC251  (the server runs on the loop that this holds up)
        assert len(await wire.end(2 * RATE)) == 1
    (found,) = recordings(audio_dir)
    assert found.sidecar["samples"] == 2 * RATE
