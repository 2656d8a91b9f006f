"""The streams a server knows: connected, waiting for their client to return, or over."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from plugandtell.core.errors import ProtocolError
from plugandtell.core.protocol.messages import CloseCode, EndReason, Hello
from plugandtell.logservice import bound_contextvars, get_logger
from plugandtell.server.session import Peer, Session, SessionSettings

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from plugandtell.server.recorder import Recorder

_REMEMBERED_STREAMS = 10_000


class Registry:
    """All sessions by stream id.

    A stream stays known after its connection has gone, so that a client that returns continues where it was: in the
    same recording within the resume window, in one that names it later. The `_REMEMBERED_STREAMS` that left last are
    remembered; a client of an older one starts afresh, and the server takes what it still has.
    """

    def __init__(
        self,
        recorder: Recorder,
        settings: SessionSettings,
        monotonic: Callable[[], float],
    ) -> None:
        self._recorder = recorder
        self._settings = settings
        self._monotonic = monotonic
        self._sessions: dict[UUID, Session] = {}
        self._left_at: dict[UUID, float] = {}
        self._log = get_logger()

    @property
    def connected(self) -> list[Session]:
        """Sessions with a connection."""
        return [session for session in self._sessions.values() if session.peer is not None]

    async def attach(self, hello: Hello, peer: Peer) -> Session:
        """Give the stream this connection.

        Raises:
            ProtocolError: Another connection that is alive has it (close code 4001).
        """
        session = self._sessions.get(hello.stream_id)
        if session is not None and session.peer is not None:
            await self._take_over(session)
        if session is None:
            session = Session(hello, self._recorder, self._settings, self._monotonic)
            self._sessions[hello.stream_id] = session
        self._left_at.pop(hello.stream_id, None)
        session.peer = peer
        session.heard_at = self._monotonic()
        return session

    def detach(self, session: Session, peer: Peer, *, dropped: bool) -> None:
        """The connection is gone; `dropped` if it went without a close, so that its client may return."""
        if session.peer is not peer:
            return
        session.peer = None
        self._left_at[session.hello.stream_id] = self._monotonic()
        if not dropped or not self._settings.resume_window_s:
            session.drop(EndReason.DISCONNECT)
        self._forget_oldest()

    def end_overdue(self) -> None:
        """End the segments of clients that did not return in time."""
        latest = self._monotonic() - self._settings.resume_window_s
        for stream_id, left_at in self._left_at.items():
            session = self._sessions[stream_id]
            if left_at <= latest and session.is_recording:
                with bound_contextvars(stream_id=str(stream_id), client=session.label):
                    session.drop(EndReason.DISCONNECT)

    async def shut_down(self) -> None:
        """End every segment, and wait until all is in place and told."""
        async with asyncio.TaskGroup() as closing:
            for session in self._sessions.values():
                closing.create_task(session.close(EndReason.SHUTDOWN, for_good=True))

    async def _take_over(self, session: Session) -> None:
        """Drop the stream's present connection if it is dead."""
        present = session.peer
        if present is None:
            return
        if await present.is_alive():
            message = f"the stream {session.hello.stream_id} is connected elsewhere"
            raise ProtocolError(CloseCode.STREAM_IN_USE, "stream_in_use", message)
        self._log.warning("dead_connection_replaced", stream_id=str(session.hello.stream_id))
        await present.abort()

    def _forget_oldest(self) -> None:
        while len(self._left_at) > _REMEMBERED_STREAMS:
            stream_id = next(iter(self._left_at))
            if self._sessions[stream_id].is_recording:
                return
            del self._left_at[stream_id], self._sessions[stream_id]
