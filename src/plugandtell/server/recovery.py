"""What a crash left in an audio folder: mended, marked as `recovered`, and moved into place."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from plugandtell.core import wav
from plugandtell.core.errors import WriteFailed
from plugandtell.core.protocol.messages import ClientInfo, EndReason
from plugandtell.core.recording import (
    GapPolicy,
    Origin,
    gaps_within,
    read_final_sidecar,
    read_open_sidecar,
    read_stream_id,
)
from plugandtell.core.segmenter import Ended, Gap
from plugandtell.core.shard import WHOLE, Shard
from plugandtell.server.disk_sync import NEW, is_synced, write_anew
from plugandtell.server.placing import PART, Saved, move_into_place, parts_of

if TYPE_CHECKING:
    from collections.abc import Container, Iterator
    from pathlib import Path

UNKNOWN_STREAM = UUID(int=0)


@dataclass(slots=True)
class Unfinished:
    """A recording that is mended, but cannot be moved into place yet. `finish` tries again; call it off the loop.

    Attributes:
        saved: The recording, once it is in place.
    """

    path: Path
    origin: Origin
    gaps: tuple[Gap, ...]
    ended: Ended
    samples: int
    error: WriteFailed
    saved: Saved | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def finish(self) -> Saved:
        """Move it into place, once: whoever comes later, or meanwhile on another thread, is given the same.

        Raises:
            WriteFailed: As before.
        """
        with self._lock:
            if self.saved is None:
                self.saved = move_into_place(self.path, self.origin, self.gaps, self.ended)
            return self.saved


def recover(
    folder: Path, discarded: Container[UUID] = (), shard: Shard = WHOLE
) -> Iterator[Saved | Unfinished | WriteFailed]:
    """Finish what an earlier crash left: yields each recording that is in place again, or why it is not.

    A part without a sample is removed; one that is no WAV of ours is left alone. Nobody may record into the folder
    meanwhile, but other workers the streams of their shards: whatever does not say that it belongs to this one is left
    alone then, since somebody may be about to write it.

    Args:
        folder: Where the recordings are.
        discarded: Segments that were to leave no file.
        shard: Whose recordings are finished.
    """
    for leftover in folder.glob(f"*{PART}{NEW}") if shard.of == 1 else ():
        try:
            leftover.unlink()
        except OSError as exc:
            yield WriteFailed(str(leftover), exc.strerror or str(exc))
    for part in _parts(folder, "wav", shard):
        try:
            if outcome := _recover(part.with_suffix(""), discarded):
                yield outcome
        except wav.NotRepairable as exc:
            yield WriteFailed(str(part), str(exc))
        except OSError as exc:
            yield WriteFailed(str(part), exc.strerror or str(exc))
    for part in _parts(folder, "json", shard):
        try:
            if saved := _finish_sidecar(part):
                yield saved
        except OSError as exc:
            yield WriteFailed(str(part), exc.strerror or str(exc))


def _parts(folder: Path, kind: str, shard: Shard) -> list[Path]:
    """The parts that are left, but for those whose sidecar does not say that its stream is of the shard."""
    found = sorted(folder.glob(f"*.{kind}{PART}"))
    return found if shard.of == 1 else [part for part in found if _belongs(part, shard)]


def _belongs(part: Path, shard: Shard) -> bool:
    sidecar_part = part.with_suffix("").with_suffix(f".json{PART}")
    try:
        return shard.owns(read_stream_id(sidecar_part.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return False


def _recover(path: Path, discarded: Container[UUID]) -> Saved | Unfinished | None:
    """Mend one recording; None if there is nothing in it, or if only its sidecar has to follow it into place."""
    wav_part, sidecar_part = parts_of(path)
    size_bytes = wav_part.stat().st_size
    if size_bytes <= wav.HEADER_BYTES + 1:
        wav_part.unlink()
        sidecar_part.unlink(missing_ok=True)
        return None
    if _is_complete(sidecar_part, size_bytes):
        wav_part.replace(path)
        return None
    mended = _mend(wav_part, size_bytes)
    origin, noted = _read_origin(sidecar_part, wav_part, mended)
    if origin.segment_id in discarded:
        wav_part.unlink()
        sidecar_part.unlink(missing_ok=True)
        return None
    gaps, end_index = gaps_within(origin, noted, mended.samples)
    ended = Ended(origin.start_index, end_index, EndReason.RECOVERED, 0, 0, 0)
    try:
        return move_into_place(path, origin, gaps, ended)
    except WriteFailed as error:
        return Unfinished(path, origin, tuple(gaps), ended, mended.samples, error)


def _is_complete(sidecar_part: Path, size_bytes: int) -> bool:
    """Whether the crash came when all was written, and only the two moves were missing."""
    try:
        _, _, file = read_final_sidecar(sidecar_part.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return file.size_bytes == size_bytes


def _mend(wav_part: Path, size_bytes: int) -> wav.Repair:
    with wav_part.open("r+b") as file:
        mended = wav.repair(file.read(wav.HEADER_BYTES), size_bytes)
        file.seek(0)
        file.write(mended.header)
        file.truncate(mended.size_bytes)
        file.flush()
        is_safe = is_synced(file.fileno())
    if not is_safe:
        write_anew(wav_part)
    return mended


def _read_origin(sidecar_part: Path, wav_part: Path, mended: wav.Repair) -> tuple[Origin, list[Gap]]:
    """What the sidecar says; where it is lost or damaged, what the file itself tells."""
    try:
        return read_open_sidecar(sidecar_part.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        written_at = datetime.fromtimestamp(wav_part.stat().st_mtime, UTC)
        return Origin(
            segment_id=uuid4(),
            stream_id=UNKNOWN_STREAM,
            continues=None,
            client=ClientInfo("unknown", "unknown"),
            label="unknown",
            labels={},
            started_at=written_at - timedelta(seconds=mended.audio.seconds_from(mended.samples)),
            start_index=0,
            audio=mended.audio,
            gap_policy=GapPolicy.FILL,
        ), []


def _finish_sidecar(part: Path) -> Saved | None:
    """Mend a crash between the two moves; a part whose WAV is not there belongs to nothing."""
    sidecar: Path = part.with_suffix("")
    path = sidecar.with_suffix(".wav")
    if parts_of(path)[0].exists():
        return None
    if path.exists() and not sidecar.exists():
        part.replace(sidecar)
        try:
            origin, ended, file = read_final_sidecar(sidecar.read_text(encoding="utf-8"))
        except ValueError:
            return None
        return Saved(path, origin, ended, file.samples)
    part.unlink()
    return None
