"""An audio file, decoded block by block. Nothing else imports soundfile, which loads libsndfile."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import soundfile

from plugandtell.client.riff import missing_bytes
from plugandtell.client.source import PIPE_HINT
from plugandtell.core.errors import InputEmpty, InputNotAudio, InputNotFound

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plugandtell.client.converter import Block

BLOCKS_PER_SECOND = 10


class AudioFile:
    """A file in any format that libsndfile decodes: WAV, FLAC, OGG, MP3 and more.

    One limit is libsndfile's: it ends an MP3 without a length in its header where it estimates the end.

    Raises:
        InputNotFound: There is no such file, or it cannot be opened.
        InputNotAudio: It cannot be decoded.
        InputEmpty: Its size is zero bytes.
    """

    def __init__(self, path: str | Path) -> None:
        self._name = str(path)
        self._path = Path(path)
        self._check_path(self._path)
        try:
            self._file = soundfile.SoundFile(path)
        except soundfile.LibsndfileError as exc:
            cause = f"no audio format that can be decoded ({_reason(exc)}): give a WAV, FLAC, OGG or MP3 file"
            raise InputNotAudio(self._name, cause) from exc
        except TypeError as exc:  # soundfile asks for the format of a file called .raw
            raise InputNotAudio(self._name, f"a raw file says nothing about its format: {PIPE_HINT}") from exc
        # soundfile would seek to where it is after every block, and at each seek an MP3 decoder forgets what it
        # needs for the next frames: the audio has holes. A file that cannot seek is left alone.
        self._file.seekable = lambda: False

    @property
    def sample_rate(self) -> int:
        """Samples per second."""
        return int(self._file.samplerate)

    def blocks(self) -> Iterator[Block]:
        """Decode it, in blocks of about 100 ms.

        Raises:
            InputNotAudio: It is damaged; what could be decoded was yielded before.
        """
        file = self._file
        shape = max(1, file.samplerate // BLOCKS_PER_SECOND), file.channels
        done_samples = 0
        while True:
            block = np.zeros(shape, np.float32)
            try:
                got_samples = len(file.read(out=block))
            except soundfile.LibsndfileError as exc:
                got_samples = file.tell() - done_samples  # decoded before the damage, and already in the block
                if got_samples:
                    yield block[:got_samples]
                raise self._damaged(done_samples + got_samples, _reason(exc)) from exc
            if not got_samples:
                break
            yield block[:got_samples]
            done_samples += got_samples
        if self._is_cut_short(done_samples):
            raise self._damaged(done_samples, "the rest is missing")

    def close(self) -> None:
        """Close the file. Idempotent."""
        self._file.close()

    def _is_cut_short(self, done_samples: int) -> bool:
        """Whether there is less than the header promises. In that of an MP3 the length is an estimate."""
        if self._file.format in ("WAV", "WAVEX"):
            return missing_bytes(self._path) > 0
        return done_samples < self._file.frames and not self._file.subtype.startswith("MPEG")

    def _check_path(self, path: Path) -> None:
        """Libsndfile calls whatever keeps it from opening a file a "System error"."""
        try:
            if path.exists() and not path.is_file():  # opening a pipe could block for ever
                raise InputNotFound(self._name, f"it is a folder or a pipe: name one audio file, or {PIPE_HINT}")
            with path.open("rb") as file:
                if not file.read(1):
                    raise InputEmpty(self._name, "its size is zero bytes: check that it was copied completely")
        except OSError as exc:
            cause = f"{(exc.strerror or str(exc)).lower()}: check the path and its permissions"
            raise InputNotFound(self._name, cause) from exc

    def _damaged(self, done_samples: int, reason: str) -> InputNotAudio:
        good_s = done_samples / self.sample_rate
        cause = f"damaged after {good_s:.1f} s ({reason}); what came before was used: get an intact copy"
        return InputNotAudio(self._name, cause)


def _reason(exc: soundfile.LibsndfileError) -> str:
    """Libsndfile's own words, without the path that soundfile puts before them."""
    return str(exc.error_string).strip().rstrip(".")
