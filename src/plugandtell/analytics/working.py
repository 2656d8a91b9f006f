"""A worker's life: it works until it is stopped, watches a folder if it should, and says what came of each call."""

from __future__ import annotations

import asyncio
import shutil
import sys
from typing import TYPE_CHECKING

from plugandtell.analytics.announcing import ANNOUNCED_WITHIN_S, all_settled, announce
from plugandtell.analytics.api import open_analytics
from plugandtell.analytics.recordings import Recordings
from plugandtell.analytics.report import as_text
from plugandtell.analytics.runtime import utc_now
from plugandtell.analytics.submitted import Submitted
from plugandtell.analytics.submitting import Submitting
from plugandtell.command import print_line
from plugandtell.core.call import CallOptions
from plugandtell.core.exit_status import ExitStatus
from plugandtell.logservice import get_logger
from plugandtell.stopping import stop_requests

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path
    from typing import Any

    from plugandtell.analytics.api import Analytics, AnalyticsSettings
    from plugandtell.analytics.database import StoredCalls
    from plugandtell.analytics.recordings import Found
    from plugandtell.analytics.report import Report
    from plugandtell.analytics.settings import ServiceName, StoreSettings

_MOST_LEFT = 1000


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
            tasks: list[asyncio.Task[Any]] = [asyncio.create_task(stop.wait())]
            if watched is not None:
                tasks.append(asyncio.create_task(_watch(analytics, settings.stores, watched, finish)))
            done, others = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)
            for task in done:
                task.result()
    return ExitStatus.OK


async def _watch(analytics: Analytics, stores: StoreSettings, folder: Path, finish: asyncio.Event) -> None:
    """Submit what is recorded, and say what comes of it, until all is done after `finish` is set."""
    submitted = Submitted(stores.data_dir, folder, stores.database_url or "")
    recordings = Recordings(folder, Submitting(analytics.flow), submitted, CallOptions())
    ours = await _unfinished_of(analytics.calls, folder)

    def note(found: Found) -> None:
        ours.extend(submission.call_id for submission in found.new)

    announcing = asyncio.create_task(announce(analytics.calls, await analytics.calls.last_change(), _say))
    try:
        await recordings.keep_looking(finish, note)
        note(await recordings.look())  # what was recorded since the last look
        await all_settled(analytics.calls, ours)
        await asyncio.sleep(ANNOUNCED_WITHIN_S)
    finally:
        announcing.cancel()


async def _unfinished_of(calls: StoredCalls, folder: Path) -> list[str]:
    """The calls of recordings in this folder that an earlier run left unfinished."""
    sources = f"{folder}/"
    left = await calls.unfinished(utc_now(), "", _MOST_LEFT)
    return [call.call_id for call, _ in left if call.source.startswith(sources)]


def _say(report: Report) -> None:
    print_line(sys.stdout, as_text(report, shutil.get_terminal_size((100, 24)).columns) + "\n")
