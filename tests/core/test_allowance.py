"""What many would do at once is spread."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from plugandtell.core.allowance import Allowance


def test_one_at_a_time_is_spread_evenly() -> None:
    allowance = Allowance(4)
    assert [allowance.take(eighth / 8) for eighth in range(9)] == [True, False] * 4 + [True]


def test_after_a_rest_a_few_more_may_happen_at_once() -> None:
    allowance = Allowance(4, at_once=3)
    assert [allowance.take(10) for _ in range(5)] == [True, True, True, False, False]
    assert [allowance.take(10.25) for _ in range(2)] == [True, False]
    assert [allowance.take(100) for _ in range(5)] == [True, True, True, False, False]


@given(st.lists(st.integers(0, 40), min_size=1), st.integers(1, 5))
def test_no_stretch_of_time_sees_more_than_is_allowed(pauses: list[int], at_once: int) -> None:
    allowance = Allowance(4, at_once)
    now, happened = 0.0, []
    for pause in pauses:
        now += pause / 32
        if allowance.take(now):
            happened.append(now)
    for first in range(len(happened)):
        for last in range(first, len(happened)):
            assert last - first + 1 <= at_once + 4 * (happened[last] - happened[first]) + 1e-9
