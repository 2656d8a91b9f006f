"""The `plugandtell recordings` commands: what was recorded, found again, looked at, heard, copied and removed."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TypeVar

from cyclopts import Group, Parameter

from plugandtell.command import check_range, new_app, with_examples
from plugandtell.console import Warnings, ask, is_plain, progress, remark, say, say_object, width
from plugandtell.core import exit_status
from plugandtell.core.amounts import AGE, SIZE, length_text, parse_age, parse_size, size_text
from plugandtell.core.errors import InputError, InvalidSetting
from plugandtell.core.exit_status import ExitStatus
from plugandtell.core.safe_text import escape
from plugandtell.recordings import listing
from plugandtell.recordings.export_format import ExportFormat, format_of, target_of
from plugandtell.recordings.folder import RecordingsFolder
from plugandtell.recordings.selecting import moment_of, names_since, started_since
from plugandtell.recordings.settings import FolderOptions, folder_in_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from plugandtell.recordings.finished import FinishedRecording
    from plugandtell.recordings.folder import Contents

_Amount = TypeVar("_Amount")
_MOST_LISTED: Final = 1_000_000
_PEAKS_IN_JSON: Final = 100
_STRAYS_NAMED: Final = 3
OUTPUT = Group("Output", sort_key=7)
AsJson = Annotated[bool, Parameter(name="--json", group=OUTPUT, negative=(), help="Print JSON, an object a line.")]
_WHICH = "`last`, or part of its name, or the beginning of its id."
One = Annotated[str, Parameter(help=f"The recording: {_WHICH}")]
Several = Annotated[str, Parameter(help=f"The recordings, each: {_WHICH}")]

app = new_app(
    "recordings",
    "List, show, play, copy and remove what was recorded.",
    ["server"],
    exit_status.RECORDINGS,
    strict=False,
)
app.config = (folder_in_file(),)
_EPILOGUE = app.help_epilogue


def _examples(*lines: str) -> str:
    return with_examples(_EPILOGUE, *(f"plugandtell recordings {line}".rstrip() for line in lines))


app.help_epilogue = _examples("", "show last", "play last", "export last --format mp3", "prune --older-than 30d")


@app.default
@app.command(name="list", help_epilogue=_examples("", "list --since 2h", "list --client reception --json"))
def list_recordings(
    *,
    limit: Annotated[int, Parameter(group=OUTPUT, help="At most so many, the newest first.")] = 50,
    client: Annotated[
        str | None, Parameter(group=OUTPUT, help="Only of clients whose label or token holds it.")
    ] = None,
    since: Annotated[str | None, Parameter(group=OUTPUT, help="Only from then on: 2026-11-24, or 2h ago.")] = None,
    as_json: AsJson = False,
    folder: FolderOptions | None = None,
) -> int:
    """List the newest recordings: id, time, length, how much of it is voice, why it ended, and who was recorded."""
    check_range("--limit", limit, 1, _MOST_LISTED)
    recordings, warnings = _folder(folder), Warnings()
    contents = recordings.contents()
    chosen = _chosen(recordings, contents, client, since, warnings)
    shown = 0
    for shown, recording in enumerate(islice(chosen, limit), 1):
        if as_json:
            say_object(recording.fields())
        else:
            say(f"{listing.HEADER}\n{listing.row(recording)}" if shown == 1 else listing.row(recording))
    _warn_of_strays(contents, warnings)
    warnings.end()
    if not as_json and (rest := _below(recordings, contents, shown, is_cut=shown == limit and not (client or since))):
        say(rest)
    return ExitStatus.OK


@app.command(help_epilogue=_examples("show last", "show 1f0c9a2b", "show reception --json"))
def show(recording: One, /, *, as_json: AsJson = False, folder: FolderOptions | None = None) -> int:
    """Draw a recording, and tell all that is known of it."""
    from plugandtell.recordings import portrait  # noqa: PLC0415  (keeps --help fast, as does the next)
    from plugandtell.recordings.checking import IN_WORDS, FileState, state_of  # noqa: PLC0415

    found = _folder(folder).find(recording)
    state, gaps = state_of(found), found.gaps()
    peaks = [] if state is FileState.MISSING else _peaks(found, _PEAKS_IN_JSON if as_json else width())
    loudness = portrait.loudness(peaks)
    if as_json:
        say_object(found.fields() | {"state": state.value, "peaks": [round(peak, 4) for peak in peaks]})
        return ExitStatus.OK
    say(f"{escape(found.audio.name)}\n")
    if peaks:
        say(f"{portrait.picture(peaks, found, gaps, is_plain=is_plain(sys.stdout))}\n")
    say(portrait.portrait(found, gaps, f"{IN_WORDS[state]}, peak {loudness}" if peaks else IN_WORDS[state], width()))
    return ExitStatus.OK


@app.command(help_epilogue=_examples("play last", "play 1f0c9a2b --device headphones"))
def play(
    recording: One,
    /,
    *,
    device: Annotated[str | None, Parameter(group=OUTPUT, help="What plays: its number, or part of its name.")] = None,
    folder: FolderOptions | None = None,
) -> int:
    """Play a recording, to its end or until Ctrl-C."""
    from plugandtell.portaudio import load_sound_library  # noqa: PLC0415  (keeps --help fast, as do the next)
    from plugandtell.recordings.loudspeaker import OutputStream, open_loudspeaker  # noqa: PLC0415
    from plugandtell.recordings.playing import Player, progress_line  # noqa: PLC0415
    from plugandtell.recordings.sound import Sound  # noqa: PLC0415

    found = _folder(folder).find(recording)
    wanted = int(device) if device is not None and device.isdecimal() else device
    with Sound(found.audio) as sound:
        length_s = sound.samples / sound.sample_rate

        def open_stream() -> OutputStream:
            return open_loudspeaker(load_sound_library, wanted, sound.sample_rate, sound.channels)

        say(f"{escape(found.audio.name)}  {length_text(length_s)}")
        with progress() as draw:
            Player(sound, open_stream).play(
                lambda heard_s: draw(progress_line(heard_s, length_s, width(sys.stderr), is_plain=is_plain(sys.stderr)))
            )
    return ExitStatus.OK


@app.command(help_epilogue=_examples("export last --format mp3", "export 1f0c 77ab --to out", "export last --to a.ogg"))
def export(
    *recording: Several,
    format: Annotated[ExportFormat | None, Parameter(group=OUTPUT)] = None,  # noqa: A002  (the flag's name)
    to: Annotated[Path, Parameter(group=OUTPUT)] = Path(),
    force: Annotated[bool, Parameter(group=OUTPUT, negative=())] = False,
    folder: FolderOptions | None = None,
) -> int:
    """Copy recordings to other formats; prints the names of the files. FLAC, WAV and the recording hold the same audio.

    Args:
        recording: The recordings.
        format: By default what --to ends in, or else flac.
        to: The folder, made if it is missing; or the file, if it is one recording.
        force: Replace files that are there.
        folder: Where recordings are looked for.
    """
    from plugandtell.recordings import exporting  # noqa: PLC0415  (keeps --help fast)

    found = _found(_folder(folder), recording)
    kind = format_of(to, format)
    for one in found:
        target = target_of(to, one.audio.stem, kind, is_single=len(found) == 1)
        exporting.export(one, target, kind, is_forced=force)
        say(escape(str(target)))
    return ExitStatus.OK


@app.command(help_epilogue=_examples("delete 1f0c9a2b", "delete last --yes"))
def delete(
    *recording: Several,
    yes: Annotated[bool, Parameter(group=OUTPUT, negative=(), help="Do not ask.")] = False,
    folder: FolderOptions | None = None,
) -> int:
    """Delete recordings, each with its sidecar. A call that was made of one stays, see `plugandtell calls delete`."""
    from plugandtell.recordings.removing import finish_removals, remove  # noqa: PLC0415  (keeps --help fast)

    recordings = _folder(folder)
    found = _found(recordings, recording)
    if not yes:
        listed = "\n".join([listing.HEADER, *map(listing.row, found)])
        answer = ask(f"{listed}\ndelete {'it' if len(found) == 1 else f'these {len(found)}'}? [y/N] ")
        if answer is None:
            raise InvalidSetting("--yes", yes, "given where nobody answers")
        if answer.strip().lower() not in ("y", "yes"):
            say("nothing was deleted")
            return ExitStatus.OK
    finish_removals(recordings)
    for one in found:
        remove(recordings, one)
        say(escape(one.audio.name))
    return ExitStatus.OK


@app.command(help_epilogue=_examples("prune --older-than 30d --dry-run", "prune --keep-free 5GB"))
def prune(
    *,
    older_than: Annotated[str | None, Parameter(help=f"Those that ended longer ago: {AGE}.")] = None,
    keep_free: Annotated[str | None, Parameter(help=f"As many as it takes to have so much room: {SIZE}.")] = None,
    dry_run: Annotated[bool, Parameter(group=OUTPUT, negative=(), help="Only tell what would be done.")] = False,
    as_json: AsJson = False,
    folder: FolderOptions | None = None,
) -> int:
    """Delete the oldest recordings, by age, or until the disk has room. What grows, or is no recording, stays."""
    from plugandtell.recordings import removing  # noqa: PLC0415  (keeps --help fast)

    if older_than is None and keep_free is None:
        raise InvalidSetting("--older-than", older_than, "given, or else --keep-free")
    before = None if older_than is None else datetime.now(UTC) - _amount("--older-than", older_than, parse_age)
    wanted_bytes = 0 if keep_free is None else _amount("--keep-free", keep_free, parse_size)
    recordings, warnings = _folder(folder), Warnings()
    rule = removing.Rule(before, max(0, wanted_bytes - removing.free_bytes_at(recordings.path)))
    pruning = removing.Pruning(recordings, rule, warnings.warn, is_trial=dry_run)
    for one, freed_bytes in pruning:
        if as_json:
            say_object(one.fields() | {"freed_bytes": freed_bytes, "dry_run": dry_run})
        else:
            say(f"{listing.row(one)}  {size_text(freed_bytes)}")
    warnings.end()
    free_bytes = removing.free_bytes_at(recordings.path) + (pruning.freed_bytes if dry_run else 0)
    if not as_json:
        would = "would be " if dry_run else ""
        left = f"{size_text(free_bytes)} {'would be' if dry_run else 'are'} free"
        say(f"{pruning.removed} {would}deleted, {size_text(pruning.freed_bytes)} {would}freed; {left}")
    if free_bytes < wanted_bytes:
        remark(f"warning: less than {keep_free} free: nothing is left to delete, or the disk gives room back later")
    return ExitStatus.FOLDER_UNUSABLE if pruning.failed else ExitStatus.OK


def _folder(options: FolderOptions | None) -> RecordingsFolder:
    return RecordingsFolder((options or FolderOptions()).audio_dir)


def _chosen(
    recordings: RecordingsFolder, contents: Contents, client: str | None, since: str | None, warnings: Warnings
) -> Iterator[FinishedRecording]:
    """Those that were asked for, the newest first."""
    names: Iterator[str] = reversed(contents.finished)
    if since is None:
        chosen = recordings.each(names, warnings.warn)
    else:
        moment = moment_of("--since", since, datetime.now(UTC))
        chosen = started_since(recordings.each(names_since(names, moment), warnings.warn), moment)
    return chosen if client is None else filter(listing.of_client(client), chosen)


def _below(recordings: RecordingsFolder, contents: Contents, shown: int, *, is_cut: bool) -> str:
    """What a list of so many recordings leaves out."""
    lines = []
    if not shown:
        way_out = "`plugandtell run` makes some, and --audio-dir names another folder"
        what = "none of these recordings is" if contents.finished else "no recordings are"
        lines.append(f"{what} in {escape(str(recordings.path.absolute()))}: {way_out}")
    elif is_cut and len(contents.finished) > shown:
        lines.append(f"\nthe newest {shown} of {len(contents.finished)}")
    if contents.unfinished:
        count = len(contents.unfinished)
        lines.append(f"\n{count} not finished: growing still, or left by a crash for the server's next start")
    return "\n".join(lines)


def _warn_of_strays(contents: Contents, warnings: Warnings) -> None:
    if contents.strays:
        named = ", ".join(contents.strays[:_STRAYS_NAMED]) + (", …" if len(contents.strays) > _STRAYS_NAMED else "")
        warnings.warn(f"no recordings of ours, for want of a sidecar: {named} ({len(contents.strays)} in all)")


def _peaks(recording: FinishedRecording, columns: int) -> list[float]:
    """Of a file that may be damaged, which is said."""
    from plugandtell.recordings.sound import Sound  # noqa: PLC0415  (keeps --help fast)

    try:
        with Sound(recording.audio) as sound:
            return sound.peaks(columns)
    except InputError as error:
        remark(f"warning: {error}")
        return []


def _found(recordings: RecordingsFolder, wanted: Sequence[str]) -> list[FinishedRecording]:
    """All that were named, each once, before anything is done with any."""
    if not wanted:
        raise InvalidSetting("RECORDING", "", "at least one recording; `plugandtell recordings list` shows them")
    return list({one.sidecar: one for one in map(recordings.find, wanted)}.values())


def _amount(flag: str, text: str, parse: Callable[[str], _Amount]) -> _Amount:
    try:
        return parse(text)
    except ValueError as exc:
        raise InvalidSetting(flag, text, str(exc)) from exc
