"""Segments that cannot be settled at once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from plugandtell.core.errors import WriteFailed
from plugandtell.core.metrics import Counts
from plugandtell.core.protocol.messages import EndReason, SegmentSaved
from plugandtell.logservice import get_logger
from plugandtell.server.settling import Notice, Settling, Unsettled
from tests.support.driver import Driver
from tests.support.recordings import recordings
from tests.support.wire import RATE, pcm

if TYPE_CHECKING:
    from pathlib import Path

    from tests.server.conftest import StartServer


class Disk:
    """Moves what it is told to move, unless it is full."""

    def __init__(self) -> None:
        self.is_full = False
        self.tries = 0

    def segment(self, number: int) -> Unsettled:
        def settle() -> Notice:
            self.tries += 1
            if self.is_full:
                raise WriteFailed("a.wav", "full")
            return SegmentSaved(UUID(int=number), "a.wav", 0, 10, 10, EndReason.SILENCE)

        return Unsettled(UUID(int=number), "a.wav", 10, EndReason.SILENCE, settle)


class Bench:
    """A `Settling` with its surroundings."""

    def __init__(self) -> None:
        self.disk = Disk()
        self.now_s = 0.0
        self.told: list[int] = []
        self.counts = Counts()
        self.settling = Settling(self._tell, lambda: self.now_s, get_logger(), self.counts)

    def _tell(self, notice: Notice) -> None:
        self.told.append(notice.segment_id.int)


@pytest.fixture
async def bench() -> Bench:
    return Bench()


async def test_segments_are_told_in_their_order(bench: Bench) -> None:
    for number in range(5):
        bench.settling.add(bench.disk.segment(number))
    assert bench.settling.unsaved_samples == 50
    await bench.settling.wait_for_all(10)
    assert (bench.told, bench.settling.unsaved_samples) == ([0, 1, 2, 3, 4], 0)
    assert [notice.segment_id.int for notice in bench.settling.notices] == bench.told


async def test_what_fails_is_tried_again_after_pauses_that_grow(bench: Bench) -> None:
    bench.disk.is_full = True
    bench.settling.add(bench.disk.segment(1))
    await bench.settling.wait()
    tried_at = []
    for tenth in range(400):
        bench.now_s = tenth / 10
        tries = bench.disk.tries
        bench.settling.retry()
        await bench.settling.wait()
        tried_at += [bench.now_s] * (bench.disk.tries - tries)
    assert tried_at == [1, 3, 7, 15, 31]
    assert bench.settling.unsaved_samples == 10
    bench.disk.is_full = False
    bench.settling.retry(at_once=True)
    await bench.settling.wait_for_all(10)
    assert bench.told == [1]


async def test_no_more_begin_when_too_many_wait(bench: Bench) -> None:
    bench.disk.is_full = True
    for number in range(9):
        bench.settling.check()
        bench.settling.add(bench.disk.segment(number))
        await bench.settling.wait()
    with pytest.raises(WriteFailed, match=r"a\.wav"):
        bench.settling.check()


async def test_who_waits_for_all_does_not_wait_for_ever(bench: Bench) -> None:
    bench.disk.is_full = True
    bench.settling.add(bench.disk.segment(1))
    with pytest.raises(WriteFailed, match=r"a\.wav"):
        await bench.settling.wait_for_all(0.01)
    bench.disk.is_full = False
    bench.settling.retry(at_once=True)
    await bench.settling.wait_for_all(10)


async def test_a_segment_is_known_while_it_is_pending_and_when_it_is_settled(bench: Bench) -> None:
    bench.settling.add(bench.disk.segment(1))
    assert bench.settling.knows(UUID(int=1))
    await bench.settling.wait_for_all(10)
    assert bench.settling.knows(UUID(int=1))
    assert not bench.settling.knows(UUID(int=2))


async def test_a_recording_that_is_in_the_way_of_its_own_name_is_saved_and_told_when_it_can_be(
    start_server: StartServer, audio_dir: Path
) -> None:
    client = Driver()
    client.speak(0, RATE)
    client.stream.end(RATE)
    blocker = audio_dir / "2026-11-23T15-35-00.848Z_laptop.json"
    async with start_server() as url:
        blocker.mkdir()
        running = asyncio.create_task(client.run(url))
        async with asyncio.timeout(30):
            while not blocker.with_suffix(".wav").exists():  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        blocker.rmdir()
        assert await running
    (found,) = recordings(audio_dir)
    assert found.pcm == pcm(0, RATE)
