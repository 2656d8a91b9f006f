"""The `plugandtell analyze` command."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

from cyclopts import Group, Parameter

from plugandtell.analytics import report
from plugandtell.analytics.call_flags import CallFlags
from plugandtell.analytics.installed import check_installed
from plugandtell.analytics.settings import EngineSettings, StoreSettings, WorkerSettings
from plugandtell.analytics.settings_table import check_table
from plugandtell.command import LogOptions, new_app, print_line, run_logged, with_examples
from plugandtell.core import errors, exit_status
from plugandtell.core.audio_url import without_secrets
from plugandtell.core.call import CallOptions, CallState, Stage, StageState
from plugandtell.core.errors import InvalidSetting
from plugandtell.core.exit_status import ExitStatus
from plugandtell.core.safe_text import escape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plugandtell.analytics.api import Analytics
    from plugandtell.analytics.calls import Change
    from plugandtell.analytics.progress import CallProgress
    from plugandtell.analytics.report import Report

OUTPUT = Group("Output", sort_key=7)

app = new_app(
    "analyze",
    "Tell what was said in audio files: transcript, facts, how the caller feels and what they want.",
    ["analytics"],
    exit_status.ANALYTICS,
    strict=False,
)
app.help_epilogue = with_examples(
    app.help_epilogue,
    "plugandtell analyze call.wav",
    "plugandtell analyze *.mp3 --language fr --json",
    "plugandtell analyze https://host.example/call.wav --agent-channel first",
)


@app.default
def analyze(  # noqa: PLR0913  (each a group of settings)
    *file: str,
    call: CallFlags | None = None,
    as_json: Annotated[bool, Parameter(name="--json", group=OUTPUT, negative=())] = False,
    engines: EngineSettings | None = None,
    stores: StoreSettings | None = None,
    worker: WorkerSettings | None = None,
    log: LogOptions | None = None,
) -> int:
    """Tell what was said in audio files: transcript, facts, how the caller feels and what they want.

    Nothing needs to be installed or started: the queue store and the database are our own, unless others are named. A
    call that is not done when this ends, by Ctrl-C for example, goes on in the next `plugandtell analyze` or `worker`.

    Args:
        file: Audio of any format and length, mono or stereo with one party on each channel; or its URL.
        call: What is known about the files.
        as_json: Print JSON instead of reports, an object a line.
        engines: What does the work.
        stores: Where calls and queues live.
        worker: How calls are worked on.
        log: Where the log goes.
    """
    if not file:
        raise InvalidSetting("FILE", "", "at least one audio file")
    engines = engines or EngineSettings()
    of_call = replace((call or CallFlags()).of_call(), redact=engines.redact)
    check_table()
    check_installed()
    from plugandtell.analytics.api import ALL_SERVICES, AnalyticsSettings, open_analytics, url_of  # noqa: PLC0415
    from plugandtell.analytics.progress import CallProgress  # noqa: PLC0415  (keeps --help fast, as does the above)

    settings = AnalyticsSettings(stores or StoreSettings(), engines, worker or WorkerSettings())
    for name in file:
        url_of(name)  # before any work begins

    async def run() -> ExitStatus:
        async with open_analytics(settings, ALL_SERVICES) as analytics:
            with CallProgress(sys.stderr) as progress:
                reports = await _analyze_all(analytics, file, of_call, progress)
        for one in reports:
            _print(one, as_json=as_json)
        return _status(reports)

    try:
        return run_logged("analyze", log or LogOptions(), run, on_console=False)
    except KeyboardInterrupt:
        print_line(
            sys.stderr, "interrupted: what is not done yet goes on with the next `plugandtell worker` or `analyze`"
        )
        raise


async def _analyze_all(
    analytics: Analytics, files: Sequence[str], options: CallOptions, progress: CallProgress
) -> list[Report]:
    """Submit all, and wait for all; in the order in which they were given."""
    from plugandtell.analytics.following import until_ended  # noqa: PLC0415  (keeps --help fast)

    calls = analytics.calls
    since, names = await calls.last_change(), dict[str, str]()
    states: dict[str, dict[Stage, StageState]] = {}
    for name in files:
        call_id = await analytics.submit(name, options)
        shown = without_secrets(name) if "://" in name else name
        names[call_id], states[call_id] = shown, {}
        progress.add(call_id, shown)

    def show(change: Change) -> None:
        if change.stage is not None:
            states[change.call_id][change.stage] = StageState(change.state)
        progress.show(change.call_id, states[change.call_id])

    deleted = await until_ended(calls, names, since, show)
    for call_id in deleted:
        print_line(sys.stderr, f"{escape(names[call_id])}: the call {call_id} was deleted meanwhile")
    return [await analytics.report(call_id) for call_id in names if call_id not in deleted]


def _print(one: Report, *, as_json: bool) -> None:
    if as_json:
        print_line(sys.stdout, json.dumps(report.as_json(one), ensure_ascii=False))
    else:
        print_line(sys.stdout, report.as_text(one, shutil.get_terminal_size((100, 24)).columns) + "\n")


def _status(reports: Sequence[Report]) -> ExitStatus:
    """What the exit code says of all of them: that the input was bad if nothing else went wrong."""
    why = [one.failure.error if one.failure else "" for one in reports if one.state is CallState.FAILED]
    if not why:
        return ExitStatus.OK
    kinds = [getattr(errors, name, None) for name in why]
    bad_input = all(isinstance(kind, type) and issubclass(kind, errors.InputError) for kind in kinds)
    return ExitStatus.BAD_INPUT if bad_input else ExitStatus.CALL_FAILED
