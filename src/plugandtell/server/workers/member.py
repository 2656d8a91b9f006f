"""A worker as its server sees it: a process that is started, given connections, and told to stop."""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
from collections import Counter, deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from plugandtell.core.metrics import Metrics
from plugandtell.core.status import ServerStatus
from plugandtell.logservice import current_level, take_line
from plugandtell.server.workers.channel import Channel, Message, Tag

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from plugandtell.core.shard import Shard
    from plugandtell.server.settings import ServerSettings
    from plugandtell.server.workers.tally import Tally

_PROGRAM = "plugandtell.server.workers.worker"
_LOG_DRAINED_WITHIN_S = 2.0
_MOST_COUNTING = 16  # it does not answer: who asks then waits for the last of these


class Member:
    """A worker that runs; made by `start`.

    Its standard input is its lifeline: it ends when this process does, however that ends.

    Attributes:
        seated: The connections that it has, by address.
        is_ready: Whether it takes connections.
        number: Of its share.
        has_stopped: Whether it has stopped in order.
        status: What it did when it was asked last.
        is_asked: Whether it was asked again, and has not answered.
        metrics: What it had counted when it was asked last.
    """

    def __init__(self, number: int, process: asyncio.subprocess.Process, lines: int) -> None:
        self.number = number
        self.seated: Counter[str] = Counter()
        self.is_ready = False
        self.has_stopped = False
        self.status = ServerStatus()
        self.is_asked = False
        self.metrics = Metrics()
        self._counting: deque[asyncio.Future[None]] = deque()
        self._process = process
        self._channel: Channel
        self._logging = threading.Thread(target=_take_lines, args=(lines,), name="worker-log", daemon=True)
        self._logging.start()

    @classmethod
    async def start(
        cls,
        shard: Shard,
        settings: ServerSettings,
        tally: Tally,
        within_s: float,
        receive: Callable[[Member, Message], None],
    ) -> Member:
        """Start one.

        Args:
            shard: Which streams it has.
            settings: The server's.
            tally: Shared with it.
            within_s: How long it may take to stop.
            receive: Told of what it says.

        Raises:
            OSError: The system starts no more processes.
        """
        ours, theirs = socket.socketpair()
        lines, outlet = os.pipe()
        passed = (theirs.fileno(), tally.descriptor, outlet)
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", _PROGRAM),
                *map(str, passed),
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                env=_environment(),
                pass_fds=passed,
                start_new_session=True,  # out of reach of the terminal's Ctrl-C
            )
        except BaseException:
            ours.close()
            os.close(lines)
            raise
        finally:
            theirs.close()
            os.close(outlet)
        member = cls(shard.number, process, lines)
        member._channel = Channel(ours, lambda message: receive(member, message))
        facts = {
            "number": shard.number,
            "of": shard.of,
            "level": current_level().value,
            "tally_size": tally.size,
            "within_s": within_s,
        }
        member._channel.send(Tag.START, facts, pickle.dumps(settings))
        return member

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    @property
    def is_full(self) -> bool:
        """Whether so many connections are on the way to it that no more should be."""
        return self._channel.is_full

    def lets_go(self, host: str) -> bool:
        """Count one connection from there less; returns whether it had one."""
        if self.seated[host] > 1:
            self.seated[host] -= 1
            return True
        return self.seated.pop(host, 0) > 0

    def send(
        self, tag: Tag, facts: Mapping[str, Any] | None = None, data: bytes = b"", sock: socket.socket | None = None
    ) -> bool:
        """Say something to it, as a channel does; returns whether it is there."""
        return self._channel.send(tag, facts, data, sock)

    def count(self) -> asyncio.Future[None]:
        """Ask for its metrics; done when they are there, or never will be."""
        if len(self._counting) >= _MOST_COUNTING:
            return self._counting[-1]
        counting = asyncio.get_running_loop().create_future()
        if self.send(Tag.COUNT):
            self._counting.append(counting)
        else:
            counting.set_result(None)
        return counting

    def counted(self, metrics: Metrics) -> None:
        """It has answered."""
        self.metrics = metrics
        self._counting.popleft().set_result(None)

    def kill(self) -> None:
        """End it now. Idempotent."""
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.kill()

    async def ended(self) -> str:
        """Wait until it is gone and what it said was heard; returns how it ended."""
        code = await self._process.wait()
        await self._channel.wait_closed()
        while self._counting:
            self._counting.popleft().set_result(None)
        await asyncio.to_thread(self._logging.join, _LOG_DRAINED_WITHIN_S)
        return f"signal {-code}, {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def _take_lines(descriptor: int) -> None:
    """Log what the worker logs, until it ends. Off the event loop."""
    with os.fdopen(descriptor, encoding="ascii", errors="replace") as lines:
        for line in lines:
            with suppress(ValueError):  # torn by its death
                take_line(line)


def _environment() -> dict[str, str]:
    """The worker finds modules where this process does, whatever the working folder holds."""
    modules = os.pathsep.join(place or os.getcwd() for place in sys.path)  # noqa: PTH109  (text, as the rest of it)
    return os.environ | {"PYTHONPATH": modules}
