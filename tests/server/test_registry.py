"""Which streams a server remembers."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

from plugandtell.core.protocol.messages import Audio, ServerMessage, Welcome
from plugandtell.core.recording import GapPolicy
from plugandtell.server.recorder import Recorder
from plugandtell.server.registry import Registry
from plugandtell.server.session import SessionSettings
from tests.support.wire import hello, pcm

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from uuid import UUID

SETTINGS = SessionSettings(
    silence_s=3.0, max_duration_s=3600.0, resume_window_s=3.0, gaps=GapPolicy.FILL, max_message_bytes=65_536
)


class Nobody:
    """A connection that says nothing."""

    holder = None

    def send(self, message: ServerMessage) -> None:
        """Drop it."""

    async def is_alive(self) -> bool:
        """It is not."""
        return False

    async def abort(self) -> None:
        """There is nothing to drop."""


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[Recorder]:
    recorder = Recorder(tmp_path)
    yield recorder
    recorder.close()


async def leave(registry: Registry, *, dropped: bool = False) -> UUID:
    """A stream that said a word."""
    speaker, peer = hello(), Nobody()
    session = await registry.attach(speaker, peer)
    session.receive(Audio(0, pcm(0, 100)))
    registry.detach(session, peer, dropped=dropped)
    await session.settle()
    return speaker.stream_id


async def known_to(registry: Registry, stream_id: UUID) -> int:
    """Where the server lets the stream go on."""
    welcome = (await registry.attach(hello(stream_id), Nobody())).greeting()[0]
    assert isinstance(welcome, Welcome)
    return welcome.resume_from


async def test_streams_that_brought_nothing_push_out_none_that_did(recorder: Recorder) -> None:
    registry = Registry(recorder, SETTINGS, lambda: 0.0, remembered=3)
    stream_id = await leave(registry)
    for _ in range(10):
        peer = Nobody()
        registry.detach(await registry.attach(hello(), peer), peer, dropped=True)
        list(registry.sweep())
    assert await known_to(registry, stream_id) == 100


async def test_the_streams_that_were_over_last_are_remembered(recorder: Recorder) -> None:
    registry = Registry(recorder, SETTINGS, lambda: 0.0, remembered=3)
    stream_ids = []
    for _ in range(5):
        stream_ids.append(await leave(registry))
        list(registry.sweep())
    assert [await known_to(registry, stream_id) for stream_id in stream_ids] == [0, 0, 100, 100, 100]


async def test_a_stream_that_still_records_is_not_forgotten_and_keeps_no_other(recorder: Recorder) -> None:
    now_s = 0.0
    registry = Registry(recorder, SETTINGS, lambda: now_s, remembered=3)
    waiting = await leave(registry, dropped=True)
    stream_ids = [await leave(registry) for _ in range(5)]
    list(registry.sweep())
    assert [await known_to(registry, stream_id) for stream_id in stream_ids] == [0, 0, 100, 100, 100]
    now_s = 3.0
    list(registry.sweep())
    await registry.settle()
    assert recorder.open_recordings == 0
    assert await known_to(registry, waiting) == 100


async def test_a_sweep_costs_what_is_going_on_not_what_is_remembered(recorder: Recorder) -> None:
    registry = Registry(recorder, SETTINGS, lambda: 0.0)
    await registry.attach(hello(), Nobody())
    costs = []
    for _ in range(2):
        for _ in range(20):
            await leave(registry)
        list(registry.sweep())
        costs.append(_calls_in_a_sweep(registry))
    assert costs[0] == costs[1] > 0


def _calls_in_a_sweep(registry: Registry) -> int:
    """How many functions are called."""
    calls = 0

    def count(_frame: Any, event: str, _: Any) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        list(registry.sweep())
    finally:
        sys.setprofile(before)
    return calls
