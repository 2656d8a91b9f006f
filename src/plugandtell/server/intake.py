"""What records streams in one process: put together here, and ended here in the right order."""

from __future__ import annotations

import asyncio
import errno
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

from plugandtell.core.audio import SPEECH
from plugandtell.core.errors import AudioNotSaved
from plugandtell.core.recording import Durability
from plugandtell.core.shard import WHOLE, Shard
from plugandtell.logservice import Throttle, get_logger
from plugandtell.server.committer import Committer
from plugandtell.server.listener import Listener
from plugandtell.server.past import read_past
from plugandtell.server.recorder import Recorder
from plugandtell.server.registry import Registry
from plugandtell.server.session import SessionSettings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    from plugandtell.server.access import Access
    from plugandtell.server.admission import Admission
    from plugandtell.server.conversation import Elsewhere
    from plugandtell.server.settings import ServerSettings
    from plugandtell.server.window import Window

_SWEEP_EVERY_S = 0.25
_STEPS_IN_A_ROW = 8


@dataclass(frozen=True, slots=True)
class Part:
    """What part of a server this process is.

    Attributes:
        admission: Knows how many may come in; made when the folder is locked.
        within_s: How long saving what is open may take at the end.
        window: Through which others look at it.
        shard: Its share of the streams.
        elsewhere: Where the others are, if it has not all of them.
    """

    admission: Callable[[Recorder], Admission]
    within_s: float
    window: Window | None = None
    shard: Shard = WHOLE
    elsewhere: Elsewhere | None = None


@asynccontextmanager
async def running_intake(
    settings: ServerSettings, access: Access, part: Part, begin: Callable[[Listener], Awaitable[str]]
) -> AsyncIterator[str]:
    """Mend what a crash left, begin to take connections, and at the end save what is open within a deadline.

    Args:
        settings: The server's.
        access: Knows who may come in.
        part: What part of the server this is.
        begin: Has the listener get its connections; the URL that it returns is what the block is given.

    Raises:
        FolderUnusable: The audio folder cannot be used.
        AudioNotSaved: At the end, not everything was in place within the deadline.
    """
    committer = Committer() if settings.durability is Durability.FSYNC else None
    recorder = Recorder(settings.audio_dir, committer=committer, container=settings.format, shard=part.shard)
    try:
        admission = part.admission(recorder)
        registry = Registry(recorder, _session_settings(settings), time.monotonic, read_past(recorder))
        listener = Listener(settings, access, registry, admission, part.elsewhere)
        asyncio.get_running_loop().set_exception_handler(_reporter())
        url = await begin(listener)
        committing = asyncio.create_task(committer.run() if committer is not None else asyncio.sleep(0))
        sweeping = asyncio.create_task(_sweep(registry, listener, access))
        if part.window is not None:
            part.window.listens(url, registry, recorder)
        try:
            yield url
        finally:
            if part.window is not None:
                part.window.finishes()
            sweeping.cancel()
            await asyncio.gather(sweeping, return_exceptions=True)
            try:
                await _shut_down(registry, listener, part.within_s)
            finally:
                committing.cancel()
                await asyncio.gather(committing, return_exceptions=True)
    finally:
        recorder.close()


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
        due = time.monotonic() + _SWEEP_EVERY_S
        await asyncio.sleep(_SWEEP_EVERY_S)
        registry.counts.note_lateness(time.monotonic() - due)
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
