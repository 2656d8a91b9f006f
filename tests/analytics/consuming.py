"""A consumer in a test's hands."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from plugandtell.analytics.consumer import Consumer, ConsumerSettings, Delivery, Done, Outcome
from plugandtell.analytics.queues import QueueName
from plugandtell.core.call import Stage
from plugandtell.core.message import Attempt, Envelope, pending

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from plugandtell.analytics.consumer import Handler
    from plugandtell.analytics.queues import Queues

AT = datetime(2026, 11, 24, 12, tzinfo=UTC)
QUEUE = QueueName.TRANSCRIPTION


def message(call_id: str) -> Envelope:
    return pending(Attempt(call_id, Stage.TRANSCRIPTION, 1), "file:///a.wav", "test", AT)


async def add(queues: Queues, job_id: str, delay_s: float = 0.0) -> None:
    await queues.add(QUEUE, job_id, message("a"), delay_s)


class Taken:
    """Notes what it is given, and says that it is done."""

    def __init__(self) -> None:
        self.deliveries: asyncio.Queue[Delivery] = asyncio.Queue()

    async def __call__(self, delivery: Delivery) -> Outcome:
        self.deliveries.put_nowait(delivery)
        return Done()

    async def next(self) -> Delivery:
        async with asyncio.timeout(20):
            return await self.deliveries.get()


@asynccontextmanager
async def consuming(
    queues: Queues, handle: Handler, concurrency: int = 1, *, lock_s: float = 0.4, grace_s: float = 0.0
) -> AsyncIterator[asyncio.Task[None]]:
    """A consumer of the transcription queue until the end of the block; cancelling its task is like killing it."""
    consumer = Consumer(
        queues, QUEUE, handle, ConsumerSettings(concurrency, lock_s, store_away_s=0.01, unexpected_s=0.01)
    )
    task = asyncio.create_task(consumer.run(grace_s=grace_s))
    try:
        yield task
    finally:
        consumer.stop()
        await asyncio.wait([task])
