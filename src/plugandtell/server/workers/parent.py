"""The process that starts the workers of a server, takes connections in for them, and ends last."""

from __future__ import annotations

import asyncio
import os
import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from plugandtell.core.errors import AudioNotSaved, CannotListen
from plugandtell.logservice import get_logger
from plugandtell.server.access import Access
from plugandtell.server.admission import Admission, allowed_descriptors, checked
from plugandtell.server.listener import url_of
from plugandtell.server.past import mend, prepare
from plugandtell.server.recorder import Recorder
from plugandtell.server.workers.crew import Crew
from plugandtell.server.workers.guests import Guests
from plugandtell.server.workers.reception import Reception
from plugandtell.server.workers.tally import Tally

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from plugandtell.server.settings import ServerSettings
    from plugandtell.server.window import Window


@asynccontextmanager
async def running_workers(
    settings: ServerSettings, environ: Mapping[str, str], shutdown_within_s: float, window: Window | None
) -> AsyncIterator[str]:
    """Run a server of several processes; gives its URL when all of them take connections.

    Args:
        settings: The server's.
        environ: Where tokens may be; the workers look into that of this process.
        shutdown_within_s: How long they may take to save what is open.
        window: Through which others look at it.

    Raises:
        CredentialsUnusable: The tokens or the certificate cannot be used.
        InvalidSetting: The address would let in other machines, and nobody said that they may.
        FolderUnusable: The audio folder cannot be used.
        CannotListen: The address cannot be used.
        WorkerNotStarted: A worker died before it took connections.
        AudioNotSaved: At the end, not everything was in place within the deadline.
    """
    access = Access(settings, environ)
    recorder = Recorder(settings.audio_dir, container=settings.format)
    try:
        most = Admission(settings, recorder.free_bytes, lambda: 0, allowed_descriptors(settings))
        admission = checked(most, settings)
        sockets = await _bind(settings, access)
        url = url_of(settings, sockets[0].getsockname()[1])
        prepare(recorder, settings.workers)
        tally = Tally(settings.workers + admission.most_counted)
        crew = Crew(settings, tally, Guests(admission, tally, settings.workers), shutdown_within_s)
        reception = Reception(sockets, crew, looks=access.tls is None)
        try:
            await crew.start()
            reception.open()
            audio_dir = str(settings.audio_dir.resolve())
            names, workers = access.token_names, settings.workers
            get_logger().info("server_listening", url=url, audio_dir=audio_dir, token_names=names, workers=workers)
            if window is not None:
                window.watches(url, crew.look)
            try:
                yield url
            finally:
                if window is not None:
                    window.finishes()
                get_logger().info("server_stopping", workers=workers)
                reception.close()
                await _stop(crew, recorder, shutdown_within_s)
        finally:
            reception.close()
            await crew.abort()
            tally.close()
    finally:
        recorder.close()


async def _bind(settings: ServerSettings, access: Access) -> list[socket.socket]:
    """Sockets at the address, which listen to nobody yet."""
    host, port = settings.host, settings.port
    try:
        server = await asyncio.get_running_loop().create_server(asyncio.Protocol, host, port, start_serving=False)
        try:
            access.check_exposure(bound.getsockname()[0] for bound in server.sockets)
            return [socket.socket(fileno=os.dup(bound.fileno())) for bound in server.sockets]
        finally:
            server.close()
    except (OSError, OverflowError, UnicodeError) as exc:  # UnicodeError: no name that could be resolved
        raise CannotListen(host, port, getattr(exc, "strerror", None) or str(exc)) from exc


async def _stop(crew: Crew, recorder: Recorder, mended_within_s: float) -> None:
    """Let the workers save what is open; what a dead one left is mended here, where nobody records any more."""
    unsaved = await crew.stop()
    if crew.has_lost:
        mending = asyncio.create_task(asyncio.to_thread(mend, recorder))
        await asyncio.wait([mending], timeout=mended_within_s)
        recorder.encoder.stop()  # a FLAC that is not made by now is left to the next start
        await mending
        if left := len(list(recorder.folder.glob("*.wav.part"))):
            raise AudioNotSaved(sum(one.samples for one in unsaved), f"{left} recordings could not be moved into place")
    if unsaved:
        raise AudioNotSaved(sum(one.samples for one in unsaved), unsaved[0].cause)
    get_logger().info("server_stopped")
