from __future__ import annotations

import math
from itertools import pairwise, repeat
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from plugandtell.core.retry import Retry

if TYPE_CHECKING:
    from collections.abc import Iterable

ALMOST_ONE = math.nextafter(1, 0)


def pauses(retry: Retry, rolls: Iterable[float] = repeat(0.5), now_s: float = 100.0) -> list[float]:
    """The pauses of an attempt that never works; trying itself takes no time."""
    taken = []
    for roll in rolls:
        if (pause_s := retry.next_pause_s(now_s, roll)) is None:
            break
        taken.append(pause_s)
        now_s += pause_s
    return taken


def test_pauses_double_up_to_the_longest_and_end_in_time() -> None:
    assert pauses(Retry(0.5, 4, 8.5)) == [0.25, 0.5, 1, 2, 2, 2]


@given(st.lists(st.floats(0, ALMOST_ONE), min_size=20, max_size=20))
def test_each_pause_is_drawn_from_the_whole_of_its_span(rolls: list[float]) -> None:
    spans = [min(5, 0.25 * 2.0**number) for number in range(20)]
    assert pauses(Retry(0.25, 5, math.inf), rolls) == [roll * span for roll, span in zip(rolls, spans, strict=True)]


def test_the_span_grows_even_when_the_dice_say_at_once() -> None:
    """However they fall, tries that fail do not go on without a pause."""
    retry = Retry(0.25, 5, math.inf)
    assert pauses(retry, [0.0] * 5) == [0.0] * 5
    assert retry.next_pause_s(100.0, 0.5) == 2.5


def test_progress_begins_anew() -> None:
    retry = Retry(2, 16, 10)
    assert pauses(retry) == [1, 2, 4]
    retry.progress()
    assert pauses(retry, now_s=500.0) == [1, 2, 4]


def test_without_progress_the_deadline_stands() -> None:
    """A server that welcomes us and drops us again has not helped."""
    retry = Retry(2, 16, 10)
    assert retry.next_pause_s(100.0, 0.5) == 1
    assert retry.next_pause_s(107.0, 0.5) == 2
    assert retry.next_pause_s(109.0, 0.5) is None


def test_no_patience_is_no_try() -> None:
    assert pauses(Retry(0.25, 2, 0)) == []
    assert pauses(Retry(0.25, 2, 0), [0.0]) == []


def test_endless_patience_never_gives_up() -> None:
    assert Retry(0.25, 5, math.inf).next_pause_s(1e12, ALMOST_ONE) is not None


def test_many_tries_do_not_overflow() -> None:
    retry = Retry(0.25, 5, 1e9)
    found = pauses(retry, [0.5] * 5000)
    assert found[-1] == 2.5
    assert all(first <= second for first, second in pairwise(found))
