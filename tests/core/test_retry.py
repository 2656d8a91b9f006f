from __future__ import annotations

from plugandtell.core.retry import Retry


def pauses(retry: Retry, now_s: float = 100.0) -> list[float]:
    """The pauses of an attempt that never works; trying itself takes no time."""
    taken = []
    while (pause_s := retry.next_pause_s(now_s)) is not None:
        taken.append(pause_s)
        now_s += pause_s
    return taken


def test_pauses_double_up_to_the_longest_and_end_in_time() -> None:
    assert pauses(Retry(0.25, 2, 8)) == [0.25, 0.5, 1, 2, 2, 2]


def test_progress_begins_anew() -> None:
    retry = Retry(1, 8, 10)
    assert pauses(retry) == [1, 2, 4]
    retry.progress()
    assert pauses(retry, 500.0) == [1, 2, 4]


def test_without_progress_the_deadline_stands() -> None:
    """A server that welcomes us and drops us again has not helped."""
    retry = Retry(1, 8, 10)
    assert retry.next_pause_s(100.0) == 1
    assert retry.next_pause_s(108.0) == 2
    assert retry.next_pause_s(109.0) is None


def test_no_patience_is_no_try() -> None:
    assert pauses(Retry(0.25, 2, 0)) == []


def test_many_tries_do_not_overflow() -> None:
    retry = Retry(0.25, 5, 1e9)
    assert [retry.next_pause_s(0.0) for _ in range(5000)][-1] == 5
