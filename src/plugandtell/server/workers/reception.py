"""Takes connections in, and looks at the first bytes of each, without taking them, to learn whose it is."""

from __future__ import annotations

import asyncio
import errno
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from plugandtell.core.protocol.routing import LONGEST_HEAD_BYTES, Routing, stream_of
from plugandtell.logservice import Throttle, get_logger

if TYPE_CHECKING:
    from collections.abc import Sequence

ACCEPTED_AT_ONCE = 32
_LOOKS_FOR_S = 1.0
_LOOK_AGAIN_AFTER_S = 0.01
_ACCEPT_AGAIN_AFTER_S = 1.0
_NO_DESCRIPTORS = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


class Door(Protocol):
    """What lies behind a reception."""

    def enter(self, host: str) -> bool:
        """Count a connection; returns whether there are so many that it must be dropped unheard."""

    def leave(self, host: str) -> None:
        """A connection that was counted is gone."""

    def take(self, sock: socket.socket, host: str, stream_id: UUID | None) -> None:
        """Take a connection, and what its request says about whose it is, if it says it."""


@dataclass(eq=False, slots=True)
class _Visit:
    """A connection that has not shown whose it is.

    Attributes:
        pause_s: After which it is looked at again, when it has shown something.
        until: When looking ends.
    """

    sock: socket.socket
    host: str
    until: float
    pause_s: float = _LOOK_AGAIN_AFTER_S
    handle: asyncio.TimerHandle | None = None
    is_awaited: bool = False


class Reception:
    """Accepts at listening sockets; nobody who is slow, silent or odd keeps the others waiting.

    Who has not shown whose stream it brings within a second is taken all the same: the hello tells.

    Args:
        sockets: Where it listens, bound; closed with it.
        door: Where connections go.
        looks: Whether there is anything to be seen: not if the line is encrypted.
    """

    def __init__(self, sockets: Sequence[socket.socket], door: Door, *, looks: bool) -> None:
        self._listening = list(sockets)
        self._door = door
        self._looks = looks
        self._loop = asyncio.get_running_loop()
        self._throttle = Throttle()
        self._visits: set[_Visit] = set()
        self._paused: dict[socket.socket, asyncio.TimerHandle] = {}

    def open(self) -> None:
        """Begin."""
        for listening in self._listening:
            listening.setblocking(False)
            listening.listen(ACCEPTED_AT_ONCE)
            self._loop.add_reader(listening, self._accept, listening)

    def close(self) -> None:
        """Take nobody in any more; who is not through yet is dropped. Idempotent."""
        for handle in self._paused.values():
            handle.cancel()
        for listening in self._listening:
            self._loop.remove_reader(listening)
            listening.close()
        self._listening = []
        for visit in list(self._visits):
            self._drop(visit)

    def _accept(self, listening: socket.socket) -> None:
        for _ in range(ACCEPTED_AT_ONCE):
            try:
                sock, address = listening.accept()
            except BlockingIOError:
                return
            except OSError as exc:
                if exc.errno in _NO_DESCRIPTORS:
                    self._pause(listening, exc)
                return  # whoever it was is gone again; others are accepted in the next round
            self._receive(sock, str(address[0]))

    def _pause(self, listening: socket.socket, exc: OSError) -> None:
        if self._throttle.is_due("accept_failed", self._loop.time()):
            get_logger().error("accept_failed", error=exc.strerror)
        self._loop.remove_reader(listening)
        self._paused[listening] = self._loop.call_later(_ACCEPT_AGAIN_AFTER_S, self._resume, listening)

    def _resume(self, listening: socket.socket) -> None:
        del self._paused[listening]
        self._loop.add_reader(listening, self._accept, listening)

    def _receive(self, sock: socket.socket, host: str) -> None:
        sock.setblocking(False)
        if self._door.enter(host):
            sock.close()
            self._door.leave(host)
        elif not self._looks:
            self._door.take(sock, host, None)
        else:
            visit = _Visit(sock, host, self._loop.time() + _LOOKS_FOR_S)
            self._visits.add(visit)
            self._look(visit)

    def _look(self, visit: _Visit) -> None:
        self._rest(visit)
        try:
            head = visit.sock.recv(LONGEST_HEAD_BYTES, socket.MSG_PEEK)
        except BlockingIOError:
            head = None
        except OSError:
            head = b""
        if head == b"":
            self._drop(visit)
            return
        found = Routing.UNDECIDED if head is None else stream_of(head)
        if isinstance(found, UUID):
            self._pass_on(visit, found)
        elif found is Routing.UNKNOWN or self._loop.time() >= visit.until:
            self._pass_on(visit, None)
        elif head is None:
            visit.is_awaited = True
            self._loop.add_reader(visit.sock, self._look, visit)
            visit.handle = self._loop.call_at(visit.until, self._look, visit)
        else:  # bytes that were not taken wake nobody when more of them come
            visit.handle = self._loop.call_later(visit.pause_s, self._look, visit)
            visit.pause_s *= 2

    def _rest(self, visit: _Visit) -> None:
        if visit.is_awaited:
            visit.is_awaited = False
            self._loop.remove_reader(visit.sock)
        if visit.handle is not None:
            visit.handle.cancel()
            visit.handle = None

    def _pass_on(self, visit: _Visit, stream_id: UUID | None) -> None:
        self._visits.discard(visit)
        self._door.take(visit.sock, visit.host, stream_id)

    def _drop(self, visit: _Visit) -> None:
        self._rest(visit)
        self._visits.discard(visit)
        visit.sock.close()
        self._door.leave(visit.host)
