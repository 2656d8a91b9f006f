"""What has bitten users of BullMQ's Python port, each of which would come back with a careless change."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from bullmq.worker import default_maximum_block_timeout

from plugandtell.analytics.consumer import Delivery, Done, Outcome
from plugandtell.analytics.queues import JobState, connect
from tests.analytics.consuming import QUEUE, Taken, add, consuming

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from plugandtell.analytics.flow import Flow
    from plugandtell.analytics.queues import Queues


@pytest.fixture
def queues(flow: Flow) -> Queues:
    return flow.queues


async def waits_s(client: Redis, key: str) -> list[float]:
    """How long workers have asked the store to hold back its answer, first the one that is given now."""
    found: list[float] = []
    async with client.monitor() as monitor:
        async for command in monitor.listen():
            words = str(command["command"]).split()
            if words[0] == "BZPOPMIN" and words[1] == key:
                found.append(float(words[2]))
                if len(found) == 2:
                    return found
    raise AssertionError("the store went away")


async def test_the_client_waits_longer_for_an_answer_than_the_store_may_hold_it_back(queues: Queues) -> None:
    """redis-py gives up after 5 s by itself, just when BullMQ's idle worker would get its answer."""
    client = connect(queues.url)
    assert client.connection_pool.connection_kwargs["socket_timeout"] > default_maximum_block_timeout
    await client.aclose()


async def test_a_worker_waits_for_a_delayed_job_no_longer_than_it_must(queues: Queues) -> None:
    """Until it knows the store's version, it rounds up to whole seconds."""
    client = connect(queues.url)
    listening = asyncio.create_task(waits_s(client, f"{queues.prefix}:{QUEUE.value}:marker"))
    await client.ping()
    await add(queues, "a", delay_s=0.5)
    taken = Taken()
    async with asyncio.timeout(20), consuming(queues, taken):
        await taken.next()
        first, *_ = await listening
    assert 0 < first < 1
    await client.aclose()


async def test_a_job_whose_workers_die_comes_again_as_often_as_it_takes(queues: Queues) -> None:
    """BullMQ counts such deaths apart from attempts, and by itself fails the job at the second one."""
    begun: asyncio.Queue[Delivery] = asyncio.Queue()

    async def hang(delivery: Delivery) -> Outcome:
        begun.put_nowait(delivery)
        await asyncio.Event().wait()
        return Done()

    await add(queues, "a")
    for deaths in range(3):
        async with asyncio.timeout(20), consuming(queues, hang, lock_s=0.3) as task:
            assert (await begun.get()).deaths == deaths
            task.cancel()


async def test_a_job_that_takes_longer_than_its_lock_stays_with_its_worker(queues: Queues) -> None:
    begun: list[str] = []
    finish = asyncio.Event()

    async def work(delivery: Delivery) -> Outcome:
        begun.append(delivery.job_id)
        await finish.wait()
        return Done()

    await add(queues, "a")
    async with consuming(queues, work, lock_s=1.0, grace_s=20), consuming(queues, work, lock_s=1.0, grace_s=20):
        await asyncio.sleep(2.5)  # no event tells that nothing happens
        finish.set()
    assert begun == ["a"]
    assert await queues.states([(QUEUE, "a")]) == [JobState.OVER]


async def test_a_handler_that_is_cancelled_takes_nothing_with_it(queues: Queues) -> None:
    """A CancelledError that reaches BullMQ's loop ends it without a word."""
    taken = Taken()
    errors = [asyncio.CancelledError()]

    async def cancelled_once(delivery: Delivery) -> Outcome:
        if errors:
            raise errors.pop()
        return await taken(delivery)

    await add(queues, "a")
    async with consuming(queues, cancelled_once):
        assert (await taken.next()).starts == 2


async def test_a_worker_ends_at_once_when_it_is_stopped_as_it_begins_to_wait(queues: Queues) -> None:
    """A pause that comes between its decision to wait for a job and the wait itself is lost on it."""
    ended = 0
    for turns in range(12):
        async with asyncio.timeout(2.5), consuming(queues, Taken()):
            for _ in range(turns):
                await asyncio.sleep(0)
        ended += 1
    assert ended == 12
