"""The server, put together: everything is constructed here, and ended here in the right order."""

from __future__ import annotations

import asyncio
import errno
import os
import sys
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import chain
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from plugandtell.command import run_logged
from plugandtell.core.audio import SPEECH
from plugandtell.core.errors import AudioNotSaved, InvalidSetting
from plugandtell.core.exit_status import ExitStatus
from plugandtell.core.recording import Container, Durability
from plugandtell.logservice import Throttle, get_logger
from plugandtell.server.access import Access
from plugandtell.server.admission import Admission, raise_descriptor_limit, wanted_descriptors
from plugandtell.server.committer import Committer
from plugandtell.server.listener import Listener
from plugandtell.server.past import read_past
from plugandtell.server.recorder import Recorder
from plugandtell.server.registry import Registry
from plugandtell.server.session import SessionSettings
from plugandtell.server.window import Window
from plugandtell.stopping import stop_requests

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping

    from plugandtell.command import LogOptions
    from plugandtell.server.settings import ServerSettings
    from plugandtell.terminal.viewers import Viewer

_SWEEP_EVERY_S = 0.25
_STEPS_IN_A_ROW = 32
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

    return run_logged("server", log, main, divert=viewer.divert, loop_factory=_loop_factory())


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
    access = Access(settings, environ)
    committer = Committer() if settings.durability is Durability.FSYNC else None
    if settings.format is Container.FLAC:
        _check_flac()
    recorder = Recorder(settings.audio_dir, committer=committer, container=settings.format)
    try:
        registry = Registry(recorder, _session_settings(settings), time.monotonic, read_past(recorder))
        admission = _admission(settings, recorder, free_bytes or recorder.free_bytes)
        listener = Listener(settings, access, registry, admission)
        asyncio.get_running_loop().set_exception_handler(_reporter())
        url = await listener.open()
        committing = asyncio.create_task(committer.run() if committer is not None else asyncio.sleep(0))
        sweeping = asyncio.create_task(_sweep(registry, listener, access))
        audio_dir = str(settings.audio_dir.resolve())
        get_logger().info("server_listening", url=url, audio_dir=audio_dir, token_names=access.token_names)
        if window is not None:
            window.listens(url, registry, recorder)
        try:
            yield RunningServer(url)
        finally:
            if window is not None:
                window.finishes()
            sweeping.cancel()
            await asyncio.gather(sweeping, return_exceptions=True)
            try:
                await _shut_down(registry, listener, shutdown_within_s)
            finally:
                committing.cancel()
                await asyncio.gather(committing, return_exceptions=True)
    finally:
        recorder.close()


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


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """The fastest event loop there is: for Windows there is only asyncio's own."""
    if sys.platform == "win32":
        return None
    import uvloop  # noqa: PLC0415  (there is none on Windows)

    return uvloop.new_event_loop


async def _shut_down(registry: Registry, listener: Listener, within_s: float) -> None:
    log = get_logger()
    log.info("server_stopping", streams=len(registry.connected))
    listener.refuse_new()
    registry.shut_down()
    try:
        async with asyncio.timeout(within_s):
            await asyncio.gather(registry.settle(), listener.close())
    except TimeoutError:
        unsaved = registry.unsaved_samples
        log.error("shutdown_overdue", within_s=within_s, unsaved_s=SPEECH.seconds_from(unsaved))
        await listener.abort()
        if unsaved:
            raise AudioNotSaved(unsaved, f"the server could not save it within {within_s:g} s") from None
    if unsaved := registry.unsaved_samples:
        raise AudioNotSaved(unsaved, "it could not be moved into place; the server's next start will try again")
    log.info("server_stopped")


async def _sweep(registry: Registry, listener: Listener, access: Access) -> None:
    """Do what time demands, for all streams at once: a timer each would cost more than the audio."""
    while True:
        await asyncio.sleep(_SWEEP_EVERY_S)
        await asyncio.sleep(0)  # what came while we were held up is read first: nobody is idle whom we did not hear
        try:
            await _step_by_step(chain(registry.sweep(), listener.sweep(time.monotonic())))
            access.refresh(time.monotonic())
        except Exception:  # noqa: BLE001  (the boundary of a task)
            get_logger().exception("sweep_failed")


async def _step_by_step(steps: Iterator[None]) -> None:
    """Take so few steps in a row that no audio waits for them."""
    for number, _ in enumerate(steps, start=1):
        if number % _STEPS_IN_A_ROW == 0:
            await asyncio.sleep(0)


def _admission(settings: ServerSettings, recorder: Recorder, free_bytes: Callable[[], int]) -> Admission:
    descriptors = raise_descriptor_limit(wanted_descriptors(settings.max_streams))
    admission = Admission(settings, free_bytes, lambda: recorder.open_recordings, descriptors)
    if admission.most < settings.max_streams:
        get_logger().warning("descriptors_limit_streams", descriptors=descriptors, streams=admission.most)
    if (lacking := admission.lacking_mb()) > 0:
        remedy = "make room on the disk of --audio-dir, or lower --min-free-mb"
        consequence = "every stream is asked to try again later"
        get_logger().warning("disk_nearly_full", lacking_mb=lacking, consequence=consequence, remedy=remedy)
    return admission


def _reporter() -> Callable[[asyncio.AbstractEventLoop, dict[str, Any]], None]:
    throttle = Throttle()

    def report(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """That no connection can be accepted for want of descriptors is no surprise; asyncio tries again in 1 s."""
        error = context.get("exception")
        if not isinstance(error, OSError) or error.errno not in (errno.EMFILE, errno.ENFILE):
            loop.default_exception_handler(context)
        elif throttle.is_due("accept_failed", loop.time()):
            get_logger().error("accept_failed", error=error.strerror)

    return report


def _session_settings(settings: ServerSettings) -> SessionSettings:
    return SessionSettings(
        silence_s=settings.silence,
        max_duration_s=settings.max_duration,
        resume_window_s=settings.resume_window,
        gaps=settings.gaps,
        max_message_bytes=settings.max_message_bytes,
    )
