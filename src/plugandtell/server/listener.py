"""The listening socket: WebSocket connections in, messages to sessions, answers back."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

from websockets.asyncio.server import ServerConnection as WebSocket
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

from plugandtell.core.errors import CannotListen, ProtocolError, WriteFailed
from plugandtell.core.protocol.messages import (
    PATH,
    SUBPROTOCOL,
    CloseCode,
    Hello,
)
from plugandtell.core.protocol.server import ServerConnection, ServerLimits
from plugandtell.logservice import bind_contextvars, get_logger
from plugandtell.server.access import Denial, Guest
from plugandtell.server.peer import CLOSE_WITHIN_S, CountedWebSocket, WebSocketPeer, address_of, host_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from websockets.asyncio.server import Server
    from websockets.http11 import Request, Response
    from websockets.typing import Subprotocol

    from plugandtell.server.access import Access
    from plugandtell.server.admission import Admission
    from plugandtell.server.registry import Registry
    from plugandtell.server.session import Session
    from plugandtell.server.settings import ServerSettings

_QUEUED_FRAMES = 8
_MESSAGES_IN_A_ROW = 32
_ACCEPTED_AT_ONCE = 32  # asyncio takes so many before the first of them can be dropped


@dataclass(slots=True)
class _Conversation:
    """A connection that was welcomed, and when its index was last seen to grow."""

    peer: WebSocketPeer
    connection: ServerConnection
    advanced_at: float
    index: int | None = None

    def look(self, now: float) -> None:
        """Compare the index with what it was at the last look."""
        if self.connection.latest != self.index:
            self.index, self.advanced_at = self.connection.latest, now


class Listener:
    """Accepts connections and runs each of them.

    Args:
        settings: Address and limits.
        access: Knows who may come in.
        registry: Knows the streams.
        admission: Knows how many may come in.
    """

    def __init__(self, settings: ServerSettings, access: Access, registry: Registry, admission: Admission) -> None:
        self._settings = settings
        self._access = access
        self._registry = registry
        self._admission = admission
        self._limits = ServerLimits()
        self._server: Server | None = None
        self._open: set[WebSocketPeer] = set()
        self._conversations: dict[Session, _Conversation] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._log = get_logger()

    async def open(self) -> str:
        """Start to listen; returns the URL.

        Raises:
            CannotListen: The port is in use, or the address is not this machine's.
            InvalidSetting: The address would let in other machines, and nobody said that they may.
        """
        host, port = self._settings.host, self._settings.port
        tls = self._access.tls
        in_time: dict[str, Any] = {} if tls is None else {"ssl_handshake_timeout": self._settings.hello_timeout}
        try:
            self._server = await serve(
                self._handle,
                host,
                port,
                select_subprotocol=_select_subprotocol,
                compression=None,
                process_request=self._judge_request,
                create_connection=cast("type[WebSocket]", partial(CountedWebSocket, self._admission)),
                open_timeout=self._settings.hello_timeout,
                ping_interval=self._settings.client_keepalive,
                ping_timeout=self._settings.client_keepalive,
                close_timeout=CLOSE_WITHIN_S,
                max_size=self._settings.max_message_bytes,
                ssl=tls,
                start_serving=False,
                **in_time,
                max_queue=_QUEUED_FRAMES,
                backlog=_ACCEPTED_AT_ONCE,
            )
            await self._start_serving(self._server)
        except (OSError, OverflowError, UnicodeError) as exc:  # UnicodeError: no name that could be resolved
            raise CannotListen(host, port, getattr(exc, "strerror", None) or str(exc)) from exc
        bound_port = self._server.sockets[0].getsockname()[1]
        shown_host = f"[{host}]" if ":" in host else host or "0.0.0.0"  # noqa: S104
        return f"{'ws' if tls is None else 'wss'}://{shown_host}:{bound_port}"

    def refuse_new(self) -> None:
        """Take no more connections."""
        if self._server is not None:
            self._server.close(close_connections=False)

    async def close(self) -> None:
        """Close every connection as going away once its stream is settled, and wait until all is over."""
        self.refuse_new()
        sessions = {talk.peer: session for session, talk in self._conversations.items()}
        await asyncio.gather(*(_say_goodbye(peer, sessions.get(peer)) for peer in self._open), *self._closing)
        if self._server is not None:
            await self._server.wait_closed()

    async def abort(self) -> None:
        """Drop the connections that are left."""
        await asyncio.gather(*(peer.abort() for peer in self._open))

    def close_idle(self, now: float) -> None:
        """Close the connections that have said nothing, or nothing new, for too long; who waits for us is patient."""
        idle_s, stall_s = self._settings.idle_timeout, self._settings.stall_timeout
        for session, conversation in list(self._conversations.items()):
            conversation.look(now)
            if session.is_behind:
                continue
            if now - session.heard_at > idle_s:
                self._time_out(session, "idle", f"nothing was said for {idle_s:g} s")
            elif now - conversation.advanced_at > stall_s:
                self._time_out(session, "stalled", f"the stream did not get on for {stall_s:g} s")

    def _time_out(self, session: Session, code: str, message: str) -> None:
        refusal = self._conversations.pop(session).peer.refuse(CloseCode.TIMED_OUT, code, message)
        task = asyncio.create_task(refusal)
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def _start_serving(self, server: Server) -> None:
        """Listen, once it is known which addresses the host's name stands for, and that they may be listened at."""
        try:
            self._access.check_exposure(bound.getsockname()[0] for bound in server.sockets)
            await server.start_serving()
        except BaseException:
            server.close()
            await server.wait_closed()
            raise

    def _judge_request(self, socket: WebSocket, request: Request) -> Response | None:
        """Turn away before the upgrade who may not come in."""
        if request.path.partition("?")[0] != PATH:
            return socket.respond(HTTPStatus.NOT_FOUND, f"PlugAndTell listens at {PATH}\n")
        match self._access.judge(request.headers):
            case Guest(holder):
                if holder is not None:
                    socket.username = holder
                return None
            case Denial() as denial:
                return self._deny(socket, denial)

    def _deny(self, socket: WebSocket, denial: Denial) -> Response:
        self._access.report(denial, address_of(socket), time.monotonic())
        response = socket.respond(denial.status, f"{denial.text}\n")
        if denial.challenge is not None:
            response.headers["WWW-Authenticate"] = denial.challenge
        return response

    async def _handle(self, socket: WebSocket) -> None:
        peer = WebSocketPeer(socket, self._settings.send_timeout)
        address = address_of(socket)
        self._open.add(peer)
        try:
            await self._run(socket, peer)
        except ProtocolError as error:
            close_code = int(error.close_code)
            self._log.warning("refused", code=error.code, close_code=close_code, error=error.message, address=address)
            await peer.turn_away(error.close_code, error.code, error.message)
        except WriteFailed as error:
            self._log.error("write_failed", error=str(error))
            await peer.turn_away(CloseCode.INTERNAL_ERROR, "write_failed", str(error))
        except ConnectionClosed:
            self._log.debug("closed_before_hello", address=address)
        except Exception:  # noqa: BLE001  (the boundary of a task)
            self._log.exception("connection_failed", address=address)
            await peer.close(CloseCode.INTERNAL_ERROR, "internal error")
        finally:
            self._open.discard(peer)

    async def _run(self, socket: WebSocket, peer: WebSocketPeer) -> None:
        self._admit(socket)
        connection = ServerConnection(self._limits)
        hello = await self._hello(socket, connection)
        bind_contextvars(stream_id=str(hello.stream_id), client=hello.label)
        if peer.holder is not None:
            bind_contextvars(token_name=peer.holder)
        self._admission.check_room(len(self._open))
        session = await self._registry.attach(hello, peer)
        self._conversations[session] = mine = _Conversation(peer, connection, session.heard_at)
        program = f"{hello.client.name} {hello.client.version}"
        self._log.info("connected", program=program, address=address_of(socket))
        dropped = False
        try:
            for message in session.greeting():
                await peer.send(message)
            dropped = await self._converse(socket, connection, session, peer)
        finally:
            if self._conversations.get(session) is mine:
                del self._conversations[session]
            self._registry.detach(session, peer, dropped=dropped)
            self._log.info("disconnected", dropped=dropped, close_code=socket.close_code)

    def _admit(self, socket: WebSocket) -> None:
        if socket.subprotocol != SUBPROTOCOL:
            assert socket.request is not None
            offered = ", ".join(socket.request.headers.get_all("Sec-WebSocket-Protocol")) or "none"
            message = f"the subprotocol must be {SUBPROTOCOL}, but the client offered {offered[:80]}"
            raise ProtocolError(CloseCode.PROTOCOL_ERROR, "subprotocol_unknown", message)
        self._admission.check(host_of(socket), len(self._open))

    async def _hello(self, socket: WebSocket, connection: ServerConnection) -> Hello:
        limit_s = self._settings.hello_timeout
        try:
            async with asyncio.timeout(limit_s):
                raw = await socket.recv()
        except TimeoutError as exc:
            message = f"no hello within {limit_s:g} s"
            raise ProtocolError(CloseCode.TIMED_OUT, "hello_timeout", message) from exc
        hello = connection.receive(raw)
        assert isinstance(hello, Hello)  # the machine lets nothing else pass first
        return hello

    async def _converse(
        self, socket: WebSocket, connection: ServerConnection, session: Session, peer: WebSocketPeer
    ) -> bool:
        """Take messages until the end; returns whether the connection dropped without a close."""
        in_a_row = 0
        try:
            while True:
                message = connection.receive(await socket.recv())
                assert not isinstance(message, Hello)  # the machine lets one pass only
                in_a_row += 1
                if in_a_row % _MESSAGES_IN_A_ROW == 0:
                    await asyncio.sleep(0)  # what is queued comes without a pause: let others have their turn
                for reply in session.receive(message):
                    await peer.send(reply)
                if session.is_behind:
                    await session.catch_up()
                if session.peer is not peer:
                    return True  # the client is back on another connection, and sends there what is left of this one
                if connection.is_over:
                    took_all = not session.is_shut_down
                    await session.settle_all()
                    await (peer.close(CloseCode.NORMAL, "") if took_all else _say_goodbye(peer, session))
                    return False
        except ConnectionClosed as closed:
            return closed.rcvd is None


async def _say_goodbye(peer: WebSocketPeer, session: Session | None) -> None:
    if session is not None:
        await session.settle()
    await peer.close(CloseCode.GOING_AWAY, "the server shuts down")


def _select_subprotocol(_: WebSocket, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    """Accept the upgrade in any case: a client of another version is told so in the protocol's own words."""
    return next((name for name in offered if name == SUBPROTOCOL), None)
