"""A child of the pool: makes one service, then does one job after another until its parent is gone.

`python -m plugandtell.analytics.child PARENT STAGE`, started by the pool and by nobody else. Standard input brings
frames, and its end means that the parent is gone; what was standard output takes frames back. Whatever the service or
its libraries print goes to standard error.
"""

from __future__ import annotations

import ctypes
import faulthandler
import os
import pickle
import signal
import sys
import threading
from queue import SimpleQueue
from typing import IO, TYPE_CHECKING, Any, Final

from plugandtell.analytics.framing import HEAD, Tag, failure, frame, parse_head
from plugandtell.analytics.service import TellsFetching, TellsLength
from plugandtell.analytics.wire import to_json
from plugandtell.core.errors import PlugAndTellError
from plugandtell.logservice import forward

if TYPE_CHECKING:
    from plugandtell.analytics.framing import Start
    from plugandtell.analytics.service import CallInput, Service

_PR_SET_PDEATHSIG: Final = 1  # prctl(2)


def main(parent: int, work: str) -> None:
    """Serve the pool in that process, until it is gone. `work` names what is done here, for people."""
    _die_with(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's: it ends its children when it is done
    faulthandler.enable()
    Channel.on_standard_streams(work).serve()
    os._exit(1)  # a library's thread might keep the process, and with it its pipes, from ending


class Channel:
    """The child's end of the pipes."""

    def __init__(self, requests: IO[bytes], replies: IO[bytes], work: str) -> None:
        self._requests = requests
        self._replies = replies
        self._work = work
        self._arrived: SimpleQueue[bytes] = SimpleQueue()  # the pool sends the next job when it has an answer
        self._lock = threading.Lock()

    @classmethod
    def on_standard_streams(cls, work: str) -> Channel:
        """Take standard input and output over, so that nothing else reads or writes there."""
        requests = os.fdopen(os.dup(0), "rb")
        replies = os.fdopen(os.dup(1), "wb", buffering=0)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        os.dup2(2, 1)
        return cls(requests, replies, work)

    def serve(self) -> None:
        """Make the service, then do jobs until one shows that the service cannot be trusted with another."""
        threading.Thread(target=self._read, daemon=True).start()
        try:
            service = self._made(_unpickled(self._arrived.get()))
        except BaseException as error:  # noqa: BLE001  (the boundary of a task)
            self._send(Tag.FAILED, failure(error, self._work))
            return
        self._send(Tag.READY)
        while self._do(service, self._arrived.get()):
            pass

    def _made(self, start: Start) -> Service:
        forward(start.log_level, lambda line: self._send(Tag.LOG, line.encode()))
        service = start.factory(start.stage)
        if isinstance(service, TellsLength):
            service.tell_length = lambda length_ms: self._send(Tag.LENGTH, str(length_ms).encode())
        if isinstance(service, TellsFetching):
            service.tell_fetching = lambda: self._send(Tag.FETCHING)
            service.tell_fetched = lambda: self._send(Tag.FETCHED)
        return service

    def _do(self, service: Service, payload: bytes) -> bool:
        self._send(Tag.TAKEN)
        try:
            call: CallInput = _unpickled(payload)
            result = to_json(service.process(call)).encode()
        except BaseException as error:  # noqa: BLE001  (the boundary of a task)
            self._send(Tag.FAILED, failure(error, self._work))
            return isinstance(error, PlugAndTellError)
        self._send(Tag.RESULT, result)
        return True

    def _send(self, tag: Tag, payload: bytes = b"") -> None:
        view = memoryview(frame(tag, payload))
        with self._lock:  # logs may come from any thread
            while view:
                view = view[self._replies.write(view) or 0 :]

    def _read(self) -> None:
        """Take frames as they come, so that the end is seen in the midst of a job too."""
        try:
            while len(head := self._requests.read(HEAD.size)) == HEAD.size:
                _, length = parse_head(head)
                self._arrived.put(self._requests.read(length))
        finally:
            os._exit(0)  # whatever the other threads do: nobody waits for it any more


def _unpickled(payload: bytes) -> Any:
    return pickle.loads(payload)  # noqa: S301  (our parent wrote it)


def _die_with(parent: int) -> None:
    """Have the system kill this process when its parent dies, where it can: even in the midst of native code.

    Elsewhere it is the end of standard input that tells, which needs a moment without native code that holds the lock
    of the interpreter.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before we asked
            os._exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
