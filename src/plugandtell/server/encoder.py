"""Makes the FLACs of a folder: one at a time, on a thread that gives way to the streams."""

from __future__ import annotations

import os
import sys
import threading
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING

from plugandtell.core.errors import WriteFailed
from plugandtell.server.disk_sync import sync_path

if TYPE_CHECKING:
    from pathlib import Path

    from plugandtell.core.audio import AudioFormat

_NICENESS = 10


class Encoder:
    """Makes FLACs. The thread starts with the first; no more wait for theirs than save recordings at once."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._thread = ThreadPoolExecutor(1, "encoder", _give_way)

    def make(self, wav_part: Path, temporary: Path, path: Path, audio: AudioFormat) -> tuple[Path, str]:
        """A FLAC of the part, on the disk and proven to hold the same samples. Blocks until it is made.

        An earlier try may have left it in place: if it is what was recorded, it is not made again.

        Args:
            wav_part: A finished part.
            temporary: Where it is made; what a failure leaves there proves nothing.
            path: Where it is to be.
            audio: The format of the samples.

        Returns:
            Where it lies, and the SHA-256 of its samples.

        Raises:
            WriteFailed: It could not be made, or `stop` was called.
            OSError: The part cannot be read, or the disk is gone.
        """
        try:
            return self._thread.submit(self._make, wav_part, temporary, path, audio).result()
        except (CancelledError, RuntimeError) as exc:  # RuntimeError: the thread takes nothing any more
            if not self._stopping.is_set():
                raise
            raise _stopped(path) from exc

    def stop(self) -> None:
        """Make no more; one that is half made is given up. Idempotent."""
        self._stopping.set()
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _make(self, wav_part: Path, temporary: Path, path: Path, audio: AudioFormat) -> tuple[Path, str]:
        from plugandtell.server import flac  # noqa: PLC0415  (who leaves WAVs does not pay for it)

        def check() -> None:
            if self._stopping.is_set():
                raise _stopped(path)

        if path.exists():
            with suppress(flac.NotEncodable):
                return path, flac.prove(path, wav_part, audio, check)
        try:
            flac.encode(wav_part, temporary, audio, check)
            sync_path(temporary)
            return temporary, flac.prove(temporary, wav_part, audio, check)
        except flac.NotEncodable as exc:
            raise WriteFailed(str(path), str(exc)) from exc


def _give_way() -> None:
    """On Linux, threads have priorities of their own."""
    if sys.platform == "linux":
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)


def _stopped(path: Path) -> WriteFailed:
    return WriteFailed(str(path), "the server stops; its next start makes the FLAC")
