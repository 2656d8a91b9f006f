from __future__ import annotations

import mmap
import os

from plugandtell.analytics.memory import memory_bytes


def test_memory_that_is_held_is_counted() -> None:
    before = memory_bytes(os.getpid())
    with mmap.mmap(-1, 50_000_000) as held:  # what the allocator gives may be memory that was freed before
        for _ in range(50):
            held.write(b"x" * 1_000_000)
        after = memory_bytes(os.getpid())
    assert before is not None
    assert after is not None
    assert 40_000_000 < after - before < 80_000_000


def test_nothing_is_known_of_a_process_that_is_gone() -> None:
    assert memory_bytes(2**22 + 1) is None
