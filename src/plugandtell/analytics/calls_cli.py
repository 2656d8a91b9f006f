"""The `plugandtell calls` commands: what calls there are, where each stands, and what came of it."""

from __future__ import annotations

import json
import shutil
import sys
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Group, Parameter

from plugandtell.analytics import listing, report
from plugandtell.analytics.installed import check_installed
from plugandtell.analytics.settings import Cover, StoreSettings
from plugandtell.analytics.subtitles import as_srt, as_vtt
from plugandtell.command import check_range, new_app, print_line, with_examples
from plugandtell.core import exit_status
from plugandtell.core.call import CallState, Stage
from plugandtell.core.errors import FolderUnusable, InvalidSetting
from plugandtell.core.exit_status import ExitStatus
from plugandtell.core.transcript import Transcript

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence
    from typing import Any

    from plugandtell.analytics.calls import CallRecord, Change
    from plugandtell.analytics.database import StoredCalls

_MOST_LISTED = 1_000_000
OUTPUT = Group("Output", sort_key=7)
AsJson = Annotated[bool, Parameter(name="--json", group=OUTPUT, negative=(), help="Print JSON, an object a line.")]

app = new_app(
    "calls",
    "List calls, show what came of them, try failed ones again.",
    ["analytics"],
    exit_status.ANALYTICS,
    strict=False,
)
_EPILOGUE = app.help_epilogue
app.help_epilogue = with_examples(
    app.help_epilogue,
    "plugandtell calls list --state failed",
    "plugandtell calls show 1f0c",
    "plugandtell calls retry --all",
)


class ExportFormat(StrEnum):
    """How calls are written to files."""

    JSON = "json"
    TXT = "txt"
    SRT = "srt"
    VTT = "vtt"


@app.command(
    name="list",
    help_epilogue=with_examples(
        _EPILOGUE,
        "plugandtell calls list",
        "plugandtell calls list --state failed --limit 10",
        "plugandtell calls list --json",
    ),
)
def list_calls(
    *,
    state: Annotated[CallState | None, Parameter(group=OUTPUT, help="Only calls in this state.")] = None,
    limit: Annotated[int, Parameter(group=OUTPUT, help="At most so many, the newest first.")] = 50,
    as_json: AsJson = False,
    stores: StoreSettings | None = None,
) -> int:
    """List the newest calls: their ids, where they stand, when they came, and what they are of."""
    check_range("--limit", limit, 1, _MOST_LISTED)

    async def show(calls: StoredCalls) -> None:
        found = await calls.list(state, limit)
        if as_json:
            _print_objects(map(listing.as_object, found))
            return
        _print(listing.calls_table(found) if found else "no calls: `plugandtell analyze FILE` makes one")
        counts = await calls.counts()
        if sum(counts.values()) > len(found):
            _print(f"\n{', '.join(f'{number} {its.value}' for its, number in counts.items() if number)} in all")

    return _with_calls(stores, show)


@app.command(
    help_epilogue=with_examples(_EPILOGUE, "plugandtell calls show 1f0c", "plugandtell calls show 1f0c --json")
)
def show(call: str, *, as_json: AsJson = False, stores: StoreSettings | None = None) -> int:
    """Show a call: what came of it, the transcript with times, and all attempts and errors.

    Args:
        call: The call, or as much of its id as no other one begins with.
        as_json: Print JSON.
        stores: Where calls live.
    """

    async def show_one(calls: StoredCalls) -> None:
        from plugandtell.analytics.api import report_of  # noqa: PLC0415  (keeps --help fast)

        record = await calls.find(call)
        its_report, stages = await report_of(calls, record.call_id), await calls.stages(record.call_id)
        if as_json:
            stages_json = {stage.value: listing.as_object(its) for stage, its in stages.items()}
            _print_objects([report.as_json(its_report) | {"stages": stages_json}])
            return
        _print(report.as_text(its_report, shutil.get_terminal_size((100, 24)).columns))
        _print(f"\n{listing.stages_table(stages)}")
        if its_report.failures:
            _print(f"\n{listing.failures_table(its_report.failures)}")

    return _with_calls(stores, show_one)


