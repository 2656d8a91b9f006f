"""The queues: what is to be done, in a Redis or Valkey store that Node's BullMQ tools can read too.

A job is named after what it does (`CALL.features.2`: the second attempt), so that adding it twice is adding it once.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager, contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from bullmq import Queue
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    BusyLoadingError,
    NoPermissionError,
    ReadOnlyError,
    RedisError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from plugandtell.analytics.wire import from_json, to_json
from plugandtell.core.call import Stage
from plugandtell.core.errors import StoreUnreachable, StoreUnusable
from plugandtell.core.message import Envelope
from plugandtell.core.store_url import without_password

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

PREFIX: Final = "bull"
"""Of all keys: BullMQ's own default, so that its tools find the queues without being told."""

_CONNECT_WITHIN_S: Final = 5.0
_ANSWER_WITHIN_S: Final = 15.0
"""Longer than the store may hold back the answer to a worker that waits for a job (10 s): redis-py gives up after 5 s
by itself, which is how long BullMQ waits for a job by itself, and then workers sleep instead of waiting."""
_TRIES: Final = 3
THERE_WITHIN_S: Final = 10.0
_KEPT_S: Final = 24 * 3600
_KEPT_JOBS: Final = 1000
_GONE: Final = (RedisConnectionError, RedisTimeoutError, BusyLoadingError, ReadOnlyError, TimeoutError, OSError)
_NOT_LET_IN: Final = (AuthenticationError, AuthorizationError, NoPermissionError)


class QueueName(StrEnum):
    """The queues, by the names that other programs see."""

    TRANSCRIPTION = "transcription_queue"
    FEATURES = "feature_extraction_queue"
    SENTIMENT = "sentiment_analysis_queue"
    INTENT = "intent_classification_queue"
    RETRY = "retry_queue"
    ALERT = "alert_queue"


QUEUE_OF: Final = {
    Stage.TRANSCRIPTION: QueueName.TRANSCRIPTION,
    Stage.FEATURES: QueueName.FEATURES,
    Stage.SENTIMENT: QueueName.SENTIMENT,
    Stage.INTENT: QueueName.INTENT,
}


class JobState(StrEnum):
    """What a queue knows of a job: nothing (or no more), that it is still to be done, or that it is over."""

    UNKNOWN = "unknown"
    PENDING = "pending"
    OVER = "over"


class Queues:
    """The producers' side. Made by `open_queues`; ends with `close`."""

    def __init__(self, url: str, prefix: str) -> None:
        self.url = url
        self.prefix = prefix
        self._client = connect(url)
        self._queues = {name: Queue(name.value, {"prefix": prefix, "connection": self._client}) for name in QueueName}

    async def add(self, queue: QueueName, job_id: str, envelope: Envelope, delay_s: float = 0.0) -> None:
        """Have something done, now or later. Nothing happens if the queue knows that job already.

        Raises:
            StoreUnreachable: The store does not answer; the job may be there or not.
        """
        options: dict[str, Any] = {
            "jobId": job_id,
            "removeOnComplete": {"age": _KEPT_S, "count": _KEPT_JOBS},
            "removeOnFail": {"age": _KEPT_S, "count": _KEPT_JOBS},
        }
        if delay_s > 0:
            options["delay"] = max(1, round(delay_s * 1000))
        data = json.loads(to_json(envelope))
        with store_errors(self.url):
            await self._queues[queue].add(envelope.payload.stage.value, data, options)

    async def states(self, jobs: Sequence[tuple[QueueName, str]]) -> list[JobState]:
        """What the queues know of these jobs.

        Raises:
            StoreUnreachable: The store does not answer.
        """
        with store_errors(self.url):
            async with self._client.pipeline(transaction=False) as pipe:
                for queue, job_id in jobs:
                    pipe.hmget(self._queues[queue].toKey(job_id), ["timestamp", "finishedOn"])
                return [_state(*found) for found in await pipe.execute()]

    async def peek(self, queue: QueueName, job_id: str) -> Envelope | None:
        """The message of a job, whoever works on it; None if the queue does not know it.

        Raises:
            StoreUnreachable: The store does not answer.
            Unreadable: It is none of ours.
        """
        with store_errors(self.url):
            data = await self._client.hget(self._queues[queue].toKey(job_id), "data")
        return None if data is None else from_json(data, Envelope)

    async def forget(self, queue: QueueName, job_id: str) -> None:
        """Let a job that is over be added anew. One that somebody works on stays.

        Raises:
            StoreUnreachable: The store does not answer.
        """
        with store_errors(self.url):
            await self._queues[queue].remove(job_id)

    async def counts(self) -> dict[QueueName, dict[str, int]]:
        """How many jobs there are in each of BullMQ's states: waiting, active, delayed, completed, failed, ...

        Raises:
            StoreUnreachable: The store does not answer.
        """
        with store_errors(self.url):
            return {name: await queue.getJobCounts() for name, queue in self._queues.items()}

    async def check(self, within_s: float = THERE_WITHIN_S) -> None:
        """Make sure that the store is there, and keeps what it is given.

        Args:
            within_s: How long it may take to say so, all tries together.

        Raises:
            StoreUnreachable: The store does not answer.
            StoreUnusable: It does not let us in, or throws jobs away when its memory is full.
        """
        with store_errors(self.url):
            async with asyncio.timeout(within_s):
                policy = (await self._client.info("memory")).get("maxmemory_policy", "noeviction")
        if policy != "noeviction":
            raise StoreUnusable(
                f"queue store at {without_password(self.url)}",
                f"its maxmemory-policy is {policy}, so that it throws jobs away when its memory is full",
                "set it to noeviction",
            )

    async def close(self) -> None:
        """End the connections."""
        await self._client.aclose()


