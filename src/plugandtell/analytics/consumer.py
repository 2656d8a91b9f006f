"""Takes jobs from one queue and settles each of them once: done, failed, or later.

A thin shell around BullMQ's worker, which does the waiting, the locks and the recovery of what a dead worker left.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from bullmq import Worker
from bullmq.custom_errors import DelayedError, UnrecoverableError

from plugandtell.analytics.queues import connect, store_errors
from plugandtell.analytics.wire import Unreadable, from_json
from plugandtell.core.errors import MessageInvalid, TransientError
from plugandtell.core.message import VERSION, Envelope
from plugandtell.core.store_url import without_password
from plugandtell.logservice import Throttle, get_logger

if TYPE_CHECKING:
    from plugandtell.analytics.queues import QueueName, Queues

_LOOK_AGAIN_S: Final = 3
_RETRY_AFTER_S: Final = 0.5
_OTHER_VERSION_S: Final = 30.0
_ABANDON_AFTER_S: Final = 5.0
_CANCEL_EVERY_S: Final = 0.05
_NO_LIMIT: Final = 1_000_000
"""Of times that a job is taken from a worker that died: what becomes of it is for us to say (`Delivery.deaths`). BullMQ
counts such deaths apart from its attempts, and would fail the job by itself."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A job in the hands of a worker.

    Attributes:
        job_id: Its id.
        envelope: What is to be done.
        deaths: How many workers lost it before they were done, because they died or slept.
        starts: How often somebody began with it, this time included.
    """

    job_id: str
    envelope: Envelope
    deaths: int
    starts: int


@dataclass(frozen=True, slots=True)
class Done:
    """The job is over."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The job is over; people who look at the queue see it as failed, and why."""

    why: str


@dataclass(frozen=True, slots=True)
class Later:
    """The job comes again after a while."""

    delay_s: float


Outcome = Done | Failed | Later


Handler = Callable[[Delivery], Coroutine[Any, Any, Outcome]]
"""What is done with a job. It may be given the same one twice, and may be cancelled: the job comes again then.

It raises a TransientError where a store is away: the job comes again soon.
"""


@dataclass(frozen=True, slots=True)
class ConsumerSettings:
    """How jobs are taken.

    Attributes:
        concurrency: How many at once.
        lock_s: How long a job belongs to a worker that does not renew its claim; a worker that died is noticed within
            twice this time.
        store_away_s: After which a job comes again whose handler found a store away.
        unexpected_s: After which one comes again whose handler raised what nobody expected.
    """

    concurrency: int = 1
    lock_s: float = 10.0
    store_away_s: float = 1.0
    unexpected_s: float = 5.0


