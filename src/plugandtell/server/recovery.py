"""What a crash left in an audio folder: mended, marked as `recovered`, and moved into place.

What may lie there of a recording that becomes a FLAC, in the order of time (`o` an open sidecar, `f` a whole one):

    NAME.wav.part  NAME.json.part o                                   it grew, or had just ended
    NAME.wav.part  NAME.json.part o  NAME.flac.part.new               the FLAC was being made, or is not proven
    NAME.wav.part  NAME.json.part f  NAME.flac.part.new               it was to be moved
    NAME.wav.part  NAME.json.part f  NAME.flac                        its sidecar was to follow
    NAME.wav.part  NAME.json      f  NAME.flac                        the part was to go

In each the part has all of the audio, and one of the sidecars tells of it. So the part is finished again, whichever it
is: a FLAC that is in place is held against it, and made anew only if it is something else.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from plugandtell.core import wav
from plugandtell.core.errors import WriteFailed
from plugandtell.core.protocol.messages import ClientInfo, EndReason
from plugandtell.core.recording import (
    Container,
    GapPolicy,
    Origin,
    gaps_within,
    read_final_gaps,
    read_final_sidecar,
    read_open_sidecar,
    read_stream_id,
)
from plugandtell.core.segmenter import Ended, Gap
from plugandtell.core.shard import WHOLE, Shard
from plugandtell.server.disk_sync import NEW, is_synced, write_anew
from plugandtell.server.placing import PART, Saved, is_taken, move_into_place, parts_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from plugandtell.server.encoder import Encoder

UNKNOWN_STREAM = UUID(int=0)


@dataclass(slots=True)
class Unfinished:
    """A recording that is mended, but not in place yet. `finish` moves it there; call it off the event loop.

    Attributes:
        error: Why it could not be moved; None if nobody tried, because a FLAC takes time.
        encoder: Makes the FLACs.
        saved: The recording, once it is in place.
    """

    path: Path
    origin: Origin
    gaps: tuple[Gap, ...]
    ended: Ended
    samples: int
    error: WriteFailed | None = None
    encoder: Encoder | None = None
    saved: Saved | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def finish(self) -> Saved:
        """Move it into place, once: whoever comes later, or meanwhile on another thread, is given the same.

        Raises:
            WriteFailed: As before.
        """
        with self._lock:
            if self.saved is None:
                self.saved = move_into_place(self.path, self.origin, self.gaps, self.ended, self.encoder)
            return self.saved


def recover(
    folder: Path,
    discarded: Collection[UUID] = (),
    shard: Shard = WHOLE,
    container: Container = Container.WAV,
    encoder: Encoder | None = None,
) -> Iterator[Saved | Unfinished | WriteFailed]:
    """Finish what an earlier crash left: yields each recording that is in place again, or why it is not.

    What becomes a FLAC is mended, and left for its `finish`. A part without a sample is removed; one that is no WAV of
    ours is left alone. Nobody may record into the folder meanwhile, but other workers the streams of their shards:
    whatever does not say that it belongs to this one is left alone then, since somebody may be about to write it.

    Args:
        folder: Where the recordings are.
        discarded: Segments that were to leave no file.
        shard: Whose recordings are finished.
        container: What becomes of a part.
        encoder: Makes the FLACs.
    """
    for leftover in folder.glob(f"*{PART}{NEW}") if shard.of == 1 else ():
        try:
            leftover.unlink()
        except OSError as exc:
            yield WriteFailed(str(leftover), exc.strerror or str(exc))
    for part in _parts(folder, "wav", shard):
        try:
            path = _final_path(part, container)
            if (unfinished := _recover(path, discarded)) is not None:
                unfinished.encoder = encoder
                yield unfinished if path.suffix == f".{Container.FLAC}" else _tried(unfinished)
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
    sidecar = part.with_suffix("").with_suffix(".json")
    for name in (sidecar.name + PART, sidecar.name):  # the second is in place when the part of a FLAC was to go
        with suppress(OSError, ValueError):
            return shard.owns(read_stream_id(sidecar.with_name(name).read_text(encoding="utf-8")))
    return False


def _final_path(wav_part: Path, container: Container) -> Path:
    """What becomes of a part; if a FLAC of it is in place already, that, whatever the setting is now."""
    name = wav_part.name.removesuffix(f".wav{PART}")
    flac = wav_part.with_name(f"{name}.{Container.FLAC}")
    return flac if flac.exists() else wav_part.with_name(f"{name}.{container}")


def _recover(path: Path, discarded: Collection[UUID]) -> Unfinished | None:
    """Mend one recording; None if there is nothing in it."""
    wav_part, sidecar_part = parts_of(path)
    size_bytes = wav_part.stat().st_size
    if size_bytes <= wav.HEADER_BYTES + 1:
        wav_part.unlink()
        sidecar_part.unlink(missing_ok=True)
        return None
    for sidecar in (sidecar_part, path.with_suffix(".json")):
        if (complete := _complete(path, sidecar, size_bytes)) is not None:
            return complete
    mended = _mend(wav_part, size_bytes)
    origin, noted = _read_origin(sidecar_part, wav_part, mended)
    if origin.segment_id in discarded:
        wav_part.unlink()
        sidecar_part.unlink(missing_ok=True)
        return None
    gaps, end_index = gaps_within(origin, noted, mended.samples)
    ended = Ended(origin.start_index, end_index, EndReason.RECOVERED, 0, 0, 0)
    return Unfinished(path, origin, tuple(gaps), ended, mended.samples)


def _tried(unfinished: Unfinished) -> Saved | Unfinished:
    """Move it into place, if that can be."""
    try:
        return unfinished.finish()
    except WriteFailed as error:
        unfinished.error = error
        return unfinished


def _complete(path: Path, sidecar: Path, size_bytes: int) -> Unfinished | None:
    """What a whole sidecar tells, if the crash came when all was written, and moves were missing."""
    try:
        text = sidecar.read_text(encoding="utf-8")
        origin, ended, file = read_final_sidecar(text)
        gaps = read_final_gaps(text)
    except (OSError, ValueError):
        return None
    if size_bytes != wav.HEADER_BYTES + origin.audio.bytes_in(file.samples):
        return None
    return Unfinished(path, origin, tuple(gaps), ended, file.samples)


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
    """Mend a crash between the two moves; a part whose audio is not there belongs to nothing."""
    sidecar: Path = part.with_suffix("")
    if parts_of(sidecar)[0].exists():
        return None
    if sidecar.exists() or not is_taken(sidecar):
        part.unlink()
        return None
    part.replace(sidecar)
    try:
        origin, ended, file = read_final_sidecar(sidecar.read_text(encoding="utf-8"))
        return Saved(sidecar.with_name(file.name), origin, ended, file.samples)
    except ValueError:
        return None
