from __future__ import annotations

from plugandtell.logservice import Throttle


def test_each_event_comes_at_once_and_then_once_in_its_time() -> None:
    throttle = Throttle(every_s=1.0)
    due = [(at, event) for at in (5.0, 5.5, 6.0, 6.9, 7.0) for event in "ab" if throttle.is_due(event, at)]
    assert due == [(at, event) for at in (5.0, 6.0, 7.0) for event in "ab"]


def test_events_do_not_wait_for_one_another() -> None:
    throttle = Throttle(every_s=1.0)
    assert throttle.is_due("transfer_in_progress", 5.0)
    assert throttle.is_due("silence_growing", 5.1)
    assert not throttle.is_due("transfer_in_progress", 5.9)
