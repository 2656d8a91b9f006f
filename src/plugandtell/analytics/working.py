"""A worker's life: it works until it is stopped, watches a folder if it should, and says what came of each call."""

from __future__ import annotations

import asyncio
import shutil
import sys
from typing import TYPE_CHECKING, TypeVar

from plugandtell.analytics.announcing import Announcer
from plugandtell.analytics.api import open_analytics
from plugandtell.analytics.following import AWAY_PAUSE_S
from plugandtell.analytics.recordings import Recordings
from plugandtell.analytics.report import as_text
from plugandtell.analytics.runtime import utc_now
from plugandtell.analytics.submitted import Submitted
from plugandtell.analytics.submitting import Submitting
from plugandtell.command import print_line
from plugandtell.core.call import CallOptions
from plugandtell.core.errors import TransientError
from plugandtell.core.exit_status import ExitStatus
from plugandtell.logservice import get_logger
from plugandtell.stopping import stop_requests

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Coroutine
    from pathlib import Path
    from typing import Any

    from plugandtell.analytics.api import Analytics, AnalyticsSettings
    from plugandtell.analytics.database import StoredCalls
    from plugandtell.analytics.recordings import Found
    from plugandtell.analytics.report import Report
    from plugandtell.analytics.settings import ServiceName

_MOST_LEFT = 1000
_Answer = TypeVar("_Answer")


async def work_until_stopped(
    settings: AnalyticsSettings, services: Collection[ServiceName], watched: Path | None, *, lifeline: bool
) -> ExitStatus:
    """Work until Ctrl-C, a signal or the end of the parent.

    Args:
        settings: All of them.
        services: What to do.
        watched: A folder in which a server records; its finished recordings become calls. None for none.
        lifeline: End with the parent; when it writes anything, work first on all that was recorded.

    Raises:
        PlugAndTellError: What `open_analytics` raises.
    """
    finish = asyncio.Event()
    with stop_requests(lifeline=lifeline, finish=finish) as stop:
        async with open_analytics(settings, services) as analytics:
            get_logger().info("working", services=", ".join(services))
            if watched is None:
                await stop.wait()
            else:
                await _first_of(stop.wait(), _watch(analytics, settings, watched, finish))
    return ExitStatus.OK


async def _first_of(*coroutines: Coroutine[Any, Any, object]) -> None:
    """Wait until one of them ends, and end the others; raises what it raised."""
    tasks = [asyncio.create_task(coroutine) for coroutine in coroutines]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()


async def _watch(analytics: Analytics, settings: AnalyticsSettings, folder: Path, finish: asyncio.Event) -> None:
    """Submit what is recorded, and say what comes of it, until all is done after `finish` is set."""
    announcer = Announcer(analytics.calls, _say)
    since = await _patiently(analytics.calls.last_change)
    inside = await asyncio.to_thread(lambda: f"{folder.resolve().as_uri()}/")
    for call_id in await _patiently(lambda: _unfinished_of(analytics.calls, inside)):
        announcer.expect(call_id)
    await _first_of(announcer.run(since), _submit_all(analytics, announcer, settings, folder, finish))


async def _submit_all(
    analytics: Analytics, announcer: Announcer, settings: AnalyticsSettings, folder: Path, finish: asyncio.Event
) -> None:
    stores, redact = settings.stores, settings.engines.redact
    submitted = Submitted(stores.data_dir, folder, stores.database_url or "")
    recordings = Recordings(folder, Submitting(analytics.flow), submitted, CallOptions(redact=redact))

    def note(found: Found) -> None:
        for submission in found.new:
            announcer.expect(submission.call_id)

    await recordings.keep_looking(finish, note)
    note(await _patiently(recordings.look))  # what was recorded since the last look
    if left := await announcer.drained():
        get_logger().warning("calls_left_for_later", number=left)


async def _patiently(ask: Callable[[], Awaitable[_Answer]]) -> _Answer:
    """The answer, however long a store stays away."""
    while True:
        try:
            return await ask()
        except TransientError as error:
            get_logger().warning("store_awaited", error=str(error))
            await asyncio.sleep(AWAY_PAUSE_S)


async def _unfinished_of(calls: StoredCalls, folder_url: str) -> list[str]:
    """The calls of recordings in this folder that an earlier run left unfinished."""
    left = await calls.unfinished(utc_now(), "", _MOST_LEFT)
    return [call.call_id for call, _ in left if call.audio_url.startswith(folder_url)]


def _say(report: Report) -> None:
    print_line(sys.stdout, as_text(report, shutil.get_terminal_size((100, 24)).columns) + "\n")
