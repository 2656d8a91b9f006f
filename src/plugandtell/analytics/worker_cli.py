"""The `plugandtell worker` command."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from plugandtell.analytics.installed import check_installed
from plugandtell.analytics.settings import EngineSettings, ServiceName, StoreSettings, WorkerSettings
from plugandtell.analytics.settings_table import check_table
from plugandtell.command import WORK, Lifeline, LogOptions, Reports, new_app, run_logged, with_examples
from plugandtell.core import exit_status

_STDERR = 2

app = new_app(
    "worker",
    "Work on calls: all that there is to do, or some of the services, on this machine or on many.",
    ["analytics"],
    exit_status.ANALYTICS,
    strict=False,
)
app.help_epilogue = with_examples(
    app.help_epilogue,
    "plugandtell worker",
    "plugandtell worker --watch audio",
    "plugandtell worker --service transcription --queue-url redis://host.example:6379",
)


@app.default
def work(  # noqa: PLR0913  (each a group of settings)
    *,
    service: Annotated[tuple[ServiceName, ...], Parameter(group=WORK)] = tuple(ServiceName),
    watch: Annotated[Path | None, Parameter(group=WORK)] = None,
    worker: WorkerSettings | None = None,
    engines: EngineSettings | None = None,
    stores: StoreSettings | None = None,
    log: LogOptions | None = None,
    lifeline: Lifeline = False,
    reports: Reports = False,
) -> int:
    """Work on calls until Ctrl-C: all that there is to do, or some of the services, on this machine or on many.

    Any number of workers may share one queue store and one database. What a worker has in hand when it dies goes to
    another. At least one of them should run the service `errors`.

    Args:
        service: What to do; may be repeated. Everything, if it is not given.
        watch: A folder in which a server records: each finished recording becomes a call, and its report is printed.
        worker: How calls are worked on.
        engines: What does the work.
        stores: Where calls and queues live.
        log: Where the log goes.
        lifeline: End with the parent.
        reports: Tell it what is logged, on standard error, as lines of JSON.
    """
    check_table()
    check_installed()
    from plugandtell.analytics.api import AnalyticsSettings  # noqa: PLC0415  (keeps --help fast, as does the next)
    from plugandtell.analytics.working import work_until_stopped  # noqa: PLC0415

    settings = AnalyticsSettings(stores or StoreSettings(), engines or EngineSettings(), worker or WorkerSettings())
    from plugandtell.terminal.viewers import Nobody, Parent  # noqa: PLC0415

    viewer = Parent("analytics", _STDERR) if reports else Nobody()
    return run_logged(
        "analytics",
        log or LogOptions(),
        lambda: work_until_stopped(settings, service, watch, lifeline=lifeline),
        divert=viewer.divert,
    )