@app.command(help_epilogue=with_examples(_EPILOGUE, "plugandtell calls watch", "plugandtell calls watch 1f0c 77ab"))
def watch(*call: str, as_json: AsJson = False, stores: StoreSettings | None = None) -> int:
    """Show each change of state as it happens: until these calls have ended, or of all calls until Ctrl-C.

    Args:
        call: The calls, or as much of their ids as no other one begins with; none for all.
        as_json: Print JSON, an object a line.
        stores: Where calls live.
    """

    def show(change: Change) -> None:
        _print(json.dumps(listing.as_object(change)) if as_json else listing.change_line(change))

    async def follow(calls: StoredCalls) -> None:
        import asyncio  # noqa: PLC0415  (keeps --help fast, as does the next)

        from plugandtell.analytics.following import changes_of  # noqa: PLC0415

        async def follow_one(call_id: str) -> None:
            async for change in changes_of(calls, call_id):
                show(change)

        if not call:
            async for change in calls.watch(await calls.last_change()):
                show(change)
        chosen = {(await calls.find(one)).call_id for one in call}
        await asyncio.gather(*map(follow_one, chosen))

    with suppress(KeyboardInterrupt):  # that is how one stops watching
        return _with_calls(stores, follow)
    return ExitStatus.OK


@app.command(
    help_epilogue=with_examples(
        _EPILOGUE, "plugandtell calls export --to reports", "plugandtell calls export 1f0c --format srt"
    )
)
def export(
    *call: str,
    to: Annotated[Path, Parameter(group=OUTPUT)] = Path(),
    format: Annotated[ExportFormat, Parameter(group=OUTPUT)] = ExportFormat.JSON,  # noqa: A002  (the flag's name)
    stores: StoreSettings | None = None,
) -> int:
    """Write calls to files, one each, named by the call's id; prints their names.

    Args:
        call: The calls, or as much of their ids as no other one begins with; none for all that are complete.
        to: The folder; made if it is missing.
        format: json has everything, txt the report, srt and vtt the transcript as subtitles.
        stores: Where calls live.
    """

    async def write(calls: StoredCalls) -> None:
        from plugandtell.analytics.api import report_of  # noqa: PLC0415  (keeps --help fast)

        for record in await _chosen(calls, call, CallState.COMPLETE):
            file = to / f"{record.call_id}.{format.value}"
            _write(file, _exported(await report_of(calls, record.call_id), format))
            _print(str(file))

    return _with_calls(stores, write)


@app.command(
    help_epilogue=with_examples(
        _EPILOGUE,
        "plugandtell calls hide 1f0c --to clean.wav",
        "plugandtell calls hide 1f0c --to clean.wav --cover silence",
    )
)
def hide(
    call: str,
    *,
    to: Annotated[Path, Parameter(group=OUTPUT)],
    cover: Annotated[Cover, Parameter(group=OUTPUT)] = Cover.BEEP,
    stores: StoreSettings | None = None,
) -> int:
    """Write a copy of a call's audio in which nobody hears phone numbers, e-mail addresses and the like.

    Args:
        call: The call, or as much of its id as no other one begins with; it must have been transcribed.
        to: The WAV file to write; one that is there is replaced.
        cover: What is heard instead: beep or mute.
        stores: Where calls live.
    """

    async def write(calls: StoredCalls) -> None:
        import asyncio  # noqa: PLC0415  (keeps --help fast, as does the next)

        from plugandtell.analytics.hiding import hide_in_recording  # noqa: PLC0415

        record = await calls.find(call)
        transcript = (await calls.results(record.call_id)).get(Stage.TRANSCRIPTION)
        if not isinstance(transcript, Transcript):
            raise InvalidSetting("CALL", record.call_id, "a call that has been transcribed")
        hidden = await asyncio.to_thread(hide_in_recording, record.audio_url, transcript, to, cover)
        _print(f"{to}  {hidden} hidden")

    return _with_calls(stores, write)


@app.command(
    help_epilogue=with_examples(_EPILOGUE, "plugandtell calls failures", "plugandtell calls failures 1f0c --json")
)
def failures(call: str | None = None, *, as_json: AsJson = False, stores: StoreSettings | None = None) -> int:
    """List attempts that failed, the first one first: of a call, or the last 100 of all.

    Args:
        call: The call, or as much of its id as no other one begins with.
        as_json: Print JSON, an object a line, with details and traceback.
        stores: Where calls live.
    """

    async def show_failures(calls: StoredCalls) -> None:
        of = None if call is None else (await calls.find(call)).call_id
        found = await calls.failures(of, None if of else 100)
        if as_json:
            _print_objects(map(listing.as_object, found))
        else:
            _print(listing.failures_table(found) if found else "no failures")

    return _with_calls(stores, show_failures)


