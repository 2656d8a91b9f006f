from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugandtell.core.errors import (
    ChildCrashed,
    EngineFailed,
    EngineUnavailable,
    FolderUnusable,
    InputEmpty,
    InputNotAudio,
    InputTooLong,
    MessageInvalid,
    StageTimedOut,
    StoreUnusable,
)
from plugandtell.core.failure import FailureKind, RetryRules, Route, Verdict, judge, kind_of

RULES = RetryRules(attempts=3, rounds=4, poison_attempts=2, first_delay_s=2.0, longest_delay_s=10.0)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (EngineFailed("e", "x"), FailureKind.TRANSIENT),
        (ZeroDivisionError(), FailureKind.TRANSIENT),
        (EngineUnavailable("e", "no such package", "install it"), FailureKind.TRANSIENT),
        (FolderUnusable("--data-dir", "/d", "full"), FailureKind.TRANSIENT),
        (StoreUnusable("s", "x", "y"), FailureKind.TRANSIENT),
        (InputEmpty("a.wav", "x"), FailureKind.PERMANENT),
        (InputNotAudio("a.wav", "x"), FailureKind.PERMANENT),
        (InputTooLong("a.wav", "x"), FailureKind.PERMANENT),
        (MessageInvalid("q", "x", "{}"), FailureKind.PERMANENT),
        (ChildCrashed("e", "signal 11"), FailureKind.POISON),
        (StageTimedOut("e", 1.0), FailureKind.POISON),
    ],
)
def test_the_kind_of_a_failure_is_its_error_s(error: Exception, kind: FailureKind) -> None:
    assert kind_of(error) is kind


def routes(kind: FailureKind) -> str:
    return "".join(judge(RULES, kind, attempt, 0.5).route.value[0] for attempt in range(1, 10))


def test_transient_failures_go_onto_the_queue_then_through_the_retry_queue_then_nowhere() -> None:
    assert routes(FailureKind.TRANSIENT) == "aallllnnn"


def test_poison_is_tried_fewer_times_and_permanent_failures_never() -> None:
    assert routes(FailureKind.POISON) == "annnnnnnn"
    assert routes(FailureKind.PERMANENT) == "nnnnnnnnn"


def test_delays_double_up_to_the_longest_within_each_route() -> None:
    delays = [judge(RULES, FailureKind.TRANSIENT, attempt, 0.0).delay_s for attempt in range(1, 7)]
    assert delays == [1.0, 2.0, 1.0, 2.0, 4.0, 5.0]


@given(st.sampled_from(FailureKind), st.integers(1, 10_000), st.floats(0, 1, exclude_max=True))
def test_a_delay_is_never_longer_than_the_longest(kind: FailureKind, attempt: int, roll: float) -> None:
    rules = RetryRules(attempts=5000, rounds=5000)
    verdict = judge(rules, kind, attempt, roll)
    assert 0 <= verdict.delay_s <= rules.longest_delay_s
    assert (verdict == Verdict(Route.NOWHERE)) is (verdict.route is Route.NOWHERE)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"attempts": 0}, "attempts is 0"),
        ({"poison_attempts": 0}, "poison_attempts is 0"),
        ({"rounds": -1}, "rounds is -1"),
        ({"first_delay_s": 9.0, "longest_delay_s": 1.0}, "from 9 to 1 s"),
    ],
)
def test_rules_out_of_range_are_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RetryRules(**fields)
