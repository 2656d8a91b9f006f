"""Whether the audio of a recording is still what its sidecar says."""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from plugandtell.recordings.finished import FinishedRecording


class FileState(StrEnum):
    """What has become of a file since it was saved."""

    INTACT = "intact"
    CHANGED = "changed"
    MISSING = "missing"


IN_WORDS = {
    FileState.INTACT: "still as it was saved",
    FileState.CHANGED: "changed since it was saved",
    FileState.MISSING: "missing now",
}


def state_of(recording: FinishedRecording) -> FileState:
    """Compare the whole file with the sidecar; what cannot be read counts as missing."""
    try:
        with recording.audio.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return FileState.MISSING
    return FileState.INTACT if digest == recording.file.sha256 else FileState.CHANGED