class Consumer:
    """Runs `handle` for each job of a queue until it is stopped."""

    def __init__(self, queues: Queues, name: QueueName, handle: Handler, settings: ConsumerSettings) -> None:
        self._queues = queues
        self._name = name
        self._handle = handle
        self._settings = settings
        self._working: set[asyncio.Task[Outcome]] = set()
        self._stopping = False
        self._stop_asked = asyncio.Event()
        self._throttle = Throttle(10.0)
        self._log = get_logger()

    async def run(self, *, grace_s: float, leave_within_s: float = 5.0) -> None:
        """Take jobs until `stop`; then finish what is in hand within `grace_s`, and give back the rest.

        Args:
            grace_s: How long what is in hand may take.
            leave_within_s: How long giving back may take after that; what is not given back comes again when its
                claim ends.
        """
        while not self._stop_asked.is_set():
            worker = self._make_worker()
            running = asyncio.create_task(_run(worker))
            asked = asyncio.create_task(self._stop_asked.wait())
            try:
                await asyncio.wait({running, asked}, return_when=asyncio.FIRST_COMPLETED)
                if self._stop_asked.is_set():
                    await self._finish(worker, running, grace_s, leave_within_s)
                else:
                    self._say("queue_worker_ended", error=str(_error_of(running)))
            finally:
                await self._abandon(worker, {running, asked})
            if not self._stop_asked.is_set():
                await _first(self._stop_asked, _RETRY_AFTER_S)

    def stop(self) -> None:
        """Ask `run` to end."""
        self._stopping = True
        self._stop_asked.set()

    def _make_worker(self) -> Any:
        lock_ms = round(self._settings.lock_s * 1000)
        worker = Worker(
            self._name.value,
            self._process,
            {
                "autorun": False,
                "prefix": self._queues.prefix,
                "connection": connect(self._queues.url),
                "concurrency": self._settings.concurrency,
                "lockDuration": lock_ms,
                "stalledInterval": max(100, lock_ms // 3),
                "maxStalledCount": _NO_LIMIT,
                "drainDelay": _LOOK_AGAIN_S,
                "runRetryDelay": round(_RETRY_AFTER_S * 1000),
            },
        )
        worker.on("error", self._note_error)
        worker.on("stalled", lambda job_id: self._log.warning("job_taken_back", queue=self._name.value, job=job_id))
        return worker

    async def _finish(self, worker: Any, running: asyncio.Task[None], grace_s: float, leave_within_s: float) -> None:
        await worker.pause(do_not_wait_active=True)
        if self._working:
            await asyncio.wait(self._working, timeout=grace_s)
        for task in self._working:
            task.cancel()
        worker.closing = True
        worker.paused = False
        worker.resume_event.set()
        leave_at = time.monotonic() + leave_within_s
        while not running.done() and time.monotonic() < leave_at:
            if worker.waiting is not None:  # it had just decided to wait for a job when it was asked to pause
                worker.waiting.cancel()
            await asyncio.wait({running}, timeout=_CANCEL_EVERY_S)

    async def _abandon(self, worker: Any, tasks: set[asyncio.Task[Any]]) -> None:
        """Leave nothing of a worker behind. Its own `close` cannot be hurried: it holds on until all is done.

        What does not let itself be cancelled in time is left to the end of the program.
        """
        worker.closing = worker.closed = True
        tasks |= self._working | set(worker.processing)
        for task in tasks:
            task.cancel()
        ended, _ = await asyncio.wait(tasks, timeout=_ABANDON_AFTER_S)
        for task in ended:
            _error_of(task)  # asked for, so that asyncio does not complain that nobody did
        await worker.backend.close(force=True)

    async def _process(self, job: Any, token: str) -> None:
        """What BullMQ calls for each job. Returning completes the job, raising fails it; a DelayedError leaves it.

        A CancelledError must not come out of here: BullMQ does not expect one, and its loop would die of it.
        """
        outcome = await self._settle(job)
        match outcome:
            case Done():
                return
            case Failed(why):
                raise UnrecoverableError(why)
            case Later(delay_s):
                await self._give_back(job, token, delay_s)
                raise DelayedError

    async def _give_back(self, job: Any, token: str, delay_s: float) -> None:
        """Let it come again after a while; should that fail, it comes again when our claim to it ends."""
        try:
            with store_errors(self._queues.url):
                await job.moveToDelayed(round((time.time() + delay_s) * 1000), token)
        except Exception as error:  # noqa: BLE001  (BullMQ raises bare ones, and would fail the job for good)
            self._say("job_not_given_back", job=job.id, error=str(error))

    async def _settle(self, job: Any) -> Outcome:
        """Run the handler in a task of its own, which alone is cancelled when time is up."""
        if self._stopping:
            return Later(0.0)
        try:
            delivery = self._read(job)
        except MessageInvalid as error:
            self._log.error("message_invalid", queue=self._name.value, job=job.id, error=str(error), raw=error.raw)
            return Failed(str(error))
        if delivery is None:
            self._log.warning("message_of_another_version", queue=self._name.value, job=job.id)
            return Later(_OTHER_VERSION_S)
        task = asyncio.ensure_future(self._handle(delivery))
        self._working.add(task)
        try:
            await asyncio.wait({task})
        finally:
            task.cancel()
            self._working.discard(task)
        return self._outcome(task, job)

    def _outcome(self, task: asyncio.Task[Outcome], job: Any) -> Outcome:
        if task.cancelled():
            return Later(0.0)
        if (error := task.exception()) is None:
            return task.result()
        if isinstance(error, TransientError):
            self._say("store_away", error=str(error))
            return Later(self._settings.store_away_s)
        self._log.error("job_crashed", queue=self._name.value, job=job.id, exc_info=error)
        return Later(self._settings.unexpected_s)

    def _read(self, job: Any) -> Delivery | None:
        """The message of a job; None if a program of another version is to read it."""
        raw = json.dumps(job.data)
        try:
            if from_json(raw, _Version).version != VERSION:
                return None
            envelope = from_json(raw, Envelope)
        except Unreadable as exc:
            raise MessageInvalid(self._name.value, str(exc), raw) from exc
        return Delivery(str(job.id), envelope, job.stalledCounter, job.attemptsStarted)

    def _note_error(self, error: BaseException, *_job: Any) -> None:
        self._say("queue_worker_troubled", error=str(error))

    def _say(self, event: str, **fields: Any) -> None:
        if self._throttle.is_due(event, time.monotonic()):
            self._log.warning(event, queue=self._name.value, store=without_password(self._queues.url), **fields)


@dataclass(frozen=True, slots=True)
class _Version:
    version: int = VERSION


async def _run(worker: Any) -> None:
    # Until it has asked for the store's version, a worker rounds the time to the next delayed job up to whole seconds.
    await worker.blockingRedisConnection.getRedisVersion()
    await worker.run()


def _error_of(task: asyncio.Task[Any]) -> BaseException | None:
    return asyncio.CancelledError() if task.cancelled() else task.exception()


async def _first(event: asyncio.Event, timeout_s: float) -> None:
    """Wait for the event, but no longer than that."""
    try:
        async with asyncio.timeout(timeout_s):
            await event.wait()
    except TimeoutError:
        pass
