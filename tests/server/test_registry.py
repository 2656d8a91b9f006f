"""Which streams a server remembers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plugandtell.core.protocol.messages import Audio, ServerMessage, Welcome
from plugandtell.core.recording import GapPolicy
from plugandtell.server.recorder import Recorder
from plugandtell.server.registry import Registry
from plugandtell.server.session import SessionSettings
from tests.support.wire import RATE, hello, pcm

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = SessionSettings(
    silence_s=3.0, max_duration_s=3600.0, resume_window_s=3.0, gaps=GapPolicy.FILL, max_message_bytes=65_536
)
MORE_THAN_ARE_REMEMBERED = 10_001


class Nobody:
    """A connection that says nothing."""

    holder = None

    async def send(self, message: ServerMessage) -> None:
        """Drop it."""

    async def is_alive(self) -> bool:
        """It is not."""
        return False

    async def abort(self) -> None:
        """There is nothing to drop."""


async def test_streams_that_brought_nothing_push_out_none_that_did(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path)
    registry = Registry(recorder, SETTINGS, lambda: 0.0)
    speaker, peer = hello(), Nobody()
    session = await registry.attach(speaker, peer)
    session.receive(Audio(0, pcm(0, RATE)))
    registry.detach(session, peer, dropped=False)
    await registry.settle()
    for _ in range(MORE_THAN_ARE_REMEMBERED):
        registry.detach(await registry.attach(hello(), peer), peer, dropped=True)
    welcome = (await registry.attach(speaker, peer)).greeting()[0]
    assert isinstance(welcome, Welcome)
    assert welcome.resume_from == RATE
    recorder.close()
