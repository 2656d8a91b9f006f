"""The stores and the worker processes of one schedule of calls, which can be killed and come back."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Protocol

from plugandtell.analytics.app import open_flow
from plugandtell.analytics.patience import patiently
from plugandtell.analytics.queues import connect
from plugandtell.analytics.settings import StoreSettings
from plugandtell.core.errors import StoreUnreachable
from tests.support.stores import redis_server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping
    from pathlib import Path

    from plugandtell.analytics.flow import Flow
    from plugandtell.analytics.settings import ServiceName
    from tests.faults.nursery import Child, Nursery
    from tests.support.stores import Postgres, Server

MAIN: Final = "tests.faults.call_worker"
SETTINGS: Final[dict[str, float]] = {
    "lock_s": 2.0,
    "first_delay_s": 0.02,
    "longest_delay_s": 0.1,
    "sweep_every_s": 1.0,
    "grace_s": 1.0,
    "limit_s": 0.2,
    "limit_factor": 0.0,
    "max_deaths": 50,
}
_STOPS_WITHIN_S: Final = 30.0


class Stores(Protocol):
    """Where calls and queues live."""

    settings: StoreSettings

    async def signal_store(self, number: int) -> None:
        """Send the queue store a signal; one that dies of it comes back."""
        ...

    async def kill_database(self) -> None:
        """Kill the database, and have it back."""
        ...


class OwnStores:
    """Our own queue store, which whoever needs it keeps running, and an SQLite file, which dies with its writers."""

    def __init__(self, data_dir: Path) -> None:
        self.settings = StoreSettings(data_dir=data_dir)
        self.url = ""
        self._pid = 0

    async def signal_store(self, number: int) -> None:
        """See `Stores`."""
        if number != signal.SIGCONT:  # who is frozen does not say its number
            client = connect(self.url)
            try:
                self._pid = int((await client.info("server"))["process_id"])
            finally:
                await client.aclose()
        os.kill(self._pid, number)

    async def kill_database(self) -> None:
        """There is none to kill."""


class Database:
    """A PostgreSQL that several schedules share, and may all want to kill."""

    def __init__(self, server: Postgres) -> None:
        self._server = server
        self._killing = asyncio.Lock()

    async def new(self) -> str:
        """The address of a new database in it."""
        async with self._killing:
            return self._server.new_database()

    async def kill(self) -> None:
        """Kill every process of it, and start it anew."""
        async with self._killing:
            await asyncio.to_thread(self._kill)

    def _kill(self) -> None:
        pids = [int(str(pid)) for (pid,) in self._server.run("SELECT pid FROM pg_stat_activity")]
        self._server.kill()
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._server.start()


class SeparateStores:
    """A Redis of the schedule's own, and a PostgreSQL."""

    def __init__(self, settings: StoreSettings, store: Server, database: Database) -> None:
        self.settings = settings
        self._store = store
        self._database = database

    async def signal_store(self, number: int) -> None:
        """See `Stores`."""
        if number != signal.SIGKILL:
            self._store.send(number)
            return
        self._store.kill()
        await asyncio.to_thread(self._store.start)

    async def kill_database(self) -> None:
        """See `Stores`."""
        await self._database.kill()


@asynccontextmanager
async def opened_stores(folder: Path, database: Database | None) -> AsyncIterator[tuple[Stores, Flow]]:
    """The stores of a schedule, separate ones where there is a PostgreSQL, and the hands of the campaign on them."""
    if database is None:
        own = OwnStores(folder / "data")
        async with open_flow(own.settings, os.environ) as flow:
            own.url = flow.queues.url
            yield own, flow
        return
    with redis_server(folder) as (server, url):
        settings = StoreSettings(queue_url=url, database_url=await database.new(), data_dir=folder / "data")
        async with AsyncExitStack() as stack:
            flow = await patiently(lambda: stack.enter_async_context(open_flow(settings, os.environ)))
            yield SeparateStores(settings, server, database), flow