@asynccontextmanager
async def open_queues(
    url: str, prefix: str = PREFIX, *, there_within_s: float = THERE_WITHIN_S
) -> AsyncIterator[Queues]:
    """The queues in the store at `url`, until the end of the block.

    Args:
        url: Redis or Valkey.
        prefix: Of all keys.
        there_within_s: How long the store may take to answer for the first time.

    Raises:
        StoreUnreachable: The store does not answer.
        StoreUnusable: The address is none, it does not let us in, or would throw jobs away.
    """
    queues = Queues(url, prefix)
    try:
        await queues.check(there_within_s)
        yield queues
    finally:
        await queues.close()


def connect(url: str) -> Redis:
    """A client with connections of its own, which it makes when they are needed.

    A command is tried a few times within about a second: a store that restarts is met again at once, and one that is
    away is said to be (BullMQ's own client would keep a command for minutes).

    Raises:
        StoreUnusable: The address is none.
    """
    try:
        return Redis.from_url(
            url,
            decode_responses=True,
            socket_connect_timeout=_CONNECT_WITHIN_S,
            socket_timeout=_ANSWER_WITHIN_S,
            retry=Retry(ExponentialBackoff(cap=0.5, base=0.05), _TRIES),
            retry_on_error=[BusyLoadingError, RedisConnectionError, RedisTimeoutError],
        )
    except ValueError as exc:
        hint = "give one such as redis://HOST:PORT with --queue-url"
        raise StoreUnusable(f"queue store at {without_password(url)}", str(exc), hint) from exc


@contextmanager
def store_errors(url: str) -> Iterator[None]:
    """Make of what goes wrong with the store what it means for us.

    Raises:
        StoreUnreachable: It may work later.
        StoreUnusable: It will not.
    """
    try:
        yield
    except (*_GONE, RedisError) as exc:
        if _is_refusal(exc):
            hint = "check the user and the password in --queue-url"
            raise StoreUnusable(f"queue store at {without_password(url)}", str(exc), hint) from exc
        raise StoreUnreachable("queue store", without_password(url), str(exc) or "no answer in time") from exc


def _is_refusal(error: BaseException | None) -> bool:
    """Whether it, or what it comes from, says that we are not let in: the client wraps that into a lost connection."""
    while error is not None:
        if isinstance(error, _NOT_LET_IN):
            return True
        error = error.__cause__ or error.__context__
    return False


def _state(timestamp: Any, finished_on: Any) -> JobState:
    if timestamp is None:
        return JobState.UNKNOWN
    return JobState.PENDING if finished_on is None else JobState.OVER
