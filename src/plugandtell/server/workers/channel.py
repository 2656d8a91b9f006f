"""What a server and its workers say to one another, over a pair of Unix sockets that also carries sockets.

A message is a tag, the lengths of what follows, facts as JSON, and bytes. A socket comes with the first byte of its
message, so that the two meet again in order.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import struct
from array import array
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_HEAD = struct.Struct(">BII")
_READ_BYTES = 65_536
_MOST_WAITING = 1024
_DESCRIPTOR_BYTES = array("i").itemsize


class Tag(IntEnum):
    """What a message is about.

    To a worker: `start`, what it is to be; `visit`, a connection that was accepted; `moved`, one that another worker
    began, with the bytes that are for this one; `look`; `stop`. From it: `ready`; `left`, a connection is over; `move`,
    one whose stream is another worker's; `seen`, what it does; `stopped`, the last, with what is not saved.
    And for those who want numbers: `ask` from a worker, `count` to all, `counted` from them, `told` to the first.
    """

    START = 1
    VISIT = 2
    MOVED = 3
    STOP = 4
    READY = 5
    LEFT = 6
    MOVE = 7
    STOPPED = 8
    LOOK = 9
    SEEN = 10
    ASK = 11
    COUNT = 12
    COUNTED = 13
    TOLD = 14


_WITH_SOCKET = (Tag.VISIT, Tag.MOVED, Tag.MOVE)


@dataclass(frozen=True, slots=True)
class Message:
    """One of them. Who is given one with a socket closes it."""

    tag: Tag
    facts: Mapping[str, Any] = field(default_factory=dict)
    data: bytes = b""
    sock: socket.socket | None = None


class Channel:
    """One end of the pair, on the event loop. Nothing waits for the other end.

    What it does not take at once waits here. `is_full` says when that is too much: then a connection more is dropped by
    whoever would send it, since its client comes again; the few words that have no socket are always taken.

    Args:
        end: Of the pair; closed with the channel.
        receive: Told of each message.
    """

    def __init__(self, end: socket.socket, receive: Callable[[Message], None]) -> None:
        end.setblocking(False)
        self._end = end
        self._receive = receive
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[tuple[memoryview, socket.socket | None]] = deque()
        self._got = bytearray()
        self._sockets: deque[socket.socket | None] = deque()
        self._is_open = True
        self._is_idle = asyncio.Event()
        self._is_idle.set()
        self._is_closed = asyncio.Event()
        self._loop.add_reader(end, self._read)

    @property
    def is_full(self) -> bool:
        """Whether so much waits for the other end that no more connections should."""
        return len(self._waiting) >= _MOST_WAITING

    def send(
        self, tag: Tag, facts: Mapping[str, Any] | None = None, data: bytes = b"", sock: socket.socket | None = None
    ) -> bool:
        """Send a message; returns False if nobody is at the other end, so that the socket is still the caller's.

        It is closed here once it is on its way.
        """
        if not self._is_open:
            return False
        text = json.dumps(facts or {}).encode()
        self._waiting.append((memoryview(_HEAD.pack(tag, len(text), len(data)) + text + data), sock))
        self._is_idle.clear()
        if len(self._waiting) == 1 and not self._write():
            self._waiting.clear()
            self.close()
            return sock is not None and sock.fileno() < 0
        return True

    def close(self) -> None:
        """Say and hear no more. Idempotent."""
        if not self._is_open:
            return
        self._is_open = False
        self._loop.remove_reader(self._end)
        self._loop.remove_writer(self._end)
        for sock in [sock for _, sock in self._waiting] + list(self._sockets):
            _close(sock)
        self._waiting.clear()
        self._sockets.clear()
        self._end.close()
        self._is_idle.set()
        self._is_closed.set()

    async def drain(self) -> None:
        """Wait until everything is on its way, or nobody is there to take it."""
        await self._is_idle.wait()

    async def wait_closed(self) -> None:
        """Wait until the other end is closed and what it said was heard."""
        await self._is_closed.wait()

    def _write(self) -> bool:
        """Write what waits, as far as it is taken; returns whether there is somebody to take it."""
        try:
            while self._waiting:
                data, sock = self._waiting[0]
                sent = self._end.sendmsg([data], _rights(sock))
                _close(sock)
                if sent == len(data):
                    self._waiting.popleft()
                else:
                    self._waiting[0] = data[sent:], None
        except BlockingIOError:
            self._loop.add_writer(self._end, self._write_on)
        except OSError:
            return False
        else:
            self._loop.remove_writer(self._end)
            self._is_idle.set()
        return True

    def _write_on(self) -> None:
        if not self._write():
            self.close()

    def _read(self) -> None:
        try:
            data, rights, flags, _ = self._end.recvmsg(_READ_BYTES, socket.CMSG_SPACE(_DESCRIPTOR_BYTES))
        except BlockingIOError:
            return
        except OSError:
            data, rights, flags = b"", [], 0
        if not data:
            self.close()
            return
        self._sockets.extend(map(_socket_of, _descriptors(rights)))
        if flags & socket.MSG_CTRUNC:  # this process may not open another: the connection is lost
            self._sockets.append(None)
        self._got += data
        while self._is_open and (message := self._next()) is not None:
            self._receive(message)

    def _next(self) -> Message | None:
        if len(self._got) < _HEAD.size:
            return None
        tag, text_bytes, data_bytes = _HEAD.unpack_from(self._got)
        text_end = _HEAD.size + text_bytes
        if len(self._got) < text_end + data_bytes:
            return None
        facts = json.loads(self._got[_HEAD.size : text_end])
        data = bytes(self._got[text_end : text_end + data_bytes])
        del self._got[: text_end + data_bytes]
        sock = self._sockets.popleft() if tag in _WITH_SOCKET else None
        return Message(Tag(tag), facts, data, sock)


def receive_first(end: socket.socket) -> Message:
    """The first message, for a process that has no loop yet; it comes without a socket.

    Raises:
        EOFError: The other end is gone.
    """
    tag, text_bytes, data_bytes = _HEAD.unpack(_exactly(end, _HEAD.size))
    return Message(Tag(tag), json.loads(_exactly(end, text_bytes)), _exactly(end, data_bytes))


def _exactly(end: socket.socket, size_bytes: int) -> bytes:
    got = bytearray()
    while len(got) < size_bytes:
        if not (data := end.recv(size_bytes - len(got))):
            raise EOFError
        got += data
    return bytes(got)


def _rights(sock: socket.socket | None) -> list[tuple[int, int, array[int]]]:
    return [] if sock is None else [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array("i", [sock.fileno()]))]


def _descriptors(rights: list[tuple[int, int, bytes]]) -> array[int]:
    found = array("i")
    for level, kind, data in rights:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            found.frombytes(data[: len(data) - len(data) % _DESCRIPTOR_BYTES])
    return found


def _socket_of(descriptor: int) -> socket.socket:
    os.set_inheritable(descriptor, False)
    sock = socket.socket(fileno=descriptor)
    sock.setblocking(False)
    return sock


def _close(sock: socket.socket | None) -> None:
    if sock is not None:
        with suppress(OSError):
            sock.close()
