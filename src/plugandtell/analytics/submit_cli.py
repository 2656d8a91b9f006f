"""The `plugandtell submit` command."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from plugandtell.analytics.call_flags import CallFlags
from plugandtell.analytics.installed import check_installed
from plugandtell.analytics.settings import StoreSettings
from plugandtell.analytics.settings_table import check_table
from plugandtell.command import INPUT, STORES, Lifeline, LogOptions, new_app, print_line, run_logged, with_examples
from plugandtell.core import exit_status
from plugandtell.core.errors import InvalidSetting
from plugandtell.core.exit_status import ExitStatus
from plugandtell.core.safe_text import escape

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Sequence

    from plugandtell.analytics.recordings import Found
    from plugandtell.analytics.submitting import Submission, Submitting
    from plugandtell.core.call import CallOptions

app = new_app(
    "submit",
    "Hand calls over to the workers: audio files, URLs, or all recordings that a server leaves in a folder.",
    ["analytics"],
    exit_status.ANALYTICS,
    strict=False,
)
app.help_epilogue = with_examples(
    app.help_epilogue,
    "plugandtell submit call.wav",
    "plugandtell submit --watch audio --redact",
    "plugandtell submit call.wav --queue-url redis://host.example:6379",
)


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitOptions:
    """What is submitted, and how workers come by it."""

    watch: Annotated[Path | None, Parameter(group=INPUT)] = None
    """Folder in which a server leaves recordings: submit those that are not known yet, then each new one."""

    redact: Annotated[bool, Parameter(group=INPUT)] = False
    """Keep phone numbers, e-mail addresses and the like out of what is stored, whichever worker gets the call."""

    audio_store: Annotated[str | None, Parameter(group=STORES)] = None
    """Copy files here first, for workers that do not see this machine's files: file:///SHARED or s3://BUCKET/PREFIX."""


@app.default
def submit(
    *file: str,
    call: CallFlags | None = None,
    options: SubmitOptions | None = None,
    stores: StoreSettings | None = None,
    log: LogOptions | None = None,
    lifeline: Lifeline = False,
) -> int:
    """Hand calls over to the workers: audio files, URLs, or all recordings that a server leaves in a folder.

    Prints a line for each call: its id and what it is of. Submitting something twice makes no second call. With --watch
    it goes on until Ctrl-C or SIGTERM, and waits for stores that go away.

    Args:
        file: Audio of any format and length, or its URL: https://, s3:// or file://.
        call: What is known about what is submitted.
        options: What is submitted besides, and how workers come by it.
        stores: Where calls and queues live.
        log: Where the log goes.
        lifeline: Stop when standard input ends.
    """
    options = options or SubmitOptions()
    if bool(file) is (options.watch is not None):
        raise InvalidSetting("FILE", " ".join(file), "one audio file or more, or --watch with a folder")
    of_call, stores = replace((call or CallFlags()).of_call(), redact=options.redact), stores or StoreSettings()
    check_table()
    check_installed()

    async def main() -> ExitStatus:
        from plugandtell.analytics.app import open_flow  # noqa: PLC0415  (keeps --help fast, as do the next)
        from plugandtell.analytics.submitting import Submitting  # noqa: PLC0415
        from plugandtell.stopping import stop_requests  # noqa: PLC0415

        with stop_requests(lifeline=lifeline) as stop:
            submissions = [_submission(name, of_call) for name in file]  # before any work begins
            async with open_flow(stores, os.environ) as flow:
                submitting = Submitting(flow, options.audio_store)
                if options.watch is not None:
                    await _watch(options.watch, submitting, stores, of_call, stop)
                else:
                    await _submit_all(submitting, submissions)
        return ExitStatus.OK

    return run_logged("submit", log or LogOptions(), main)


def _submission(name: str, options: CallOptions) -> Submission:
    from plugandtell.analytics.submitting import of_file, of_url  # noqa: PLC0415

    return of_url(name, options) if "://" in name else of_file(Path(name), options)


async def _submit_all(submitting: Submitting, submissions: Sequence[Submission]) -> None:
    for submission in submissions:
        is_new = await submitting.submit(submission)
        _show(submission, "" if is_new else "  (known already)")


async def _watch(
    folder: Path, submitting: Submitting, stores: StoreSettings, options: CallOptions, stop: asyncio.Event
) -> None:
    from plugandtell.analytics.recordings import Recordings  # noqa: PLC0415
    from plugandtell.analytics.submitted import Submitted  # noqa: PLC0415

    submitted = Submitted(stores.data_dir, folder, stores.database_url or "")
    is_first = True

    def show(found: Found) -> None:
        nonlocal is_first
        if is_first:
            new = f"{len(found.new)} submitted now" if found.new else "nothing new"
            print_line(sys.stdout, f"watching {folder.resolve()}: {found.known} known already, {new}")
            is_first = False
        for submission in found.new:
            _show(submission)

    await Recordings(folder, submitting, submitted, options).keep_looking(stop, show)


def _show(submission: Submission, remark: str = "") -> None:
    print_line(sys.stdout, f"{submission.call_id}  {escape(submission.source)}{remark}")
