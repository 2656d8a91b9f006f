"""A stream's short way with audio and its long one leave the same recordings, and say the same."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from plugandtell.core.errors import WriteFailed
from plugandtell.core.protocol.codec import encode
from plugandtell.core.protocol.messages import Audio, Position, ServerMessage
from plugandtell.core.recording import GapPolicy
from plugandtell.server.recorder import Recorder
from plugandtell.server.session import Session, SessionSettings
from tests.server.disk import Disk
from tests.support.recordings import recordings
from tests.support.wire import RATE, hello, pcm

if TYPE_CHECKING:
    from collections.abc import Sequence

GREETING = hello()
UNIT = RATE // 20

steps = st.one_of(
    st.tuples(st.just("audio"), st.just(0), st.integers(1, 6)),
    st.tuples(st.just("audio"), st.just(0), st.integers(1, 6)),
    st.tuples(st.just("audio"), st.integers(-4, 12), st.integers(1, 25)),
    st.tuples(st.just("position"), st.integers(0, 12), st.integers(-4, 0)),
    st.tuples(st.just("room"), st.integers(0, 60), st.just(0)),
    st.tuples(st.just("stop"), st.just(0), st.just(0)),
    st.tuples(st.just("commit error"), st.just(0), st.just(0)),
)
Step = tuple[str, int, int]


class Stream:
    """A stream on a disk of its own; its audio goes the short way if it can, or always the long one."""

    def __init__(self, folder: Path, *, is_short: bool) -> None:
        self._folder = folder
        self._is_short = is_short
        self._disk = Disk(10**9)
        self._recorder = Recorder(folder, self._disk.create)
        settings = SessionSettings(  # each its own, and so its own allowances
            silence_s=0.5, max_duration_s=1.0, resume_window_s=3.0, gaps=GapPolicy.FILL, max_message_bytes=65_536
        )
        self._session = Session(GREETING, self._recorder, settings, lambda: 0.0)

    def take(self, step: Step, at: int) -> list[dict[str, Any]] | str:
        """What it says to a step; or that the disk was full."""
        kind, by, much = step
        start = max(0, at + by * UNIT)
        try:
            match kind:
                case "audio":
                    return _plain(self._audio(start, pcm(start, much * UNIT)))
                case "position":
                    return _plain(self._session.receive(Position(start, max(0, start + much * UNIT))))
                case "room":
                    self._disk.room_bytes = by * UNIT if by else 10**9
                case "commit error":
                    self._session.commit_failed(WriteFailed("x", "the disk is gone"))
                case _:
                    self._session.shut_down()
        except WriteFailed:
            return "full"
        return []

    def _audio(self, start: int, data: bytes) -> Sequence[ServerMessage]:
        message = Audio(start, data)
        if not self._is_short:
            return self._session.receive(message)
        raw = encode(message)
        assert isinstance(raw, bytes)
        return self._session.receive_audio(start, raw)

    async def leave(self) -> list[tuple[bytes, dict[str, Any]]]:
        """What it recorded, without what is different each time."""
        self._disk.room_bytes = 10**9
        self._session.shut_down()
        await self._session.settle()
        self._recorder.close()
        found = []
        for one in recordings(self._folder):
            ids = {"segment_id": "", "continues": one.sidecar["continues"] is not None}
            found.append((one.pcm, one.sidecar | ids))
        return found


def _plain(replies: Sequence[ServerMessage]) -> list[dict[str, Any]]:
    return [{key: value for key, value in asdict(reply).items() if key != "segment_id"} for reply in replies]


async def play(script: list[Step]) -> None:
    with tempfile.TemporaryDirectory() as short_folder, tempfile.TemporaryDirectory() as long_folder:
        short, long = Stream(Path(short_folder), is_short=True), Stream(Path(long_folder), is_short=False)
        at = 0
        for step in script:
            assert short.take(step, at) == long.take(step, at)
            at = max(0, at + step[1] * UNIT) + (step[2] * UNIT if step[0] == "audio" else 0)
        assert await short.leave() == await long.leave()


@settings(max_examples=60)
@given(st.lists(steps, max_size=16))
def test_both_ways_leave_the_same(script: list[Step]) -> None:
    asyncio.run(play(script))
