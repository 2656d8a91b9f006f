from __future__ import annotations

import pytest

from plugandtell.core.rate import Rate


def test_it_is_the_growth_within_the_window() -> None:
    rate = Rate(window_s=2.0)
    assert [rate.feed(at / 2, 50 * at) for at in range(5)] == [0.0, 100.0, 100.0, 100.0, 100.0]
    assert rate.feed(3.0, 200) == pytest.approx(50.0)
    assert rate.feed(4.0, 200) == 0.0


def test_a_count_that_shrinks_is_no_growth() -> None:
    rate = Rate()
    rate.feed(0.0, 100)
    assert rate.feed(1.0, 0) == 0.0


def test_a_long_pause_is_part_of_the_mean() -> None:
    rate = Rate(window_s=2.0)
    rate.feed(0.0, 0)
    assert rate.feed(100.0, 1000) == 10.0
