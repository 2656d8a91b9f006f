"""A worker: a process that records its share of the streams, on connections that its server accepted.

    python -m plugandtell.server.workers.worker CHANNEL TALLY LOG

The arguments are descriptors. Its standard input is its lifeline: when the server dies, however it does, so does the
worker, as if it had been killed with it. It must not record on, for the next server may be there already.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import select
import signal
import socket
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from plugandtell.core.errors import AudioNotSaved, PlugAndTellError
from plugandtell.core.exit_status import ExitStatus, exit_status_of
from plugandtell.core.log_level import LogLevel
from plugandtell.core.metrics import decode as decode_metrics
from plugandtell.core.metrics import encode as encode_metrics
from plugandtell.core.shard import Shard
from plugandtell.core.status import encode
from plugandtell.logservice import LogSettings, configure_forwarding, get_logger
from plugandtell.server.access import Access
from plugandtell.server.admission import allowed_descriptors
from plugandtell.server.app import loop_factory
from plugandtell.server.conversation import Visitor
from plugandtell.server.intake import Part, running_intake
from plugandtell.server.window import Window
from plugandtell.server.workers.channel import Channel, Message, Tag, receive_first
from plugandtell.server.workers.guests import Board, SharedAdmission
from plugandtell.server.workers.moving import OtherWorkers
from plugandtell.server.workers.tally import Tally

if TYPE_CHECKING:
    from plugandtell.server.admission import Admission
    from plugandtell.server.listener import Listener
    from plugandtell.server.recorder import Recorder
    from plugandtell.server.settings import ServerSettings

_STDIN = 0


def main() -> NoReturn:
    """Be the worker that the first message says."""
    end, tally_descriptor, log_descriptor = socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2]), int(sys.argv[3])
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):  # may reach all processes of a service: the server says when to stop
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    threading.Thread(target=_die_with_the_server, daemon=True).start()
    start = receive_first(end)
    settings: ServerSettings = pickle.loads(start.data)  # noqa: S301  (from who started this process)
    facts = start.facts
    shard = Shard(facts["number"], facts["of"])
    tally = Tally(facts["tally_size"], tally_descriptor)
    log = LogSettings("server", Path(), LogLevel(facts["level"]))
    with (
        configure_forwarding(log, log_descriptor, worker=shard.number + 1),
        asyncio.Runner(loop_factory=loop_factory()) as runner,
    ):
        status = runner.run(_run(Worker(settings, shard, tally, facts["within_s"]), end))
    sys.exit(status)


def _die_with_the_server() -> None:
    """Wait for the end of standard input, which nobody writes to, on a thread that no event loop holds up."""
    while os.read(_STDIN, 4096):
        pass
    os._exit(ExitStatus.INTERRUPTED)


def _has_server() -> bool:
    """Whether the server lives."""
    return not select.select([_STDIN], [], [], 0)[0]


async def _run(worker: Worker, end: socket.socket) -> ExitStatus:
    try:
        await worker.run(end)
    except PlugAndTellError as error:
        get_logger().error("worker_failed", error=str(error))
        return exit_status_of(error)
    except Exception:  # noqa: BLE001  (the boundary of a process)
        get_logger().exception("worker_crashed")
        return ExitStatus.BUG
    return ExitStatus.OK


class Worker:
    """What the worker does, on its event loop.

    Args:
        settings: The server's.
        shard: Its share of the streams.
        tally: Shared with all processes of the server.
        within_s: How long it may take to save what is open.
    """

    def __init__(self, settings: ServerSettings, shard: Shard, tally: Tally, within_s: float) -> None:
        self._settings = settings
        self._shard = shard
        self._tally = tally
        self._within_s = within_s
        self._window = Window(settings.audio_dir, settings.silence, time.monotonic)
        self._stopping = asyncio.Event()
        self._listener: Listener
        self._admission: SharedAdmission
        self._channel: Channel
        self._others: OtherWorkers
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self, end: socket.socket) -> None:
        """Record until the server says that it is enough.

        Raises:
            PlugAndTellError: It could not begin.
        """
        self._channel = Channel(end, self._receive)
        access = Access(self._settings, os.environ)
        self._others = others = OtherWorkers(self._shard, self._channel)
        part = Part(self._admit, self._within_s, self._window, self._shard, others)
        unsaved, cause, stop_at = 0, "", 0.0
        try:
            async with running_intake(self._settings, access, part, self._begin):
                await self._stopping.wait()
                stop_at = asyncio.get_running_loop().time() + self._within_s
        except AudioNotSaved as error:
            unsaved, cause = error.samples, error.cause
        with suppress(TimeoutError):  # what is pumped to a worker that hangs ends with this process
            async with asyncio.timeout_at(stop_at):
                await others.wait()
        self._channel.send(Tag.STOPPED, {"unsaved_samples": unsaved, "cause": cause})
        await self._channel.drain()

    async def _begin(self, listener: Listener) -> str:
        self._listener = listener
        self._channel.send(Tag.READY)
        return ""

    def _admit(self, recorder: Recorder) -> Admission:
        """Called when the lock of the share is taken: a server that is gone now may have a successor that has not."""
        if not _has_server():
            os._exit(ExitStatus.INTERRUPTED)
        descriptors = allowed_descriptors(self._settings)
        board = Board(self._tally, self._shard, self._tell_left)
        free, open_recordings = recorder.free_bytes, lambda: recorder.open_recordings
        self._admission = SharedAdmission(self._settings, free, open_recordings, descriptors, board)
        return self._admission

    def _tell_left(self, host: str) -> None:
        self._channel.send(Tag.LEFT, {"host": host})

    def _receive(self, message: Message) -> None:
        if message.tag is Tag.STOP:
            self._stopping.set()
        elif message.tag is Tag.LOOK:
            self._channel.send(Tag.SEEN, data=encode(self._window.look()).encode())
        elif message.tag is Tag.COUNT:
            self._channel.send(Tag.COUNTED, data=encode_metrics(self._listener.measure()))
        elif message.tag is Tag.TOLD:
            self._others.told(message.facts["number"], decode_metrics(message.data))
        elif message.sock is None:  # there is no descriptor left for it
            if (host := message.facts["host"]) is not None:
                self._tell_left(host)
        else:
            task = asyncio.create_task(self._adopt(message, message.sock))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _adopt(self, message: Message, sock: socket.socket) -> None:
        visitor = _visitor_of(message, sock)
        self._admission.expect(visitor.host, message.facts["place"])
        try:
            await self._listener.adopt(sock, visitor)
        except OSError as exc:  # of TLS, too
            get_logger().debug("connection_not_begun", error=str(exc), address=f"{visitor.host}:{visitor.port}")
        except Exception:  # noqa: BLE001  (the boundary of a task)
            get_logger().exception("connection_failed")
        if visitor.counts and not visitor.is_seated:
            sock.close()
            self._tell_left(visitor.host)


def _visitor_of(message: Message, sock: socket.socket) -> Visitor:
    facts = message.facts
    if message.tag is Tag.VISIT:
        try:
            port = sock.getpeername()[1]
        except OSError:  # it is gone again
            port = 0
        return Visitor(facts["host"], port)
    host = facts["host"]
    counts = host is not None
    shown = host if counts else facts["shown"]
    return Visitor(shown, facts["port"], counts, facts["holder"], has_begun=True, frames=message.data)


if __name__ == "__main__":
    main()
