from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from plugandtell.client.capture import BACKLOG_S, Capture, Dropped
from plugandtell.core.audio import SPEECH, AudioFormat

SAMPLES = 800  # in a block


def blocks_in_backlog(audio_format: AudioFormat) -> int:
    return audio_format.samples_from_s(BACKLOG_S) // SAMPLES


def hear(capture: Capture, *values: int, overflow: bool = False) -> None:
    """A block of each of these values."""
    for value in values:
        block = np.full(SAMPLES * capture.audio_format.channels, value, np.int16)
        capture.hear(block.data, SAMPLES, None, SimpleNamespace(input_overflow=overflow))
        block[:] = 99  # the memory is PortAudio's, and used again


def capture_of(audio_format: AudioFormat = SPEECH) -> Capture:
    return Capture(audio_format, lambda: 0.0, lambda: None)


def taken(capture: Capture) -> list[int | Dropped]:
    values: list[int | Dropped] = []
    while (block := capture.take()) is not None:
        if isinstance(block, Dropped):
            values.append(block)
            continue
        heard = np.frombuffer(block, np.int16)
        assert len(heard) == SAMPLES * capture.audio_format.channels
        assert len(np.unique(heard)) == 1
        values.append(int(heard[0]))
    return values


def test_what_was_heard_is_taken_once_and_in_order() -> None:
    capture = capture_of(AudioFormat(48_000, 2))
    assert taken(capture) == []
    hear(capture, -(2**15), 7)
    assert taken(capture) == [-(2**15), 7]
    hear(capture, 8)
    assert taken(capture) == [8]
    assert taken(capture) == []
    assert capture.heard_samples == 3 * SAMPLES


def test_a_full_backlog_drops_the_newest_and_counts_it() -> None:
    capture = capture_of()
    blocks = blocks_in_backlog(SPEECH)
    hear(capture, *range(blocks))
    assert capture.dropped_samples == 0
    hear(capture, 1, 2, 3)
    assert capture.dropped_samples == 3 * SAMPLES
    assert taken(capture) == list(range(blocks))
    assert capture.dropped_since == Dropped(3 * SAMPLES)
    hear(capture, 4)  # there is room again
    assert taken(capture) == [Dropped(3 * SAMPLES), 4]  # and the hole has its place
    assert capture.dropped_samples == 3 * SAMPLES
    assert capture.heard_samples == (blocks + 4) * SAMPLES
    assert capture.dropped_since == Dropped(0)


def test_dropped_samples_are_counted_in_the_format_that_they_would_have_had() -> None:
    capture = capture_of(AudioFormat(48_000, 1))
    hear(capture, *range(blocks_in_backlog(capture.audio_format) + 3))
    assert capture.dropped_samples == SAMPLES


def test_audio_lost_before_it_reached_us_is_counted() -> None:
    capture = capture_of()
    hear(capture, 1, 2, overflow=True)
    hear(capture, 3)
    assert capture.overflows == 2


def test_the_last_callback_is_noted() -> None:
    capture = capture_of()
    assert not capture.finished
    capture.finish()
    assert capture.finished


def test_it_knows_when_the_first_and_the_last_sample_were_heard() -> None:
    times = iter([10.0, 10.5, 11.0])
    capture = Capture(SPEECH, lambda: next(times), lambda: None)
    assert (capture.heard_from_s, capture.heard_to_s) == (10.0, 10.0)
    hear(capture, 1)
    assert (capture.heard_from_s, capture.heard_to_s) == (10.45, 10.5)
    hear(capture, 2)
    assert (capture.heard_from_s, capture.heard_to_s) == (10.45, 11.0)


def test_it_rings_when_there_is_something_to_take_and_at_the_end() -> None:
    rings = []
    capture = Capture(SPEECH, lambda: 0.0, lambda: rings.append(len(taken(capture))))
    hear(capture, 1, 2)
    capture.finish()
    assert rings == [1, 1, 0]
