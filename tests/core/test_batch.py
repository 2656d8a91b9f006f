from __future__ import annotations

import pytest

from plugandtell.core.audio import SPEECH
from plugandtell.core.batch import LONGEST_BLOCK_MS, batch_of

FRAMES = {"webrtc": 320, "silero": 512}


@pytest.mark.parametrize(
    ("batch_ms", "detector", "message_ms", "block_ms"),
    [
        (20, "webrtc", 20, 20),
        (20, "silero", 32, 32),
        (100, "webrtc", 100, 100),
        (100, "silero", 96, 96),
        (250, "webrtc", 240, 80),
        (250, "silero", 256, 64),
        (1000, "webrtc", 1000, 100),
        (1000, "silero", 960, 96),
    ],
)
def test_messages_are_about_as_long_as_asked_for(batch_ms: int, detector: str, message_ms: int, block_ms: int) -> None:
    batch = batch_of(batch_ms, FRAMES[detector])
    assert (SPEECH.ms_from(batch.message_samples), SPEECH.ms_from(batch.block_samples)) == (message_ms, block_ms)


@pytest.mark.parametrize("frame_samples", FRAMES.values())
def test_all_lengths_are_whole_frames_and_blocks_and_near_what_was_asked_for(frame_samples: int) -> None:
    for batch_ms in range(20, 1001):
        batch = batch_of(batch_ms, frame_samples)
        assert batch.block_samples % frame_samples == 0
        assert batch.message_samples % batch.block_samples == 0
        assert SPEECH.ms_from(batch.block_samples) <= LONGEST_BLOCK_MS
        off_ms = abs(SPEECH.ms_from(batch.message_samples) - batch_ms)
        assert off_ms <= max(SPEECH.ms_from(frame_samples), batch_ms / 5)
