"""PortAudio, for whoever records or plays. Nothing else imports sounddevice."""

from __future__ import annotations

import atexit
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

_STDERR = 2
INSTALL_HINT = (
    "install it (Debian, Ubuntu: apt install libportaudio2; Fedora: dnf install portaudio; macOS: brew install "
    "portaudio)"
)


def load_sound_library() -> ModuleType:
    """Import sounddevice, which loads and starts PortAudio: this takes up to a few seconds.

    Raises:
        OSError: PortAudio is not installed.
    """
    import sounddevice  # noqa: PLC0415

    # At exit it would stop the last stream and PortAudio, which hangs the program when a device is stuck.
    atexit.unregister(sounddevice._exit_handler)  # noqa: SLF001
    return cast("ModuleType", sounddevice)


@contextmanager
def stderr_silenced() -> Iterator[None]:
    """ALSA and PortAudio print a page at each try to open a device. The log's console has a descriptor of its own."""
    try:
        kept, nowhere = os.dup(_STDERR), os.open(os.devnull, os.O_WRONLY)
    except OSError:
        yield
        return
    os.dup2(nowhere, _STDERR)
    os.close(nowhere)
    try:
        yield
    finally:
        os.dup2(kept, _STDERR)
        os.close(kept)
