"""Plays the faults of a schedule of calls."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Final

from plugandtell.analytics.patience import patiently
from plugandtell.analytics.queues import connect, store_errors
from plugandtell.analytics.settings import ServiceName
from plugandtell.core.call import CallOptions, Stage
from plugandtell.core.errors import StoreUnreachable
from plugandtell.core.message import Attempt
from tests.faults.call_schedule import CallFault, Happening
from tests.faults.call_world import SETTINGS, eventually

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from plugandtell.analytics.flow import Flow
    from tests.faults.call_world import Process, Stores, Workers

_NOTHING_HAPPENS_S: Final = 1.0
_FROZEN_S: Final = 1.5 * SETTINGS["lock_s"]


async def submit(flow: Flow, call_id: str, audio_url: str) -> None:
    """Submit a call, however long the stores stay away."""
    await patiently(lambda: flow.submit(call_id, audio_url, call_id, CallOptions()))


class Mischief:
    """Does harm to the stores and the workers of a schedule, and to the queues.

    Args:
        flow: The stores, as the campaign sees them.
        stores: What can be killed of them.
        workers: The worker processes.
        urls: Of the audio of each call, by its id.
    """

    def __init__(self, flow: Flow, stores: Stores, workers: Workers, urls: Mapping[str, str]) -> None:
        self._flow = flow
        self._stores = stores
        self._workers = workers
        self._urls = urls
        self._seq = 0

    async def play(self, fault: Happening) -> None:
        """Wait until it is time for it, and do it."""
        await self._changes(fault.after_changes)
        process = self._workers.processes[fault.choice % len(self._workers.processes)]
        call_id = sorted(self._urls)[fault.choice % len(self._urls)]
        stage = list(Stage)[fault.choice % len(Stage)]
        acts: dict[CallFault, Callable[[], Awaitable[object]]] = {
            CallFault.KILL_WORKER: partial(self._kill, process),
            CallFault.STOP_WORKER: partial(self._workers.stop_one, process),
            CallFault.FREEZE_WORKER: partial(self._freeze, process),
            CallFault.ERRORS_DOWN: self._errors_down,
            CallFault.KILL_STORE: partial(self._signal_store, signal.SIGKILL),
            CallFault.FREEZE_STORE: self._freeze_store,
            CallFault.KILL_DATABASE: self._stores.kill_database,
            CallFault.KILL_ALL: self._kill_all,
            CallFault.SUBMIT_AGAIN: partial(submit, self._flow, call_id, self._urls[call_id]),
            CallFault.ADD_AGAIN: partial(self._add_again, call_id, stage),
            CallFault.LOSE_JOBS: self._lose_jobs,
        }
        await acts[fault.kind]()

    async def _changes(self, wanted: int) -> None:
        """Wait for so many changes, unless nothing happens any more."""

        async def moved() -> bool:
            changes = await self._flow.calls.changes_since(self._seq)
            self._seq = changes[-1].seq if changes else self._seq
            return bool(changes)

        target = self._seq + wanted
        while self._seq < target and await eventually(moved, _NOTHING_HAPPENS_S):
            pass

    async def _kill(self, *processes: Process) -> None:
        for process in processes:
            if process.child is not None:
                process.child.send(signal.SIGKILL)

    async def _freeze(self, process: Process) -> None:
        if (child := process.child) is not None:
            child.send(signal.SIGSTOP)
            await asyncio.sleep(_FROZEN_S)
            child.send(signal.SIGCONT)

    async def _errors_down(self) -> None:
        those = [process for process in self._workers.processes if ServiceName.ERRORS in process.services]
        for process in those:
            process.may_run.clear()
        await self._kill(*those)
        await self._changes(3)
        for process in those:
            process.may_run.set()

    async def _signal_store(self, number: int) -> None:
        with suppress(StoreUnreachable, OSError):  # it is away already
            await self._stores.signal_store(number)

    async def _freeze_store(self) -> None:
        await self._signal_store(signal.SIGSTOP)
        await asyncio.sleep(_FROZEN_S)
        await self._signal_store(signal.SIGCONT)

    async def _kill_all(self) -> None:
        await self._kill(*self._workers.processes)
        await asyncio.gather(self._signal_store(signal.SIGKILL), self._stores.kill_database())

    async def _add_again(self, call_id: str, stage: Stage) -> None:
        """Deliver attempts once more: the last one that failed, and the one that is being made or comes next."""
        call = await patiently(lambda: self._flow.calls.get(call_id))
        record = (await patiently(lambda: self._flow.calls.stages(call_id)))[stage]
        for number in {max(1, record.failed), record.next_attempt}:
            await patiently(partial(self._flow.attempt, call, Attempt(call_id, stage, number), "twice"))

    async def _lose_jobs(self) -> None:
        """Have the queue store forget everything."""
        client = connect(self._flow.queues.url)

        async def flush() -> None:
            with store_errors(self._flow.queues.url):
                await client.flushall()

        await patiently(flush)
        await client.aclose()
