from __future__ import annotations

import socket
import uuid
from typing import TYPE_CHECKING

import pytest

from plugandtell.analytics.queues import JobState, QueueName, connect, open_queues
from plugandtell.core.errors import StoreUnreachable, StoreUnusable
from tests.analytics.consuming import QUEUE, add, message
from tests.support.processes import free_port

if TYPE_CHECKING:
    from plugandtell.analytics.flow import Flow


async def test_a_job_that_is_added_twice_is_there_once(flow: Flow) -> None:
    for _ in range(2):
        await add(flow.queues, "a")
    assert (await flow.queues.counts())[QUEUE]["waiting"] == 1
    assert await flow.queues.peek(QUEUE, "a") == message("a")


async def test_a_job_is_unknown_pending_or_forgotten(flow: Flow) -> None:
    await add(flow.queues, "now")
    await add(flow.queues, "later", delay_s=60)
    jobs = [(QUEUE, "now"), (QUEUE, "later"), (QUEUE, "never"), (QueueName.RETRY, "now")]
    expected = [JobState.PENDING, JobState.PENDING, JobState.UNKNOWN, JobState.UNKNOWN]
    assert await flow.queues.states(jobs) == expected
    await flow.queues.forget(QUEUE, "now")
    assert await flow.queues.states(jobs[:1]) == [JobState.UNKNOWN]
    assert await flow.queues.peek(QUEUE, "now") is None


async def test_a_store_that_is_away_is_said_to_be_without_its_password() -> None:
    with pytest.raises(StoreUnreachable) as caught:
        async with open_queues(f"redis://:s3cret@127.0.0.1:{free_port()}"):
            pass
    assert "s3cret" not in str(caught.value)


async def test_a_store_that_may_throw_jobs_away_is_refused(valkey_url: str) -> None:
    client = connect(valkey_url)
    await client.config_set("maxmemory-policy", "allkeys-lru")
    try:
        with pytest.raises(StoreUnusable, match="allkeys-lru"):
            async with open_queues(valkey_url, uuid.uuid4().hex):
                pass
    finally:
        await client.config_set("maxmemory-policy", "noeviction")
        await client.aclose()


async def test_a_store_that_does_not_let_us_in_is_not_waited_for(valkey_url: str) -> None:
    with pytest.raises(StoreUnusable, match="password"):
        async with open_queues(valkey_url.replace("unix://", "unix://nobody:s3cret@")):
            pass


async def test_what_is_no_address_is_refused() -> None:
    with pytest.raises(StoreUnusable, match="--queue-url"):
        async with open_queues("carrier-pigeon://home"):
            pass


async def test_a_store_that_takes_connections_and_never_answers_is_said_to_be_away() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        url = f"redis://:s3cret@127.0.0.1:{mute.getsockname()[1]}"
        with pytest.raises(StoreUnreachable, match="no answer in time") as caught:
            async with open_queues(url, there_within_s=0.1):
                pass
    assert "s3cret" not in str(caught.value)
