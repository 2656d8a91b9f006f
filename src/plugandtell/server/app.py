"""The server, put together: everything is constructed here, and ended here in the right order."""

from __future__ import annotations

import os
import sys
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from plugandtell.command import run_logged
from plugandtell.core.errors import InvalidSetting
from plugandtell.core.exit_status import ExitStatus
from plugandtell.core.recording import Container
from plugandtell.logservice import get_logger
from plugandtell.server.access import Access
from plugandtell.server.admission import Admission, allowed_descriptors, checked
from plugandtell.server.intake import Part, running_intake
from plugandtell.server.listener import Listener
from plugandtell.server.window import Window
from plugandtell.stopping import stop_requests

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncIterator, Callable, Mapping

    from plugandtell.command import LogOptions
    from plugandtell.server.recorder import Recorder
    from plugandtell.server.settings import ServerSettings
    from plugandtell.terminal.viewers import Viewer

_SHUTDOWN_WITHIN_S = 10.0


def serve_until_stopped(settings: ServerSettings, log: LogOptions, *, lifeline: bool, viewer: Viewer) -> ExitStatus:
    """Run a server until the process is asked to stop; print its URL on standard output when it listens.

    Args:
        settings: The server's.
        log: Where the log goes.
        lifeline: Whether a parent holds the other end of standard input, and stops the server by closing it.
        viewer: Looks on.

    Raises:
        CredentialsUnusable: The tokens or the certificate cannot be used.
        InvalidSetting: The address would let in other machines, and nobody said that they may.
        FolderUnusable: The audio or log folder cannot be used.
        CannotListen: The address cannot be used.
        AudioNotSaved: Not everything was in place when the time to stop was over.
    """
    window = Window(settings.audio_dir, settings.silence, time.monotonic)

    async def main() -> ExitStatus:
        with stop_requests(lifeline=lifeline, at_once=viewer.leave) as stop:
            async with (
                viewer.viewing(window.look, lambda _: None),
                running_server(settings, os.environ, window=window) as server,
            ):
                sys.stdout.write(f"{server.url}\n")
                sys.stdout.flush()
                await stop.wait()
        return ExitStatus.OK

    return run_logged("server", log, main, divert=viewer.divert, loop_factory=loop_factory())


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A server that listens at `url`."""

    url: str


@asynccontextmanager
async def running_server(
    settings: ServerSettings,
    environ: Mapping[str, str] = MappingProxyType({}),
    *,
    free_bytes: Callable[[], int] | None = None,
    window: Window | None = None,
    shutdown_within_s: float = _SHUTDOWN_WITHIN_S,
) -> AsyncIterator[RunningServer]:
    """Mend what a crash left, listen, and at the end save what is open within a deadline.

    Args:
        settings: The server's.
        environ: Where tokens may be.
        free_bytes: Tells the room on the disk of the recordings; the file system does unless another is given.
        window: Through which others look at it.
        shutdown_within_s: The deadline.

    Raises:
        CredentialsUnusable: The tokens or the certificate cannot be used.
        InvalidSetting: The address would let in other machines, and nobody said that they may; or no FLAC can be made.
        FolderUnusable: The audio folder cannot be used.
        CannotListen: The address cannot be used.
        AudioNotSaved: At the end, not everything was in place within the deadline.
    """
    if settings.format is Container.FLAC:
        _check_flac()
    if settings.workers > 1:
        from plugandtell.server.workers.parent import running_workers  # noqa: PLC0415  (not on Windows)

        async with running_workers(settings, environ, shutdown_within_s, window) as url:
            yield RunningServer(url)
        return
    access = Access(settings, environ)

    def admission(recorder: Recorder) -> Admission:
        descriptors = allowed_descriptors(settings)
        free = free_bytes or recorder.free_bytes
        return checked(Admission(settings, free, lambda: recorder.open_recordings, descriptors), settings)

    part = Part(admission, shutdown_within_s, window)
    async with running_intake(settings, access, part, Listener.open) as url:
        audio_dir = str(settings.audio_dir.resolve())
        get_logger().info("server_listening", url=url, audio_dir=audio_dir, token_names=access.token_names)
        yield RunningServer(url)


def _check_flac() -> None:
    """Say at the start, and not at the end of each recording, that no FLAC can be made here."""
    try:
        from plugandtell.server import flac  # noqa: PLC0415  (who leaves WAVs does not pay for it)

        if flac.is_supported():
            return
        cause = "this libsndfile has no FLAC"
    except (ImportError, OSError) as exc:
        cause = str(exc)
    raise InvalidSetting("--format", Container.FLAC.value, f"wav on this machine ({cause})")


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """The fastest event loop there is: for Windows there is only asyncio's own."""
    if sys.platform == "win32":
        return None
    import uvloop  # noqa: PLC0415  (there is none on Windows)

    return uvloop.new_event_loop