@dataclass
class Process:
    """One worker process after another, as a supervisor keeps them.

    Attributes:
        services: What it runs.
        child: The one that runs.
        may_run: Cleared while none is to run.
    """

    services: tuple[ServiceName, ...]
    may_run: asyncio.Event
    child: Child | None = None


class Workers:
    """The worker processes of a schedule, each started anew when it ends."""

    def __init__(
        self,
        nursery: Nursery,
        folder: Path,
        stores: Stores,
        concurrency: int,
        settings: Mapping[str, float] = MappingProxyType(SETTINGS),
    ) -> None:
        self._nursery = nursery
        self._folder = folder
        self._stores = stores
        self._concurrency = concurrency
        self._settings = settings
        self._end = asyncio.Event()
        self._starts = 0
        self._keepers: list[asyncio.Task[None]] = []
        self.processes: list[Process] = []

    def start(self, layout: Iterable[tuple[ServiceName, ...]]) -> None:
        """Start a process for each element of the layout."""
        for services in layout:
            process = Process(services, asyncio.Event())
            process.may_run.set()
            self.processes.append(process)
            self._keepers.append(asyncio.create_task(self._keep(process)))

    async def stop(self) -> None:
        """Stop them all in peace."""
        self._end.set()
        try:
            async with asyncio.timeout(_STOPS_WITHIN_S):
                statuses = await asyncio.gather(*(self.stop_one(process) for process in self.processes))
                await asyncio.gather(*self._keepers)
        except TimeoutError:
            await self._ask_where()
            raise AssertionError("a worker does not stop") from None
        # 1, without a traceback: a store was away when it started; SIGTERM: it was not listening yet.
        assert set(statuses) <= {0, 1, -signal.SIGTERM, None}, f"workers ended with {statuses}"

    async def _ask_where(self) -> None:
        """Have each worker say where it is stuck, below all that it said before."""
        for number in (signal.SIGUSR2, signal.SIGUSR1):
            for process in self.processes:
                if process.child is not None:
                    process.child.send(number)
            await asyncio.sleep(1.0)

    async def stop_one(self, process: Process) -> int | None:
        """Stop one in peace; its exit code, or None where none runs."""
        process.may_run.set()
        child = process.child
        if child is None or child.ended.done():
            return None
        child.send(signal.SIGTERM)
        return await asyncio.shield(child.ended)

    def kill(self) -> None:
        """End them all, for good."""
        for keeper in self._keepers:
            keeper.cancel()
        for process in self.processes:
            if process.child is not None:
                process.child.send(signal.SIGKILL)

    def said(self) -> str:
        """All that they printed and logged."""
        return "\n".join(path.read_text(errors="replace") for path in sorted(self._folder.glob("worker-*")))

    async def _keep(self, process: Process) -> None:
        while True:
            await process.may_run.wait()
            if self._end.is_set():
                return
            self._starts += 1
            options = {
                "folder": str(self._folder),
                "queue_url": self._stores.settings.queue_url,
                "database_url": self._stores.settings.database_url,
                "settings": {
                    **self._settings,
                    "concurrency": self._concurrency,
                    "alert_command": ["/bin/sh", "-c", f"echo $PLUGANDTELL_ALERT_ALERT_ID >> {self._folder}/alerts"],
                },
                "services": process.services,
            }
            name = f"worker-{self._starts:02}"
            process.child = await self._nursery.start(self._folder, name, json.dumps(options), main=MAIN)
            if self._end.is_set():  # it was on its way when the others were stopped
                process.child.send(signal.SIGKILL)
            await asyncio.shield(process.child.ended)


async def eventually(ask: Callable[[], Coroutine[None, None, bool]], within_s: float) -> bool:
    """Whether it becomes true in time. Stores may be away meanwhile, and nothing but asking tells."""
    try:
        async with asyncio.timeout(within_s):
            while True:
                try:
                    if await ask():
                        return True
                except StoreUnreachable:
                    pass
                await asyncio.sleep(0.03)
    except TimeoutError:
        return False
