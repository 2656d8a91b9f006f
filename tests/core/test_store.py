"""The contract of a store, and the store in memory. A sample tells its index, or nearly."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from plugandtell.core.audio import AudioFormat
from plugandtell.core.store import MemoryStore

AUDIO = AudioFormat(1, 1)


def pcm(start: int, end: int) -> bytes:
    return np.arange(start, end).astype("<i2").tobytes()


def test_what_is_kept_is_read_up_to_the_first_hole() -> None:
    store = MemoryStore(AUDIO, 1000)
    for start, end in ((5, 8), (8, 10), (20, 22)):
        store.append(start, pcm(start, end))
    assert store.read(5, 10) == pcm(5, 10)
    assert store.read(7, 9) == pcm(7, 9)
    assert store.read(7, 30) == pcm(7, 10)
    assert store.read(20, 21) == pcm(20, 21)
    assert store.read(0, 3) == store.read(12, 14) == store.read(40, 41) == b""


def test_the_oldest_goes_when_it_is_full() -> None:
    store = MemoryStore(AUDIO, 64)
    for start in range(0, 40, 2):
        store.append(start, pcm(start, start + 2))
    assert store.size_bytes <= 64
    assert store.take_lost() == [(start, start + 2) for start in range(0, 8, 2)]
    assert store.take_lost() == []
    assert store.read(6, 8) == b""
    assert store.read(8, 40) == pcm(8, 40)


def test_what_is_stored_elsewhere_makes_room() -> None:
    store = MemoryStore(AUDIO, 64)
    for start in range(0, 400, 2):
        store.append(start, pcm(start, start + 2))
        store.forget(start)
    assert store.take_lost() == []
    assert store.size_bytes <= 4


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 30)), max_size=30), st.integers(0, 300))
def test_it_holds_everything_but_what_it_says_it_lost(slices: list[tuple[int, int]], forget_to: int) -> None:
    store, index, kept = MemoryStore(AUDIO, 100), 0, set[int]()
    for hole, length in slices:
        start, index = index + hole, index + hole + length
        store.append(start, pcm(start, index))
        kept |= set(range(start, index))
        for first, last in store.take_lost():
            kept -= set(range(first, last))
    store.forget(forget_to)
    for sample in kept:
        if sample >= forget_to:
            assert store.read(sample, sample + 1) == pcm(sample, sample + 1)
    assert store.size_bytes <= 100 + 2 * 30
