"""Recordings as lines of a table. Columns have fixed widths, so that a line can be shown before the next is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from plugandtell.core.amounts import length_text
from plugandtell.core.safe_text import foreign

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from plugandtell.recordings.finished import FinishedRecording

_LONGEST_LABEL: Final = 40

HEADER: Final = f"{'ID':8}  {'STARTED (LOCAL)':19}  {'LENGTH':>9}  {'VOICE':>5}  {'REASON':12}  CLIENT"


def row(recording: FinishedRecording) -> str:
    """A line: short id, time of this machine, length, share of voice, why it ended, and who was recorded."""
    started_at = local_text(recording.started_at)
    reason = recording.ended.reason.value
    client = foreign(recording.origin.label, _LONGEST_LABEL)
    length, voice = length_text(recording.length_s), share_text(recording.voiced_share)
    return f"{recording.short_id}  {started_at}  {length:>9}  {voice:>5}  {reason:12}  {client}".rstrip()


def local_text(moment: datetime) -> str:
    """A time, to the second, as this machine's clock shows it."""
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def share_text(share: float | None) -> str:
    """In percent; `?` where it is not known."""
    return "?" if share is None else f"{share:.0%}"


def of_client(label: str) -> Callable[[FinishedRecording], bool]:
    """Whether a recording is of a client whose label, or the name of whose token, holds this text, in any case."""
    wanted = label.casefold()

    def fits(recording: FinishedRecording) -> bool:
        names = (recording.origin.label, recording.origin.token_name or "")
        return any(wanted in name.casefold() for name in names)

    return fits
