"""The audio of recordings, read and written block by block. Nothing else here imports soundfile.

The client has a reader of its own: it converts whatever people have, while a recording is 16-bit PCM and stays so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Self, TypeAlias

import numpy as np
import soundfile

from plugandtell.core.errors import InputNotAudio, InputNotFound, InvalidSetting

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

Block: TypeAlias = "NDArray[np.int16]"
"""Samples by channels."""

_BLOCK_SAMPLES: Final = 8192
_FULL_SCALE: Final = 32_768
_FORMATS: Final = {
    "flac": ("FLAC", "PCM_16"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
    "ogg": ("OGG", "VORBIS"),
    "wav": ("WAV", "PCM_16"),
}


class Sound:
    """An open audio file.

    Raises:
        InputNotFound: It is not there, or cannot be opened.
        InputNotAudio: It cannot be decoded.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            with path.open("rb"):
                self._file = soundfile.SoundFile(path)
        except OSError as exc:
            raise InputNotFound(str(path), (exc.strerror or str(exc)).lower()) from exc
        except soundfile.LibsndfileError as exc:
            raise InputNotAudio(str(path), _reason(exc)) from exc
        self.sample_rate = int(self._file.samplerate)
        self.channels = int(self._file.channels)
        self.samples = int(self._file.frames)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def blocks(self, samples: int = _BLOCK_SAMPLES) -> Iterator[Block]:
        """All of it, at most so many samples at a time.

        Raises:
            InputNotAudio: It is damaged; what could be decoded was yielded before.
        """
        while True:
            try:
                block = self._file.read(samples, dtype="int16", always_2d=True)
            except soundfile.LibsndfileError as exc:
                raise InputNotAudio(str(self._path), f"it is damaged ({_reason(exc)})") from exc
            if not len(block):
                return
            yield block

    def peaks(self, columns: int) -> list[float]:
        """The largest amplitude in each of at most so many equal parts, from 0 to 1.

        Raises:
            InputNotAudio: As `blocks` does.
        """
        width = max(1, -(-self.samples // max(1, columns)))
        peaks = np.zeros(-(-self.samples // width), np.int32)
        start = 0
        for block in self.blocks():
            places = np.arange(start, start + len(block)) // width
            starts = np.flatnonzero(np.diff(places, prepend=-1))
            loudest = np.maximum.reduceat(np.abs(block.astype(np.int32)).max(axis=1), starts)
            np.maximum.at(peaks, places[starts], loudest)
            start += len(block)
        return [float(peak) / _FULL_SCALE for peak in peaks]


def write_sound(target: Path, sound: Sound, kind: str, tags: Mapping[str, str]) -> None:
    """Write a sound as a file of another format.

    Args:
        target: The file, which need not end as the format does.
        sound: What to write, at its beginning.
        kind: flac, mp3, ogg or wav.
        tags: Among title, artist, date, comment and software.

    Raises:
        InvalidSetting: This machine's libsndfile does not write the format.
        OSError: The disk is full or gone.
        InputNotAudio: As `blocks` does.
    """
    container, subtype = _FORMATS[kind]
    if not soundfile.check_format(container, subtype):
        able = " or ".join(name for name, how in _FORMATS.items() if soundfile.check_format(*how))
        raise InvalidSetting("--format", kind, f"{able}: this machine's libsndfile writes no other")
    try:
        with soundfile.SoundFile(target, "w", sound.sample_rate, sound.channels, subtype, format=container) as file:
            for name, text in tags.items():
                setattr(file, name, text)
            for block in sound.blocks():
                file.write(block)
    except soundfile.LibsndfileError as exc:
        raise OSError(_reason(exc)) from exc


def _reason(exc: soundfile.LibsndfileError) -> str:
    """Libsndfile's own words, without the path that soundfile puts before them."""
    return str(exc.error_string).strip().rstrip(".")
