"""A recording played to its end, or until somebody stops it.

What may wait for a device runs in a daemon thread, so that Ctrl-C ends the program whatever the device does.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from plugandtell.core.amounts import length_text
from plugandtell.portaudio import stderr_silenced

if TYPE_CHECKING:
    from collections.abc import Callable

    from plugandtell.recordings.loudspeaker import OutputStream
    from plugandtell.recordings.sound import Sound

_BLOCKS_PER_SECOND: Final = 20
_LOOK_EVERY_S: Final = 0.1
_STOP_WITHIN_S: Final = 1.0


class Player:
    """Plays a sound once.

    Args:
        sound: What to play, at its beginning.
        open_stream: Opens the loudspeaker.
    """

    def __init__(self, sound: Sound, open_stream: Callable[[], OutputStream]) -> None:
        self._sound = sound
        self._open_stream = open_stream
        self._written_samples = 0
        self._latency_samples = 0
        self._is_stopped = threading.Event()
        self._is_done = threading.Event()
        self._failure: BaseException | None = None

    def play(self, show: Callable[[float], None]) -> None:
        """Play it; returns when all of it was heard. An exception, as Ctrl-C is one, silences the device first.

        Args:
            show: Is told how many seconds were heard, ten times a second.

        Raises:
            NoLoudspeaker: It cannot be played, or the device went away.
            InputNotAudio: The recording is damaged; what came before the damage was played.
        """
        threading.Thread(target=self._run, name="player", daemon=True).start()
        try:
            while not self._is_done.wait(_LOOK_EVERY_S):
                if self._written_samples:
                    show(max(0, self._written_samples - self._latency_samples) / self._sound.sample_rate)
        finally:
            self._is_stopped.set()
            self._is_done.wait(_STOP_WITHIN_S)
        if self._failure is not None:
            raise self._failure
        show(self._sound.samples / self._sound.sample_rate)

    def _run(self) -> None:
        try:
            with stderr_silenced():  # of what the sound libraries print, from the first try to open a device on
                self._pour()
        except BaseException as exc:  # noqa: BLE001  (raised again by the thread that waits)
            self._failure = exc
        finally:
            self._is_done.set()

    def _pour(self) -> None:
        stream = self._open_stream()
        try:
            self._latency_samples = round(stream.latency_s * self._sound.sample_rate)
            for block in self._sound.blocks(max(1, self._sound.sample_rate // _BLOCKS_PER_SECOND)):
                if self._is_stopped.is_set():
                    return
                stream.write(block)
                self._written_samples += len(block)
            stream.finish()
        finally:
            stream.close()


def progress_line(heard_s: float, length_s: float, width: int, *, is_plain: bool) -> str:
    """How far it is, in a line narrower than `width`: `0:02.1 ━━━━━━━─────── 0:06.7`.

    Args:
        heard_s: What was heard.
        length_s: The whole.
        width: Of the terminal.
        is_plain: Whether to keep to ASCII.
    """
    done, left = "=-" if is_plain else "━─"
    heard, whole = length_text(min(heard_s, length_s)), length_text(length_s)
    columns = max(0, width - len(whole) * 2 - 3)
    full = round(columns * min(1.0, heard_s / length_s)) if length_s else columns
    return f"{heard:>{len(whole)}} {done * full}{left * (columns - full)} {whole}"
