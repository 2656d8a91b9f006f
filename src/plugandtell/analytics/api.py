"""Call analytics for Python programs.

```python
from plugandtell.analytics.api import analyze, open_analytics

report = await analyze("call.flac")                      # everything in this process, stores of our own

async with open_analytics(stores) as analytics:          # submit; workers elsewhere do the work
    call_id = await analytics.submit("s3://calls/7.wav")
    async for change in analytics.events(call_id):
        print(change.stage, change.state)
    report = await analytics.report(call_id)
```
"""

from __future__ import annotations

import asyncio
import os
import uuid
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from plugandtell.analytics.app import open_flow
from plugandtell.analytics.database import StoredCalls
from plugandtell.analytics.following import changes_of
from plugandtell.analytics.pool import Pool, PoolSettings
from plugandtell.analytics.report import Report
from plugandtell.analytics.runtime import run_services
from plugandtell.analytics.services import ServiceFactory
from plugandtell.analytics.settings import EngineSettings, ServiceName, StoreSettings, WorkerSettings
from plugandtell.core.audio_url import without_secrets
from plugandtell.core.call import CallOptions, Stage
from plugandtell.core.errors import InputNotFound
from plugandtell.logservice import silence_without_log

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Sequence

    from plugandtell.analytics.calls import Change
    from plugandtell.analytics.flow import Flow

ALL_SERVICES: Final = frozenset(ServiceName)


@dataclass(frozen=True, slots=True)
class AnalyticsSettings:
    """All that call analytics can be told.

    Attributes:
        stores: Where calls and queues live: by default on this machine, in the user's data folder.
        engines: What does the work.
        worker: How calls are worked on.
    """

    stores: StoreSettings = field(default_factory=StoreSettings)
    engines: EngineSettings = field(default_factory=EngineSettings)
    worker: WorkerSettings = field(default_factory=WorkerSettings)


class Analytics:
    """Submits calls, and tells what becomes of them. Made by `open_analytics`.

    Its methods raise StoreUnreachable while a store does not answer, and CallNotFound where there is no such call.
    """

    def __init__(self, flow: Flow, calls: StoredCalls) -> None:
        self.flow = flow
        self.calls = calls

    async def submit(
        self, audio: str | os.PathLike[str], options: CallOptions | None = None, *, call_id: str | None = None
    ) -> str:
        """Take a call in.

        Args:
            audio: A file on this machine, or a URL that the workers can read: `file://`, `https://`, `s3://`.
            options: What is known about the call.
            call_id: Its id, if it has one elsewhere; submitting the same id again changes nothing.

        Returns:
            Its id.

        Raises:
            InputNotFound: There is no such file.
        """
        chosen = call_id or new_call_id()
        url, name = url_of(audio), os.fspath(audio)
        source = without_secrets(name) if "://" in name else name
        await self.flow.submit(chosen, url, source, options or CallOptions())
        return chosen

    async def events(self, call_id: str) -> AsyncIterator[Change]:
        """What happened to a call and what goes on to happen, until it has reached its end."""
        async for change in changes_of(self.calls, call_id):
            yield change

    async def wait(self, call_id: str) -> Report:
        """Wait until a call is complete or has failed for good; gives what is known of it then."""
        async for _ in self.events(call_id):
            pass
        return await self.report(call_id)

    async def report(self, call_id: str) -> Report:
        """What is known of a call now."""
        return await report_of(self.calls, call_id)

    async def retry(self, call_id: str) -> Sequence[Stage]:
        """Try a failed call again, from the stages on that failed; gives them."""
        return await self.flow.retry(call_id)


@asynccontextmanager
async def open_analytics(
    settings: AnalyticsSettings | None = None, services: Collection[ServiceName] = ()
) -> AsyncIterator[Analytics]:
    """Call analytics, until the end of the block. What it has to say goes to the log of the process, if that has one.

    Args:
        settings: All of them.
        services: What this process does for calls itself; nothing by default, which leaves the work to others.

    Raises:
        InvalidSetting: An address is none.
        FolderUnusable: The data folder cannot be used.
        EngineUnavailable: A service cannot be made here: no call shall fail for that.
        StoreUnreachable: A store does not answer.
        StoreUnusable: One cannot be used as it is.
    """
    known = settings or AnalyticsSettings()
    with silence_without_log():
        async with open_flow(known.stores, os.environ) as flow, _working(flow, known, services):
            assert isinstance(flow.calls, StoredCalls)
            yield Analytics(flow, flow.calls)


async def analyze(
    audio: str | os.PathLike[str], options: CallOptions | None = None, settings: AnalyticsSettings | None = None
) -> Report:
    """Have one call go through all stages, in this process; gives what came of it, or why it failed.

    Raises:
        InputNotFound: There is no such file.
        StoreUnreachable: A store does not answer; and what else `open_analytics` raises.
    """
    url_of(audio)
    async with open_analytics(settings, ALL_SERVICES) as analytics:
        return await analytics.wait(await analytics.submit(audio, options))


def new_call_id() -> str:
    """An id that no other call has."""
    return uuid.uuid4().hex[:16]


def url_of(audio: str | os.PathLike[str]) -> str:
    """Where the audio is, as workers need it.

    Raises:
        InputNotFound: It is a file that is not there.
    """
    name = os.fspath(audio)
    if "://" in name:
        return name
    path = Path(name)
    if not path.is_file():
        raise InputNotFound(name, "it is a folder" if path.is_dir() else "no such file")
    return path.resolve().as_uri()


async def report_of(calls: StoredCalls, call_id: str) -> Report:
    """What is known of a call.

    Raises:
        CallNotFound: There is no such call.
        StoreUnreachable: The database does not answer.
    """
    record = await calls.get(call_id)
    return Report(call_id, record.source, record.state, await calls.results(call_id), await calls.failures(call_id))


@asynccontextmanager
async def _working(flow: Flow, settings: AnalyticsSettings, services: Collection[ServiceName]) -> AsyncIterator[None]:
    """Run these services until the end of the block."""
    if not services:
        yield
        return
    stop = asyncio.Event()
    factory = ServiceFactory(settings.engines, settings.stores.data_dir)
    per_audio_s = {Stage.TRANSCRIPTION: settings.worker.per_audio_s(Stage.TRANSCRIPTION)}
    pool_settings = PoolSettings(children=settings.worker.concurrency, per_audio_s=per_audio_s)
    async with Pool(factory, pool_settings, settings.stores.data_dir) as pool:
        await pool.warm_all([Stage(name.value) for name in services if name is not ServiceName.ERRORS])
        async with _one_error(), asyncio.TaskGroup() as tasks:
            working = tasks.create_task(run_services(services, settings.worker, flow, pool, stop))
            try:
                yield
            except Exception:
                stop.set()
                await asyncio.wait([working])  # within its grace; a cancellation ends it at once
                raise
            stop.set()


@asynccontextmanager
async def _one_error() -> AsyncIterator[None]:
    """What a task group raises, without the group where it holds one error."""
    try:
        yield
    except BaseExceptionGroup as group:
        if len(group.exceptions) > 1:
            raise
        raise group.exceptions[0] from group.exceptions[0].__cause__