@app.command(help_epilogue=with_examples(_EPILOGUE, "plugandtell calls alerts", "plugandtell calls alerts 1f0c"))
def alerts(call: str | None = None, *, as_json: AsJson = False, stores: StoreSettings | None = None) -> int:
    """List the last 100 alerts: what failed for good, in plain words.

    Args:
        call: The call, or as much of its id as no other one begins with.
        as_json: Print JSON, an object a line.
        stores: Where calls live.
    """

    async def show_alerts(calls: StoredCalls) -> None:
        found = await calls.alerts(None if call is None else (await calls.find(call)).call_id)
        if as_json:
            _print_objects(map(listing.as_object, found))
        else:
            _print(listing.alerts_table(found) if found else "no alerts")

    return _with_calls(stores, show_alerts)


@app.command(help_epilogue=with_examples(_EPILOGUE, "plugandtell calls retry 1f0c", "plugandtell calls retry --all"))
def retry(
    *call: str,
    every: Annotated[bool, Parameter(name="--all", negative=())] = False,
    stores: StoreSettings | None = None,
) -> int:
    """Try failed calls again, from the stages on that failed. Workers do it, as soon as one runs.

    Args:
        call: The calls, or as much of their ids as no other one begins with.
        every: All that failed.
        stores: Where calls and queues live.
    """
    if bool(call) == every:
        raise InvalidSetting("CALL", " ".join(call), "at least one call, or else --all")

    async def try_again(calls: StoredCalls) -> None:
        from plugandtell.analytics.api import AnalyticsSettings, open_analytics  # noqa: PLC0415  (keeps --help fast)

        chosen = await _chosen(calls, call, CallState.FAILED)
        async with open_analytics(AnalyticsSettings(stores or StoreSettings())) as analytics:
            for record in chosen:
                stages = await analytics.retry(record.call_id)
                _print(f"{record.call_id}  {', '.join(stages) or 'nothing of it has failed'}")

    return _with_calls(stores, try_again)


@app.command(help_epilogue=with_examples(_EPILOGUE, "plugandtell calls delete 1f0c 77ab"))
def delete(*call: str, stores: StoreSettings | None = None) -> int:
    """Delete calls with all that is known of them; the audio stays where it is.

    Args:
        call: The calls, or as much of their ids as no other one begins with.
        stores: Where calls live.
    """
    if not call:
        raise InvalidSetting("CALL", "", "at least one call; `plugandtell calls list` shows them")

    async def remove(calls: StoredCalls) -> None:
        for record in [await calls.find(one) for one in call]:
            await calls.delete(record.call_id)
            _print(record.call_id)

    return _with_calls(stores, remove)


async def _chosen(calls: StoredCalls, named: Sequence[str], state: CallState) -> list[CallRecord]:
    """The calls that were named, or all in that state."""
    if named:
        return [await calls.find(one) for one in named]
    return await calls.list(state, _MOST_LISTED)


def _exported(its: report.Report, kind: ExportFormat) -> str:
    transcript = its.result(Transcript)
    match kind:
        case ExportFormat.JSON:
            return json.dumps(report.as_json(its), indent=2, ensure_ascii=False) + "\n"
        case ExportFormat.TXT:
            return report.as_text(its, 100) + "\n"
        case ExportFormat.SRT:
            return "" if transcript is None else as_srt(transcript)
        case ExportFormat.VTT:
            return "WEBVTT\n" if transcript is None else as_vtt(transcript)


def _with_calls(stores: StoreSettings | None, do: Callable[[StoredCalls], Awaitable[None]]) -> int:
    """Open the database for as long as `do` takes."""
    import asyncio  # noqa: PLC0415  (keeps --help fast)

    check_installed()
    from plugandtell.analytics.database import open_calls  # noqa: PLC0415
    from plugandtell.logservice import silence_without_log  # noqa: PLC0415

    async def run() -> None:
        settings = stores or StoreSettings()
        async with open_calls(settings.database_url, settings.data_dir) as calls:
            await do(calls)

    with silence_without_log():
        asyncio.run(run())
    return ExitStatus.OK


def _write(file: Path, text: str) -> None:
    """Write a file whole or not at all; its folder is made where it is missing."""
    temporary = file.with_name(f"{file.name}.new")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(file)
    except OSError as exc:
        raise FolderUnusable("--to", str(file.parent), exc.strerror or str(exc)) from exc


def _print_objects(objects: Iterable[dict[str, Any]]) -> None:
    for one in objects:
        _print(json.dumps(one, ensure_ascii=False))


def _print(text: str) -> None:
    print_line(sys.stdout, text)
