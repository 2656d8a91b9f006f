from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from plugandtell.core.ranges import Ranges


@given(
    lengths=st.lists(st.tuples(st.integers(0, 3), st.integers(1, 9)), max_size=12),
    removals=st.lists(st.tuples(st.integers(0, 100), st.integers(0, 40)), max_size=6),
)
def test_they_are_the_set_that_they_stand_for(lengths: list[tuple[int, int]], removals: list[tuple[int, int]]) -> None:
    ranges, expected, index = Ranges(), set[int](), 0
    for hole, length in lengths:
        ranges.add(index + hole, index + hole + length)
        expected |= set(range(index + hole, index + hole + length))
        index += hole + length
    for start, length in removals:
        gone = set(range(start, start + length))
        assert ranges.remove(start, start + length) == len(expected & gone)
        expected -= gone
    found = list(ranges)
    assert [sample for start, end in found for sample in range(start, end)] == sorted(expected)
    assert ranges.samples == len(expected)
    assert all(end <= start for (_, end), (start, _) in pairwise(found))


def test_ranges_that_touch_are_one() -> None:
    ranges = Ranges()
    ranges.add(0, 4)
    ranges.add(4, 9)
    assert list(ranges) == [(0, 9)]
