"""Recordings removed: whole, oldest first, and none that a server has in hand."""

from __future__ import annotations

import shutil
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from plugandtell.core.errors import FolderUnusable, RecordingUnfinished
from plugandtell.recordings.finished import AUDIO, SIDECAR

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime
    from pathlib import Path

    from plugandtell.recordings.finished import FinishedRecording
    from plugandtell.recordings.folder import RecordingsFolder

_STAT_BLOCK_BYTES: Final = 512
_ASIDE: Final = ".removed"


@dataclass(frozen=True, slots=True)
class Rule:
    """Which recordings are to go.

    Attributes:
        before: Those that ended before this time; None for no such limit.
        free_bytes: As many of the oldest as it takes until so much room was made; 0 for none.
    """

    before: datetime | None
    free_bytes: int


def chosen(
    recordings: Iterable[FinishedRecording], rule: Rule, size_of: Callable[[FinishedRecording], int]
) -> Iterator[FinishedRecording]:
    """Those that a rule lets go, one after the other.

    How much room is made is added up beforehand and not asked of the disk on the way: a disk that gives room back late,
    or never, as one with snapshots, must not cost every recording.

    Args:
        recordings: All there are, oldest first.
        rule: Which are to go.
        size_of: The room that one takes.
    """
    made_bytes = 0
    for recording in recordings:
        if rule.before is None and made_bytes >= rule.free_bytes:
            return
        is_old = rule.before is not None and recording.ended_at < rule.before
        if is_old or made_bytes < rule.free_bytes:
            made_bytes += size_of(recording)
            yield recording


def free_bytes_at(folder: Path) -> int:
    """Room on the disk of a folder.

    Raises:
        FolderUnusable: It is not there.
    """
    try:
        return shutil.disk_usage(folder).free
    except OSError as exc:
        raise FolderUnusable("--audio-dir", str(folder), (exc.strerror or str(exc)).lower()) from exc


def size_on_disk(recording: FinishedRecording) -> int:
    """The room that both of its files take. Silence that stands for a gap may take none."""
    return sum(map(_allocated_bytes, (recording.audio, recording.sidecar)))


def remove(folder: RecordingsFolder, recording: FinishedRecording) -> int:
    """Remove both files; returns the room that they took.

    The sidecar steps aside first and goes last, so that no sidecar is ever without its audio, and comes back where the
    audio cannot be removed.

    Raises:
        RecordingUnfinished: A server has it in hand.
        FolderUnusable: They cannot be removed; both are as they were.
    """
    if folder.is_unfinished(recording.sidecar.stem):
        raise RecordingUnfinished(recording.sidecar.stem)
    size_bytes = size_on_disk(recording)
    aside = recording.sidecar.with_name(f".{recording.sidecar.name}{_ASIDE}")
    try:
        recording.sidecar.replace(aside)
        try:
            recording.audio.unlink(missing_ok=True)
        except OSError:
            aside.replace(recording.sidecar)
            raise
        aside.unlink(missing_ok=True)
    except OSError as exc:
        cause = f"{recording.audio.name} cannot be removed ({(exc.strerror or str(exc)).lower()})"
        raise FolderUnusable("--audio-dir", str(folder.path), cause) from exc
    return size_bytes


class Pruning:
    """Removes recordings by a rule, and yields each with the room that it took.

    Args:
        folder: Where they are.
        rule: Which are to go.
        warn: Is told what cannot be used or removed; the others are, nevertheless.
        is_trial: Whether to remove nothing, and only tell.

    Attributes:
        removed: How many were removed.
        freed_bytes: The room that they took.
        failed: How many could not be removed.
    """

    def __init__(self, folder: RecordingsFolder, rule: Rule, warn: Callable[[str], None], *, is_trial: bool) -> None:
        self._folder = folder
        self._rule = rule
        self._warn = warn
        self._is_trial = is_trial
        self.removed = 0
        self.freed_bytes = 0
        self.failed = 0

    def __iter__(self) -> Iterator[tuple[FinishedRecording, int]]:
        contents = self._folder.contents()
        in_hand = set(contents.unfinished)
        names = [name for name in contents.finished if name not in in_hand]
        if not self._is_trial:
            finish_removals(self._folder)
        for recording in chosen(self._folder.each(names, self._warn), self._rule, size_on_disk):
            try:
                freed_bytes = size_on_disk(recording) if self._is_trial else remove(self._folder, recording)
            except (FolderUnusable, RecordingUnfinished) as error:
                self.failed += 1
                self._warn(str(error))
                continue
            self.removed += 1
            self.freed_bytes += freed_bytes
            yield recording, freed_bytes


def finish_removals(folder: RecordingsFolder) -> None:
    """Remove the audio of sidecars that a crash left aside; what cannot be removed stays for another time."""
    for aside in folder.path.glob(f".*{SIDECAR}{_ASIDE}"):
        sidecar = aside.with_name(aside.name.removeprefix(".").removesuffix(_ASIDE))
        with suppress(OSError):
            if not sidecar.exists() and not folder.is_unfinished(sidecar.stem):
                for ending in AUDIO:
                    sidecar.with_suffix(ending).unlink(missing_ok=True)
            aside.unlink(missing_ok=True)


def _allocated_bytes(path: Path) -> int:
    """What removing a file gives back: nothing while it has another name; Windows tells only its length."""
    with suppress(OSError):
        stat = path.lstat()
        if stat.st_nlink == 1:
            blocks: int | None = getattr(stat, "st_blocks", None)
            return stat.st_size if blocks is None else blocks * _STAT_BLOCK_BYTES
    return 0
