from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from bullmq import Queue

from plugandtell.analytics.consumer import Delivery, Done, Failed, Later, Outcome
from plugandtell.analytics.queues import JobState, connect
from plugandtell.core.errors import StoreUnreachable
from tests.analytics.consuming import QUEUE, Taken, add, consuming, message

if TYPE_CHECKING:
    from plugandtell.analytics.flow import Flow
    from plugandtell.analytics.queues import Queues


@pytest.fixture
def queues(flow: Flow) -> Queues:
    return flow.queues


async def state(queues: Queues, job_id: str) -> JobState:
    (found,) = await queues.states([(QUEUE, job_id)])
    return found


async def counts(queues: Queues, wanted: str) -> dict[str, int]:
    """The counts of the queue, as soon as there is one job of that state. Only the store says when it is so."""
    async with asyncio.timeout(20):
        while not (found := (await queues.counts())[QUEUE])[wanted]:  # noqa: ASYNC110  (see above)
            await asyncio.sleep(0.01)
    return {name: number for name, number in found.items() if number}


async def test_a_job_is_taken_once_and_is_over_then(queues: Queues) -> None:
    taken = Taken()
    await add(queues, "a")
    async with consuming(queues, taken):
        delivery = await taken.next()
        assert await counts(queues, "completed") == {"completed": 1}
    assert delivery == Delivery("a", message("a"), deaths=0, starts=1)
    assert await state(queues, "a") is JobState.OVER
    assert taken.deliveries.empty()


async def test_a_job_that_fails_is_shown_as_failed_and_does_not_come_again(queues: Queues) -> None:
    async def fail(_delivery: Delivery) -> Outcome:
        return Failed("no luck")

    await add(queues, "a")
    async with consuming(queues, fail):
        assert await counts(queues, "failed") == {"failed": 1}
    assert await state(queues, "a") is JobState.OVER


async def test_a_job_comes_again_later(queues: Queues) -> None:
    outcomes: list[Outcome] = [Later(0.01), Later(0.0), Done()]
    starts: list[int] = []

    async def answer(delivery: Delivery) -> Outcome:
        starts.append(delivery.starts)
        return outcomes.pop(0)

    await add(queues, "a")
    async with consuming(queues, answer):
        await counts(queues, "completed")
    assert starts == [1, 2, 3]


@pytest.mark.parametrize("error", [StoreUnreachable("database", "sqlite", "gone"), ZeroDivisionError()])
async def test_a_job_comes_again_when_its_handler_breaks(queues: Queues, error: Exception) -> None:
    errors = [error]

    async def fail_once(_delivery: Delivery) -> Outcome:
        if errors:
            raise errors.pop()
        return Done()

    await add(queues, "a")
    async with consuming(queues, fail_once):
        assert await counts(queues, "completed") == {"completed": 1}


async def test_as_many_jobs_run_at_once_as_asked_for(queues: Queues) -> None:
    all_there = asyncio.Barrier(3)

    async def meet(_delivery: Delivery) -> Outcome:
        await all_there.wait()
        return Done()

    for number in range(3):
        await add(queues, f"a{number}")
    async with consuming(queues, meet, concurrency=3):
        assert await counts(queues, "completed")


async def test_what_is_no_message_is_put_aside_as_failed(queues: Queues) -> None:
    client = connect(queues.url)
    foreign = Queue(QUEUE.value, {"prefix": queues.prefix, "connection": client})
    await foreign.add("x", {"call_id": "a"}, {"jobId": "foreign"})
    taken = Taken()
    async with consuming(queues, taken):
        assert await counts(queues, "failed") == {"failed": 1}
    assert taken.deliveries.empty()
    await client.aclose()


async def test_a_message_of_another_version_is_left_for_one_that_knows_it(queues: Queues) -> None:
    client = connect(queues.url)
    foreign = Queue(QUEUE.value, {"prefix": queues.prefix, "connection": client})
    await foreign.add("x", {"version": 2, "payload": "?"}, {"jobId": "newer"})
    async with consuming(queues, Taken()):
        assert await counts(queues, "delayed") == {"delayed": 1}
    assert await state(queues, "newer") is JobState.PENDING
    await client.aclose()


async def test_what_is_in_hand_at_the_end_may_finish_within_the_grace(queues: Queues) -> None:
    begun, finish = asyncio.Event(), asyncio.Event()

    async def work(_delivery: Delivery) -> Outcome:
        begun.set()
        await finish.wait()
        return Done()

    await add(queues, "a")
    async with consuming(queues, work, grace_s=20.0):
        await begun.wait()
        asyncio.get_running_loop().call_later(0.05, finish.set)
    assert await state(queues, "a") is JobState.OVER


async def test_what_does_not_finish_within_the_grace_goes_back_and_is_begun_anew(queues: Queues) -> None:
    begun = asyncio.Event()

    async def hang(_delivery: Delivery) -> Outcome:
        begun.set()
        await asyncio.Event().wait()
        return Done()

    await add(queues, "a")
    async with consuming(queues, hang, lock_s=3600):
        await begun.wait()
    taken = Taken()
    async with consuming(queues, taken, lock_s=3600):
        assert (await taken.next()).deaths == 0
