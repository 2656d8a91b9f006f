"""The streams a server knows: connected, waiting for their client to return, or over."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING

from plugandtell.core.errors import ProtocolError
from plugandtell.core.protocol.messages import CloseCode, EndReason, Hello
from plugandtell.logservice import get_logger
from plugandtell.server.inherited import Inherited
from plugandtell.server.session import Peer, Session, SessionSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from uuid import UUID

    from plugandtell.core.metrics import Counts
    from plugandtell.server.past import Past
    from plugandtell.server.recorder import Recorder

_REMEMBERED_STREAMS = 10_000


class Registry:
    """All sessions by stream id.

    A stream stays known after its connection has gone, so that a client that returns continues where it was: in the
    same recording within the resume window, in one that names it later. The `remembered` that were over last are kept;
    a client of an older one starts afresh, and the server takes what it still has. What is connected, recording or
    unsettled is never forgotten, and is all that `sweep` looks at: it may come often.

    Args:
        recorder: Where recordings go.
        settings: When they end.
        monotonic: A clock in seconds.
        past: What earlier lives of the server left: its streams go on behind it.
        remembered: How many streams that are over are kept.
    """

    def __init__(
        self,
        recorder: Recorder,
        settings: SessionSettings,
        monotonic: Callable[[], float],
        past: Iterable[Past] = (),
        remembered: int = _REMEMBERED_STREAMS,
    ) -> None:
        self._recorder = recorder
        self._settings = settings
        self._monotonic = monotonic
        self._sessions: dict[UUID, Session] = {}
        self._active: dict[UUID, Session] = {}
        self._left_at: dict[UUID, float] = {}
        self._over: dict[UUID, None] = {}
        self._inherited = Inherited(past, remembered, monotonic, settings.counts)
        self._remembered = remembered
        self._is_closed = False
        self._log = get_logger()

    @property
    def counts(self) -> Counts:
        """Of the process."""
        return self._settings.counts

    @property
    def is_closed(self) -> bool:
        """Whether it takes no streams any more, because the server stops."""
        return self._is_closed

    @property
    def connected(self) -> list[Session]:
        """Sessions with a connection."""
        return [session for session in self._active.values() if session.peer is not None]

    @property
    def active(self) -> list[Session]:
        """Sessions that are connected, record, or have something to settle."""
        return list(self._active.values())

    @property
    def unsaved_samples(self) -> int:
        """Length of the recordings that ended and are not in place yet."""
        of_sessions = sum(session.unsaved_samples for session in self._active.values())
        return of_sessions + self._inherited.unsaved_samples

    async def attach(self, hello: Hello, peer: Peer) -> Session:
        """Give the stream this connection.

        Raises:
            ProtocolError: Another connection that is alive has it (close code 4001), the stream belongs to the holder
                of another token (1008), or the server shuts down (1001).
        """
        self._check_holder(hello.stream_id, peer.holder)
        while (present := self._peer_of(hello.stream_id)) is not None:  # another newcomer may have been faster
            await self._take_over(hello, present)
        self._check_holder(hello.stream_id, peer.holder)
        if self._is_closed:
            raise ProtocolError(CloseCode.GOING_AWAY, "shutting_down", "the server shuts down")
        session = self._sessions.get(hello.stream_id)
        if session is None:
            past = self._inherited.take(hello.stream_id)
            session = Session(hello, self._recorder, self._settings, self._monotonic, past)
            self._sessions[hello.stream_id] = session
        if not session.is_blank:
            self.counts.resumes += 1
        self._active[hello.stream_id] = session
        self._left_at.pop(hello.stream_id, None)
        self._over.pop(hello.stream_id, None)
        session.greet(hello)
        session.holder = session.holder or peer.holder
        session.peer = peer
        session.heard_at = self._monotonic()
        return session

    def detach(self, session: Session, peer: Peer, *, dropped: bool) -> None:
        """The connection is gone; `dropped` if it went without a close, so that its client may return."""
        if session.peer is not peer:
            return
        session.peer = None
        if session.is_blank:  # nothing to come back to: it must not push out a stream that has
            del self._sessions[session.hello.stream_id], self._active[session.hello.stream_id]
            return
        self._left_at[session.hello.stream_id] = self._monotonic()
        if not dropped or not self._settings.resume_window_s:
            session.drop(EndReason.DISCONNECT)

    def sweep(self) -> Iterator[None]:
        """Do what time demands of all streams that are not over, one at each step.

        The segments of clients that did not return in time end, the headers of open recordings are brought up to date,
        and what could not be moved into place is tried again.
        """
        self._inherited.retry()
        latest = self._monotonic() - self._settings.resume_window_s
        for stream_id, session in list(self._active.items()):
            yield
            if stream_id not in self._active:
                continue
            if session.is_recording and self._left_at.get(stream_id, math.inf) <= latest:
                session.drop(EndReason.DISCONNECT)
            session.refresh()
            session.retry_unsaved()
            if session.peer is None and not session.is_recording and session.is_settled:
                self._retire(stream_id)

    def shut_down(self) -> None:
        """End every segment, and take no stream from now on. `settle` waits until all is in place and told."""
        self._is_closed = True
        self._inherited.retry(at_once=True)
        for session in self._sessions.values():
            session.shut_down()

    async def settle(self) -> None:
        """Wait until every segment that ended is in place and told."""
        await asyncio.gather(self._inherited.settle(), *(session.settle() for session in self._sessions.values()))

    def _check_holder(self, stream_id: UUID, holder: str | None) -> None:
        """Keep a stream from whoever learned its id, which is no secret: it is in the log and in every sidecar."""
        session = self._sessions.get(stream_id)
        owner = session.holder if session is not None else self._inherited.holder_of(stream_id)
        if owner is not None and holder is not None and owner != holder:
            message = f"the stream {stream_id} was opened with another token"
            raise ProtocolError(CloseCode.POLICY_VIOLATION, "stream_of_another", message)

    def _peer_of(self, stream_id: UUID) -> Peer | None:
        session = self._sessions.get(stream_id)
        return session.peer if session is not None else None

    async def _take_over(self, hello: Hello, present: Peer) -> None:
        """Drop the stream's present connection if it is dead."""
        if await present.is_alive():
            message = f"the stream {hello.stream_id} is connected elsewhere"
            raise ProtocolError(CloseCode.STREAM_IN_USE, "stream_in_use", message)
        if self._peer_of(hello.stream_id) is not present:
            return
        self._log.warning("dead_connection_replaced", stream_id=str(hello.stream_id), client=hello.label)
        self.counts.dead_connections += 1
        await present.abort()
        session = self._sessions.get(hello.stream_id)
        if session is not None and session.peer is present:
            session.peer = None

    def _retire(self, stream_id: UUID) -> None:
        """Nothing is left to do for the stream until its client returns."""
        del self._active[stream_id]
        self._left_at.pop(stream_id, None)
        self._over[stream_id] = None
        if len(self._over) > self._remembered:
            oldest = next(iter(self._over))
            del self._over[oldest], self._sessions[oldest]
