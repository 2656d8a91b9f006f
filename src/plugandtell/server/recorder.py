"""The folder of the recordings: names that no other has, room on the disk, one server at a time.

`recording.py` is one that grows, `placing.py` gives it its final name, `recovery.py` mends what a crash leaves.
"""

from __future__ import annotations

import shutil
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

from plugandtell.core.errors import WriteFailed
from plugandtell.core.recording import Container, Origin, recording_name
from plugandtell.core.shard import WHOLE, Shard
from plugandtell.server.discards import Discarded, Discards
from plugandtell.server.encoder import Encoder
from plugandtell.server.folder_lock import FolderLock
from plugandtell.server.placing import is_taken, parts_of
from plugandtell.server.recording import Recording

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from io import FileIO
    from pathlib import Path

    from plugandtell.core.segmenter import Ended
    from plugandtell.server.committer import Committer
    from plugandtell.server.placing import Saved

_NUMBERED_NAMES = 9
_REMEMBERED = 50


def create_file(path: Path) -> FileIO:
    """A new file for bytes that are written at once.

    Raises:
        FileExistsError: There is one of that name.
    """
    return path.open("xb", buffering=0)


class Recorder:
    """An audio folder, owned by one server at a time.

    Args:
        folder: Created if it is missing.
        create: Makes the file of each new recording.
        committer: Puts on the disk what is to be acknowledged; None if having written it is enough.
        shard: Whose streams are recorded; others of the same server may record those of the other shards.
        container: What finished recordings are.

    Attributes:
        saved: The recordings that this process put into place last.
        saved_count: How many there were in all.

    Raises:
        FolderUnusable: It cannot be created or written, or another server records into it.
    """

    def __init__(
        self,
        folder: Path,
        create: Callable[[Path], FileIO] = create_file,
        committer: Committer | None = None,
        shard: Shard = WHOLE,
        container: Container = Container.WAV,
    ) -> None:
        self.folder = folder
        self.shard = shard
        self.container = container
        self.encoder = Encoder()
        self.committer = committer
        self._create = create
        self._discards = Discards(folder, shard=shard)
        self._open: set[Recording] = set()
        self.saved: deque[Saved] = deque(maxlen=_REMEMBERED)
        self.saved_count = 0
        self._lock = FolderLock(folder, shard)

    def note_saved(self, saved: Saved) -> None:
        """Remember a recording that is in place, for whoever looks. May be called from any thread."""
        self.saved.append(saved)
        self.saved_count += 1

    def close(self) -> None:
        """Let go of the folder. A FLAC that is half made is left to whoever records there next."""
        self.encoder.stop()
        self._lock.release()

    @property
    def open_recordings(self) -> int:
        """How many have their file open."""
        return len(self._open)

    def free_bytes(self) -> int:
        """Room on the disk that holds the folder.

        Raises:
            WriteFailed: The folder is gone.
        """
        try:
            return shutil.disk_usage(self.folder).free
        except OSError as exc:
            raise WriteFailed(str(self.folder), exc.strerror or str(exc)) from exc

    def discarded_before(self) -> list[Discarded]:
        """The segments that earlier servers discarded last, oldest first.

        Raises:
            WriteFailed: They cannot be read.
        """
        return self._discards.load()

    def discard(self, recording: Recording, ended: Ended) -> None:
        """Leave no file of a segment without voice, and remember that there was one. Call it off the event loop.

        Raises:
            WriteFailed: The disk is full or gone; the parts stay, for another call.
        """
        origin = recording.origin
        segment = Discarded(origin.stream_id, origin.segment_id, ended.start_index, ended.end_index)
        self._discards.note(segment)
        recording.discard()

    def start(self, origin: Origin) -> Recording:
        """Begin a recording under a name that no other has.

        Raises:
            WriteFailed: The files cannot be created; nothing of them is left.
        """
        for suffix in _suffixes(origin):
            path = self.folder / f"{recording_name(origin.started_at, origin.label, suffix)}.{self.container}"
            try:
                if (file := self._claim(path)) is not None:
                    recording = Recording(path, file, origin, self._open.discard, self.encoder)
                    self._open.add(recording)
                    return _begun(recording)
            except OSError as exc:
                raise WriteFailed(str(path), exc.strerror or str(exc)) from exc
        raise WriteFailed(str(path), "the name is taken")

    def _claim(self, path: Path) -> FileIO | None:
        """Create the part of the WAV, unless the name is taken.

        The part comes first, the look at the final names second: a recording that is being finished meanwhile, by
        another process perhaps, moves from the one to the other. The look before keeps a part from being there, for
        that moment, beside a recording that is in place: one whose sidecar could not follow it would be taken for it.
        """
        part = parts_of(path)[0]
        if is_taken(path):
            return None
        try:
            file = self._create(part)
        except FileExistsError:
            return None
        if not is_taken(path):
            return file
        file.close()
        part.unlink()
        return None


def _suffixes(origin: Origin) -> Iterator[str]:
    """What tells recordings of the same time and label apart: few tries, however many of them there are."""
    yield ""
    yield from (f"-{number}" for number in range(2, _NUMBERED_NAMES + 1))
    yield f"-{origin.segment_id.hex}"


def _begun(recording: Recording) -> Recording:
    try:
        recording.begin()
    except OSError:
        with suppress(WriteFailed):  # the first error says more
            recording.discard()
        raise
    return recording
