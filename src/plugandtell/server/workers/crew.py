"""The workers of a server: started, given the connections of their streams, started again when they die, stopped."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from plugandtell.core.errors import WorkerNotStarted
from plugandtell.core.metrics import Counts, Levels, Metrics, total
from plugandtell.core.metrics import decode as decode_metrics
from plugandtell.core.metrics import encode as encode_metrics
from plugandtell.core.retry import Retry
from plugandtell.core.shard import Shard, shard_of
from plugandtell.core.status import ServerStatus, decode
from plugandtell.logservice import get_logger
from plugandtell.server.conversation import UNHEARD
from plugandtell.server.measuring import resident_bytes, with_processor_time
from plugandtell.server.workers.channel import Message, Tag
from plugandtell.server.workers.member import Member

if TYPE_CHECKING:
    import socket
    from collections.abc import Coroutine, Mapping

    from plugandtell.server.settings import ServerSettings
    from plugandtell.server.workers.guests import Guests
    from plugandtell.server.workers.tally import Tally

_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 30.0
_WELL_AFTER_S = 30.0
_LATE_S = 2.0
_COUNTED_WITHIN_S = 1.0


@dataclass(eq=False, slots=True)
class _Parcel:
    """A connection that waits for its worker to be started again."""

    tag: Tag
    facts: Mapping[str, Any]
    data: bytes
    sock: socket.socket
    handle: asyncio.TimerHandle | None = None


@dataclass(frozen=True, slots=True)
class Unsaved:
    """What was not in place when the workers had stopped.

    Attributes:
        samples: Length of it, as far as a worker told.
        cause: Why.
    """

    samples: int
    cause: str


class Crew:
    """All workers. A stream belongs to one of them for good; one that dies takes only its own streams along.

    Connections for a worker that is not there are held for `hello_timeout`, for it is soon back; how many they may be,
    the guests decide.

    Args:
        settings: The server's.
        tally: Shared with the workers.
        guests: Counts connections.
        within_s: How long the workers may take to stop.
    """

    def __init__(self, settings: ServerSettings, tally: Tally, guests: Guests, within_s: float) -> None:
        self._settings = settings
        self._tally = tally
        self._guests = guests
        self._within_s = within_s
        self._members: dict[int, Member] = {}
        self._parcels: dict[int, deque[_Parcel]] = {number: deque() for number in range(settings.workers)}
        self._keeping: list[asyncio.Task[None]] = []
        self._first: dict[int, asyncio.Future[None]] = {}
        self._turn = 0
        self._stopping = asyncio.Event()
        self._is_aborted = False
        self._unsaved: list[Unsaved] = []
        self._in_order: set[int] = set()
        self._saved_before = 0
        self._counts = Counts()  # this process's, and those of workers that are gone
        self._tasks: set[asyncio.Task[None]] = set()
        self._log = get_logger()

    async def start(self) -> None:
        """Start them, and wait until all of them take connections.

        Raises:
            WorkerNotStarted: One of them died before.
        """
        loop = asyncio.get_running_loop()
        self._first = {number: loop.create_future() for number in self._parcels}
        self._keeping = [asyncio.create_task(self._keep(number)) for number in self._parcels]
        try:
            await asyncio.gather(*self._first.values())
        except BaseException:
            await self.abort()
            raise

    async def stop(self) -> list[Unsaved]:
        """Let them save what is open, and end; returns what is not in place."""
        self._stopping.set()
        self._drop_parcels()
        for member in self._members.values():
            member.send(Tag.STOP)
        if self._keeping:
            await asyncio.wait(self._keeping, timeout=self._within_s + _LATE_S)
        for number in sorted(self._members):
            self._log.error("worker_overdue", worker=number + 1, within_s=self._within_s)
        await self.abort()
        return self._unsaved

    @property
    def has_lost(self) -> bool:
        """Whether one of them, at the end, was not there to save what it had, so that it has to be mended."""
        return len(self._in_order) < len(self._parcels)

    async def abort(self) -> None:
        """Kill those that are left, and wait until they are gone. Idempotent."""
        self._is_aborted = True
        for task in self._tasks:
            task.cancel()
        self._stopping.set()
        self._drop_parcels()
        for member in self._members.values():
            member.kill()
        await asyncio.gather(*self._keeping, return_exceptions=True)

    def look(self) -> list[ServerStatus]:
        """What the workers did a moment ago; they are asked again, for the next look."""
        for member in self._members.values():
            if member.is_ready and not member.is_asked:
                member.is_asked = member.send(Tag.LOOK)
        return [member.status for member in self._members.values()] + [ServerStatus(saved_count=self._saved_before)]

    async def measure(self) -> Metrics:
        """The numbers of all workers and of this process; those of a worker that does not answer are old ones."""
        counting = [member.count() for member in self._members.values() if member.is_ready]
        if counting:
            await asyncio.wait(counting, timeout=_COUNTED_WITHIN_S)
        own = Metrics(with_processor_time(self._counts), Levels(resident_bytes=resident_bytes()))
        return total([own, *(member.metrics for member in self._members.values())])

    def take(self, sock: socket.socket, host: str, stream_id: UUID | None) -> None:
        """Give a connection to the worker that owns its stream; without one, to the next."""
        number = self._next() if stream_id is None else shard_of(stream_id, self._settings.workers)
        self._give(number, _Parcel(Tag.VISIT, {"host": host, "place": self._guests.place_of(host)}, b"", sock))

    def enter(self, host: str) -> bool:
        """Count a connection; returns whether there are so many that it must be dropped unheard."""
        if is_too_much := self._guests.enter(host):
            self._counts.accepted += 1
            self._counts.refused[UNHEARD] += 1
        return is_too_much

    def leave(self, host: str) -> None:
        """A connection that was counted is gone."""
        self._guests.leave(host)

    def _next(self) -> int:
        """The next in turn that takes connections, or else the next."""
        for _ in self._parcels:
            self._turn = (self._turn + 1) % self._settings.workers
            if self._turn in self._members and self._members[self._turn].is_ready:
                break
        return self._turn

    def _give(self, number: int, parcel: _Parcel) -> None:
        member = self._members.get(number)
        if self._stopping.is_set() or (member is not None and member.is_full):
            self._drop(parcel)
        elif (
            member is None or not member.is_ready or not member.send(parcel.tag, parcel.facts, parcel.data, parcel.sock)
        ):
            self._parcels[number].append(parcel)
            loop = asyncio.get_running_loop()
            parcel.handle = loop.call_later(self._settings.hello_timeout, self._drop_held, number, parcel)
        elif (host := parcel.facts["host"]) is not None:
            member.seated[host] += 1

    def _drop_held(self, number: int, parcel: _Parcel) -> None:
        self._parcels[number].remove(parcel)
        self._drop(parcel)

    def _drop(self, parcel: _Parcel) -> None:
        if parcel.handle is not None:
            parcel.handle.cancel()
        parcel.sock.close()
        if (host := parcel.facts["host"]) is not None:
            self._guests.leave(host)

    def _drop_parcels(self) -> None:
        for parcels in self._parcels.values():
            while parcels:
                self._drop(parcels.popleft())

    def _receive(self, member: Member, message: Message) -> None:
        facts = message.facts
        match message.tag:
            case Tag.READY:
                self._welcome(member)
            case Tag.LEFT if member.lets_go(facts["host"]):
                self._guests.leave(facts["host"])
            case Tag.MOVE if message.sock is not None:
                self._move(member, facts, message.data, message.sock)
            case Tag.SEEN:
                status = decode(message.data.decode())
                assert isinstance(status, ServerStatus)
                member.status, member.is_asked = status, False
            case Tag.ASK:
                self._spawn(self._tell(member, facts["number"]))
            case Tag.COUNTED:
                member.counted(decode_metrics(message.data))
            case Tag.STOPPED:
                member.has_stopped = True
                if facts["unsaved_samples"]:
                    self._unsaved.append(Unsaved(facts["unsaved_samples"], facts["cause"]))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _tell(self, member: Member, number: int) -> None:
        member.send(Tag.TOLD, {"number": number}, encode_metrics(await self.measure()))

    def _welcome(self, member: Member) -> None:
        member.is_ready = True
        self._log.info("worker_started", worker=member.number + 1, worker_pid=member.pid)
        if not self._first[member.number].done():
            self._first[member.number].set_result(None)
        parcels = self._parcels[member.number]
        while parcels:
            parcel = parcels.popleft()
            if parcel.handle is not None:
                parcel.handle.cancel()
            self._give(member.number, parcel)

    def _move(self, member: Member, facts: Mapping[str, Any], data: bytes, sock: socket.socket) -> None:
        """Pass on a connection that one worker began; without a host, that one keeps the line, and counts it."""
        host: str | None = facts["host"]
        if host is not None:
            member.lets_go(host)
        place = self._guests.place_of(facts["shown"] if host is None else host)
        owner = shard_of(UUID(facts["stream_id"]), self._settings.workers)
        self._give(owner, _Parcel(Tag.MOVED, {**facts, "place": place}, data, sock))

    async def _keep(self, number: int) -> None:
        """Have the worker run, time and again, until all are to stop."""
        retry = Retry(_FIRST_PAUSE_S, _LONGEST_PAUSE_S, math.inf)
        loop = asyncio.get_running_loop()
        while not self._stopping.is_set():
            began = loop.time()
            death = await self._run(number)
            if self._stopping.is_set():
                return
            if not self._first[number].done():
                self._first[number].set_exception(WorkerNotStarted(number + 1, death))
                return
            self._counts.worker_deaths += 1
            if loop.time() - began > _WELL_AFTER_S:
                retry.progress()
            pause_s = retry.next_pause_s(loop.time(), 1.0) or _LONGEST_PAUSE_S
            self._log.error("worker_died", worker=number + 1, cause=death, next_start_s=pause_s)
            with suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._stopping.wait()

    async def _run(self, number: int) -> str:
        """Have it run once; returns how it ended. Nobody else has its share before its process is gone."""
        shard = Shard(number, self._settings.workers)
        try:
            member = await Member.start(shard, self._settings, self._tally, self._within_s, self._receive)
        except OSError as exc:
            return exc.strerror or str(exc)
        self._members[number] = member
        if self._is_aborted:
            member.kill()
        elif self._stopping.is_set():
            member.send(Tag.STOP)
        try:
            death = await member.ended()
        finally:
            member.kill()
            del self._members[number]
        self._part_with(member)
        return death

    def _part_with(self, member: Member) -> None:
        self._tally[member.number] = 0
        self._saved_before += member.status.saved_count
        self._counts.add(member.metrics.counts)
        for host in list(member.seated.elements()):
            self._guests.leave(host)
        if member.has_stopped:
            self._in_order.add(member.number)
