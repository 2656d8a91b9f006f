"""Recordings chosen by time."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from plugandtell.core.amounts import AGE, parse_age
from plugandtell.core.errors import InvalidSetting
from plugandtell.core.recording import recording_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from plugandtell.recordings.finished import FinishedRecording

_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}Z_")


def moment_of(flag: str, text: str, now: datetime) -> datetime:
    """A time as people write it: `2026-11-24`, `2026-11-24 15:30` by this machine's clock; or an age, `2h`.

    Raises:
        InvalidSetting: It is neither.
    """
    try:
        return now - parse_age(text)
    except (ValueError, OverflowError):
        pass
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError, OSError) as exc:
        raise InvalidSetting(flag, text, f"a time such as 2026-11-24 or 2026-11-24T15:30, or an age: {AGE}") from exc


def names_since(names: Iterable[str], moment: datetime) -> Iterator[str]:
    """Names without those that tell a time before it. Whoever renamed a recording has to look into its sidecar."""
    first = recording_name(moment, "").partition("_")[0]
    return (name for name in names if not _TIME.match(name) or name >= first)


def started_since(recordings: Iterable[FinishedRecording], moment: datetime) -> Iterator[FinishedRecording]:
    """Those that began then or later."""
    return (recording for recording in recordings if recording.started_at >= moment)
