"""A folder of recordings: which there are, and the one that the user means.

Names begin with the time, so that the newest are known without opening a file; only what is asked for is read.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from plugandtell.core.errors import FolderUnusable, InputNotAudio, RecordingNotFound, RecordingUnfinished
from plugandtell.core.safe_text import foreign
from plugandtell.recordings.finished import AUDIO, SIDECAR, FinishedRecording, read_recording

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

LAST: Final = "last"
_UNFINISHED: Final = f"{SIDECAR}.part"
_PARTS: Final = (_UNFINISHED, *(f"{suffix}.part" for suffix in AUDIO))
_HEAD_BYTES: Final = 256
_ID: Final = re.compile(rb'"segment_id":\s*"([0-9A-Fa-f-]{1,36})"')
_HEX: Final = re.compile(r"[0-9a-f]+")
_SURELY_AN_ID: Final = 8
"""From so many digits on, as a list shows them, what begins an id is not looked for in names."""
_MOST_CANDIDATES: Final = 10


@dataclass(frozen=True, slots=True)
class Contents:
    """Names in a folder, without their endings, sorted: in the order of time.

    Attributes:
        finished: Of what looks like a finished recording: each has a sidecar.
        unfinished: Of recordings that grow still, or that a crash left.
        strays: Audio files that have neither, with their endings.
    """

    finished: tuple[str, ...]
    unfinished: tuple[str, ...]
    strays: tuple[str, ...]


class RecordingsFolder:
    """Recordings as a server leaves them. A folder that is not there has none.

    Args:
        path: The folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def contents(self) -> Contents:
        """What lies there now.

        Raises:
            FolderUnusable: It is no folder, or cannot be read.
        """
        try:
            with os.scandir(self.path) as entries:
                names = [entry.name for entry in entries if not entry.name.startswith(".")]
        except FileNotFoundError:
            return Contents((), (), ())
        except OSError as exc:
            raise FolderUnusable("--audio-dir", str(self.path), (exc.strerror or str(exc)).lower()) from exc
        return _sorted_out(names)

    def read(self, name: str) -> FinishedRecording:
        """The recording of that name, given without an ending.

        Raises:
            InputNotAudio: Its sidecar is not one of ours.
        """
        return read_recording(self.path / f"{name}{SIDECAR}")

    def each(self, names: Iterable[str], warn: Callable[[str], None]) -> Iterator[FinishedRecording]:
        """Read one after the other. Those that cannot be used are told to `warn` and left out."""
        for name in names:
            try:
                recording = self.read(name)
            except InputNotAudio as error:
                warn(str(error))
                continue
            if recording.audio.is_file():
                yield recording
            else:
                warn(f"{str(recording.sidecar)!r} has no audio: {recording.audio.name} is missing")

    def is_unfinished(self, name: str) -> bool:
        """Whether a server has it in hand."""
        return any((self.path / f"{name}{part}").exists() for part in _PARTS)

    def find(self, wanted: str) -> FinishedRecording:
        """The one recording that the user means.

        Args:
            wanted: `last`; the path or name of one of its files; the beginning of its id; or any part of its name.

        Raises:
            RecordingNotFound: None fits, or several do.
            RecordingUnfinished: One fits that is not finished.
            InputNotAudio: One fits, but its sidecar is damaged.
        """
        contents = self.contents()
        if wanted == LAST:
            return self._last(contents)
        name = self._without_folder(wanted)
        fitting = self._fitting(contents.finished, name, SIDECAR)
        if len(fitting) == 1:
            return self.read(fitting[0])
        if fitting:
            raise self._ambiguous(wanted, fitting)
        for unfinished in self._fitting(contents.unfinished, name, _UNFINISHED):
            raise RecordingUnfinished(unfinished)
        raise RecordingNotFound(wanted, str(self.path))

    def _last(self, contents: Contents) -> FinishedRecording:
        for recording in self.each(reversed(contents.finished), lambda _: None):
            return recording
        raise RecordingNotFound(LAST, str(self.path))

    def _without_folder(self, wanted: str) -> str:
        """The name alone. A path names a recording only if it leads into this folder.

        Raises:
            RecordingNotFound: It leads elsewhere.
        """
        path = Path(wanted)
        if path.name != wanted and path.parent.resolve() != self.path.resolve():
            raise RecordingNotFound(wanted, str(self.path))
        name = path.name
        return name.removesuffix(next((end for end in (SIDECAR, *AUDIO) if name.endswith(end)), ""))

    def _fitting(self, names: Sequence[str], wanted: str, ending: str) -> list[str]:
        if not wanted:
            return []
        if wanted in names:
            return [wanted]
        digits = wanted.lower().replace("-", "")
        is_hex = _HEX.fullmatch(digits) is not None
        by_id = [name for name in names if self._id_of(name, ending).startswith(digits)] if is_hex else []
        if by_id and len(digits) >= _SURELY_AN_ID:
            return by_id
        of_id, part = set(by_id), wanted.lower()
        return [name for name in names if name in of_id or part in name.lower()]

    def _id_of(self, name: str, ending: str) -> str:
        """The id of a recording in bare digits; empty where it has none. Only the beginning of the file is read."""
        try:
            with (self.path / f"{name}{ending}").open("rb", buffering=0) as file:
                found = _ID.search(file.read(_HEAD_BYTES) or b"")
        except OSError:
            return ""
        return found[1].decode().lower().replace("-", "") if found else ""

    def _ambiguous(self, wanted: str, names: Sequence[str]) -> RecordingNotFound:
        shown = names[-_MOST_CANDIDATES:]
        listed = tuple(
            f"{self._id_of(name, SIDECAR)[:_SURELY_AN_ID] or '?':{_SURELY_AN_ID}}  {foreign(name)}"
            for name in reversed(shown)
        )
        return RecordingNotFound(wanted, str(self.path), listed, len(names) - len(shown))


def _sorted_out(names: Iterable[str]) -> Contents:
    finished: set[str] = set()
    unfinished: set[str] = set()
    audio: list[tuple[str, str]] = []
    for name in names:
        if name.endswith(SIDECAR):
            finished.add(name.removesuffix(SIDECAR))
        elif part := next((part for part in _PARTS if name.endswith(part)), None):
            unfinished.add(name.removesuffix(part))
        elif ending := next((ending for ending in AUDIO if name.endswith(ending)), None):
            audio.append((name.removesuffix(ending), name))
    known = finished | unfinished
    strays = sorted(name for stem, name in audio if stem not in known)
    return Contents(tuple(sorted(finished)), tuple(sorted(unfinished)), tuple(strays))
