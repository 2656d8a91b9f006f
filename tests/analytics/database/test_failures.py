"""Failures on record, and alerts that get through once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from plugandtell.core.call import Stage
from tests.analytics.database.moments import NOON, add, alert, failure

if TYPE_CHECKING:
    from plugandtell.analytics.database import StoredCalls

S, I = Stage.SENTIMENT, Stage.INTENT  # noqa: E741


async def test_a_failure_is_read_back_as_it_was_told(calls: StoredCalls) -> None:
    await add(calls, "7f")
    assert await calls.note_failure(failure("7f"))
    assert await calls.failures("7f") == [failure("7f")]


async def test_a_failure_that_is_told_twice_is_kept_once(calls: StoredCalls) -> None:
    await add(calls, "7f")
    told = await asyncio.gather(*(calls.note_failure(failure("7f", seconds=number)) for number in range(6)))
    assert sorted(told) == [False] * 5 + [True]
    assert len(await calls.failures()) == 1


async def test_each_attempt_at_each_stage_of_each_call_has_its_own(calls: StoredCalls) -> None:
    await add(calls, "a", "b")
    each = [failure("a"), failure("a", S, seconds=1), failure("a", I, 2, seconds=2), failure("b", seconds=3)]
    for one in each:
        assert await calls.note_failure(one)
    assert await calls.failures() == each
    assert await calls.failures("a") == each[:3]
    assert await calls.failures(limit=2) == each[2:]


async def test_a_failure_counts_however_late_it_is_told(calls: StoredCalls) -> None:
    await add(calls, "7f")
    for attempt in (2, 1):
        assert await calls.note_failure(failure("7f", I, attempt))
    stages = await calls.stages("7f")
    assert (stages[I].failed, stages[I].next_attempt, stages[S].failed) == (2, 3, 0)


async def test_what_no_database_takes_is_replaced(calls: StoredCalls) -> None:
    await add(calls, "7f")
    await calls.note_failure(replace(failure("7f"), message="a\0b\ud800c", details="x" * 1_000_000))
    [kept] = await calls.failures("7f")
    assert kept.message == "a\N{SYMBOL FOR NULL}b?c"
    assert len(kept.details) == 100_000


async def test_there_is_one_alert_for_an_attempt_however_often_it_is_raised(calls: StoredCalls) -> None:
    await add(calls, "7f")
    raised = await asyncio.gather(*(calls.raise_alert(alert("7f", seconds=number)) for number in range(6)))
    assert sorted(raised) == [False] * 5 + [True]
    for other in (alert("7f", S, seconds=7), alert("7f", I, 2, seconds=8)):
        assert await calls.raise_alert(other)
    assert [(one.stage, one.attempt) for one in await calls.alerts("7f")] == [(I, 2), (S, 1), (I, 1)]
    assert len(await calls.alerts(limit=2)) == 2


async def test_an_alert_is_pending_on_a_channel_until_it_went_out_or_was_given_up(calls: StoredCalls) -> None:
    await add(calls, "7f")
    one, other = alert("7f"), alert("7f", S, seconds=1)
    await calls.raise_alert(other)
    await calls.raise_alert(one)
    assert await calls.pending_alerts([]) == []
    assert await calls.pending_alerts(["log", "webhook"]) == [
        (one, "log"),
        (other, "log"),
        (one, "webhook"),
        (other, "webhook"),
    ]
    await calls.note_delivery(one.alert_id, "log", NOON)
    await calls.note_delivery(other.alert_id, "webhook", NOON, "refused")
    assert await calls.pending_alerts(["log", "webhook"]) == [(other, "log"), (one, "webhook")]
    assert await calls.deliveries("7f") == {(one.alert_id, "log"): None, (other.alert_id, "webhook"): "refused"}
    assert await calls.pending_alerts(["log", "webhook"], other.at) == [(other, "log")]


async def test_the_first_word_of_a_delivery_counts(calls: StoredCalls) -> None:
    await add(calls, "7f")
    await calls.raise_alert(alert("7f"))
    await calls.note_delivery(alert("7f").alert_id, "log", NOON)
    await calls.note_delivery(alert("7f").alert_id, "log", NOON, "refused")
    assert await calls.deliveries("7f") == {(alert("7f").alert_id, "log"): None}


async def test_one_alert_is_asked_for_by_its_id_and_channel(calls: StoredCalls) -> None:
    await add(calls, "7f")
    one = alert("7f")
    assert await calls.pending_alert(one.alert_id, "log") is None
    await calls.raise_alert(one)
    await calls.raise_alert(alert("7f", S))
    await calls.note_delivery(one.alert_id, "webhook", NOON)
    assert await calls.pending_alert(one.alert_id, "log") == one
    assert await calls.pending_alert(one.alert_id, "webhook") is None
