"""Entering, finding, listing and deleting calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from plugandtell.core.call import CallOptions, CallState, Stage
from plugandtell.core.errors import CallNotFound
from tests.analytics.database.moments import NOON, OPTIONS, add, after, alert, failure, keep
from tests.support.results import RESULTS

if TYPE_CHECKING:
    from plugandtell.analytics.calls import Calls
    from plugandtell.analytics.database import StoredCalls


async def test_the_database_is_what_the_engine_asks_for(calls: StoredCalls) -> None:
    port: Calls = calls  # mypy compares every method
    await port.add("7f", "file:///7f.wav", "file", OPTIONS, NOON)
    assert (await port.get("7f")).call_id == "7f"


async def test_a_call_is_there_as_it_was_submitted(calls: StoredCalls) -> None:
    assert await calls.add("7f", "s3://calls/7f.wav", "recording", OPTIONS, NOON)
    call = await calls.get("7f")
    assert (call.audio_url, call.source, call.options) == ("s3://calls/7f.wav", "recording", OPTIONS)
    assert (call.state, call.added_at, call.ended_at) == (CallState.WAITING, NOON, None)


async def test_a_call_that_is_submitted_again_stays_as_it_was(calls: StoredCalls) -> None:
    await add(calls, "7f")
    await keep(calls, "7f", Stage.TRANSCRIPTION)
    known = await calls.get("7f")
    assert not await calls.add("7f", "file:///other.wav", "api", CallOptions(), after(99))
    assert await calls.get("7f") == known
    assert await calls.results("7f") == {Stage.TRANSCRIPTION: RESULTS[Stage.TRANSCRIPTION]}


async def test_a_call_is_found_by_the_beginning_of_its_id(calls: StoredCalls) -> None:
    await add(calls, "7f01", "7f02", "7f021", "8", "Été")
    assert (await calls.find("7f01")).call_id == "7f01"
    assert (await calls.find("8")).call_id == "8"
    assert (await calls.find("É")).call_id == "Été"


async def test_an_id_that_others_begin_with_is_found_as_itself(calls: StoredCalls) -> None:
    await add(calls, "7f02", "7f021")
    assert (await calls.find("7f02")).call_id == "7f02"


@pytest.mark.parametrize(
    ("prefix", "complaint"),
    [
        ("7", "more than one call that begins with '7'"),
        ("7F", "no call"),
        ("7_", "no call"),
        ("%", "no call"),
        ("", "no call"),
    ],
)
async def test_what_begins_no_call_or_several_is_refused(calls: StoredCalls, prefix: str, complaint: str) -> None:
    await add(calls, "7f01", "7f02")
    with pytest.raises(CallNotFound, match=complaint):
        await calls.find(prefix)


async def test_calls_are_listed_page_by_page_the_last_first(calls: StoredCalls) -> None:
    await add(calls, "c", "a", "d", "b")
    await calls.add("e", "file:///e.wav", "file", OPTIONS, after(3))  # as late as b: the id decides
    pages = [await calls.list(limit=2)]
    while pages[-1]:
        pages.append(await calls.list(limit=2, before=pages[-1][-1]))
    assert [[call.call_id for call in page] for page in pages] == [["e", "b"], ["d", "a"], ["c"], []]


async def test_calls_in_one_state_are_listed_and_counted(calls: StoredCalls) -> None:
    await add(calls, "a", "b", "c", "d")
    await keep(calls, "b", *Stage)
    await keep(calls, "d", *Stage)
    assert [call.call_id for call in await calls.list(CallState.COMPLETE)] == ["d", "b"]
    last = await calls.get("d")
    assert [call.call_id for call in await calls.list(CallState.COMPLETE, before=last)] == ["b"]
    assert await calls.counts() == {
        CallState.WAITING: 2,
        CallState.RUNNING: 0,
        CallState.COMPLETE: 2,
        CallState.FAILED: 0,
    }


async def test_a_deleted_call_leaves_nothing(calls: StoredCalls) -> None:
    await add(calls, "a", "b")
    for call_id in ("a", "b"):
        await calls.begin(call_id, Stage.TRANSCRIPTION, 1, "host-1", NOON)
        await keep(calls, call_id, Stage.TRANSCRIPTION)
        await calls.note_failure(failure(call_id))
        await calls.raise_alert(alert(call_id))
    await calls.note_delivery(alert("a").alert_id, "webhook", NOON)
    assert await calls.delete("a")
    assert not await calls.delete("a")
    await calls.note_delivery(alert("a").alert_id, "log", NOON)  # came late
    left = [
        await calls.results("a"),
        await calls.failures("a"),
        await calls.alerts("a"),
        await calls.changes_since(0, "a"),
        await calls.deliveries("a"),
    ]
    assert left == [{}, [], [], [], {}]
    assert await calls.pending_alerts(["log"]) == [(alert("b"), "log")]
    assert await calls.results("b")
    for reading in (calls.get, calls.find, calls.stages, calls.stage_states):
        with pytest.raises(CallNotFound):
            await reading("a")


async def test_what_comes_late_for_a_deleted_call_is_refused_and_leaves_nothing(calls: StoredCalls) -> None:
    late = [
        calls.begin("a", Stage.INTENT, 1, "host-1", NOON),
        calls.keep_result("a", Stage.INTENT, RESULTS[Stage.INTENT], NOON),
        calls.note_failure(failure("a")),
        calls.mark_retrying("a", Stage.INTENT, NOON),
        calls.mark_failed("a", Stage.INTENT, NOON),
        calls.settle("a", NOON),
        calls.reset("a", NOON),
        calls.raise_alert(alert("a")),
    ]
    for each in late:
        with pytest.raises(CallNotFound):
            await each
    assert (await calls.failures(), await calls.alerts(), await calls.last_change()) == ([], [], 0)
