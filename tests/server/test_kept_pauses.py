"""Recordings that are cut inside a pause: no part of one is thrown away because it happens to hold no voice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plugandtell.core.protocol.messages import Position, SegmentStarted
from tests.support.recordings import recordings
from tests.support.wire import Wire, hello, pcm

if TYPE_CHECKING:
    from pathlib import Path

    from tests.server.conftest import StartServer

SECOND = 16_000


async def test_a_pause_that_is_cut_out_of_a_recording_by_its_longest_duration_is_kept(
    start_server: StartServer, audio_dir: Path
) -> None:
    async with start_server(max_duration=1, silence=3) as url, await Wire.greeted(url) as wire:
        await wire.speak(0, SECOND)
        await wire.say(Position(7 * SECOND // 2, SECOND))  # the pause lasts until here, and is then sent after all
        await wire.speak(SECOND, 4 * SECOND)
        await wire.end(5 * SECOND)
    found = recordings(audio_dir)
    assert b"".join(item.pcm for item in found) == pcm(0, 5 * SECOND)
    assert [item.sidecar["voiced_samples"] for item in found] == [SECOND, 0, 0, SECOND // 2, SECOND]
    assert [item.sidecar["continues"] for item in found[1:]] == [item.sidecar["segment_id"] for item in found[:-1]]


async def test_a_pre_roll_whose_line_is_cut_before_the_voice_comes_is_kept(
    start_server: StartServer, audio_dir: Path
) -> None:
    greeting = hello()
    async with start_server(resume_window=0) as url:
        async with await Wire.greeted(url, greeting) as wire:
            await wire.say(Position(2 * SECOND, 0))
            await wire.speak(SECOND, SECOND)  # behind the position: before the onset
            await wire.hear(SegmentStarted)
        async with await Wire.greeted(url, greeting) as wire:
            await wire.speak(SECOND, 2 * SECOND)
            await wire.end(3 * SECOND)
    first, second = recordings(audio_dir)
    assert first.pcm + second.pcm == pcm(SECOND, 2 * SECOND)
    assert second.sidecar["continues"] == first.sidecar["segment_id"]
