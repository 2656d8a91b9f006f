"""A finished recording: its sidecar, and the audio beside it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final

from plugandtell.core.errors import InputNotAudio
from plugandtell.core.protocol.messages import EndReason
from plugandtell.core.recording import Container, read_final_gaps, read_final_sidecar, time_at

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from plugandtell.core.recording import Origin, WavFile
    from plugandtell.core.segmenter import Ended, Gap

SIDECAR: Final = ".json"
AUDIO: Final = tuple(f".{container.value}" for container in Container)
_SHORT_ID: Final = 8


@dataclass(frozen=True, slots=True)
class FinishedRecording:
    """A recording as its sidecar tells of it.

    Attributes:
        sidecar: Where the sidecar is.
        audio: Where the audio should be: beside it and under its name, whatever path a sidecar from elsewhere claims.
        origin: Where it comes from.
        ended: How it ended.
        file: What the audio was when it was saved.
        text: The sidecar itself.
    """

    sidecar: Path
    audio: Path
    origin: Origin
    ended: Ended
    file: WavFile
    text: str = field(repr=False)

    @property
    def short_id(self) -> str:
        """Enough of its id to name it, as a rule."""
        return str(self.origin.segment_id)[:_SHORT_ID]

    @property
    def started_at(self) -> datetime:
        """The time of its first sample."""
        return self.origin.started_at

    @property
    def length_s(self) -> float:
        """How long it sounds."""
        return self.origin.audio.seconds_from(self.file.samples)

    @property
    def ended_at(self) -> datetime:
        """The time after its last sample."""
        return time_at(self.started_at, self.ended.end_index - self.ended.start_index, self.origin.audio)

    @property
    def voiced_share(self) -> float | None:
        """How much of it is voice; None where that is not known."""
        length = self.ended.end_index - self.ended.start_index
        is_known = self.ended.reason is not EndReason.RECOVERED and length > 0
        return self.ended.voiced_samples / length if is_known else None

    def gaps(self) -> list[Gap]:
        """What never came.

        Raises:
            InputNotAudio: The sidecar is damaged there.
        """
        try:
            return read_final_gaps(self.text)
        except ValueError as exc:
            raise _no_sidecar(self.sidecar, str(exc)) from exc

    def fields(self) -> dict[str, Any]:
        """All of the sidecar, and the `path` of the audio."""
        fields: dict[str, Any] = json.loads(self.text)
        return fields | {"path": str(self.audio.absolute())}


def read_recording(sidecar: Path) -> FinishedRecording:
    """Read a sidecar; whether its audio is there is not looked at.

    Raises:
        InputNotAudio: It is no sidecar of a finished recording, or cannot be read.
    """
    try:
        text = sidecar.read_text(encoding="utf-8")
        origin, ended, file = read_final_sidecar(text)
    except OSError as exc:
        raise _no_sidecar(sidecar, (exc.strerror or str(exc)).lower()) from exc
    except ValueError as exc:
        raise _no_sidecar(sidecar, str(exc)) from exc
    suffix = PurePath(file.name).suffix
    if suffix not in AUDIO:
        raise _no_sidecar(sidecar, f"its file is {file.name!r}, but must end in {' or '.join(AUDIO)}")
    return FinishedRecording(sidecar, sidecar.with_suffix(suffix), origin, ended, file, text)


def _no_sidecar(sidecar: Path, cause: str) -> InputNotAudio:
    return InputNotAudio(str(sidecar), f"it is no sidecar of a finished recording ({cause})")
