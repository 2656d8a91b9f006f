"""What is said on one connection, from the request for an upgrade to the goodbye."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from importlib.metadata import version
from typing import TYPE_CHECKING, Protocol

from plugandtell.core.errors import ProtocolError, WriteFailed
from plugandtell.core.exposition import CONTENT_TYPE, render
from plugandtell.core.metric_families import families_of
from plugandtell.core.protocol.codec import encode
from plugandtell.core.protocol.messages import HEALTH_PATH, METRICS_PATH, PATH, SUBPROTOCOL, CloseCode, Error, Hello
from plugandtell.core.protocol.server import ServerConnection, ServerLimits
from plugandtell.logservice import get_logger
from plugandtell.server.access import Denial, Guest
from plugandtell.server.connection import Later
from plugandtell.server.measuring import measure

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any
    from uuid import UUID

    from plugandtell.core.metrics import Counts, Metrics
    from plugandtell.core.protocol.messages import ServerMessage
    from plugandtell.logservice import FilteringBoundLogger
    from plugandtell.server.access import Access
    from plugandtell.server.admission import Admission
    from plugandtell.server.connection import Connection, Message, Request, Response
    from plugandtell.server.registry import Registry
    from plugandtell.server.session import Session
    from plugandtell.server.settings import ServerSettings

_ALIVE_WITHIN_S = 2.0
UNHEARD = "too_many"
"""Under which those are counted that are dropped before a word is read."""


@dataclass(slots=True)
class Visitor:
    """What another process knows of a connection that it accepted.

    Attributes:
        host: The address of the other end.
        port: Its port.
        counts: Whether this process counts it, and not the one that keeps the client's end of it.
        holder: Whose token it was opened with, if that process has shaken hands on it.
        has_begun: Whether it has, so that the hello follows.
        frames: What came on it since.
        is_seated: Whether its conversation has begun here, which tells when it is over.
    """

    host: str
    port: int
    counts: bool = True
    holder: str | None = None
    has_begun: bool = False
    frames: bytes = b""
    is_seated: bool = False


class Elsewhere(Protocol):
    """The other processes of the server."""

    def owns(self, stream_id: UUID) -> bool:
        """Whether one of them has the stream."""

    def take(self, connection: Connection, hello: str, stream_id: UUID, visitor: Visitor) -> bool:
        """Give it a connection; the hello and what came behind it are told again.

        Returns whether it counts the connection now, because nothing of it is left here.
        """

    async def measure(self) -> Metrics:
        """The numbers of all of them, this one's included.

        Raises:
            TimeoutError: The server does not say.
        """


@dataclass(frozen=True, slots=True)
class House:
    """What all conversations share.

    Attributes:
        settings: Limits.
        access: Knows who may come in.
        registry: Knows the streams.
        admission: Knows how many may come in.
        limits: What a client may say.
        present: The conversations that have begun and are not over.
        arriving: Those that have not begun: the other end has not asked for an upgrade yet.
        started_at: When the process began, in seconds since 1970.
        elsewhere: Where the streams are that are not this process's, if there are such.
    """

    settings: ServerSettings
    access: Access
    registry: Registry
    admission: Admission
    limits: ServerLimits = field(default_factory=ServerLimits)
    present: set[Conversation] = field(default_factory=set)
    arriving: set[Conversation] = field(default_factory=set)
    started_at: float = field(default_factory=time.time)
    elsewhere: Elsewhere | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Let it run until it is done."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class Conversation:
    """One client on one connection. It is what its session speaks through.

    Args:
        house: What all conversations share.
        visitor: What is known of a connection that another process accepted.

    Attributes:
        holder: Whose token the connection was opened with; None without one.
    """

    __slots__ = (
        "__weakref__",
        "_advanced_at",
        "_checks",
        "_connection",
        "_host",
        "_house",
        "_index",
        "_is_done",
        "_offered",
        "_pinged_at",
        "_session",
        "_visitor",
        "holder",
    )

    def __init__(self, house: House, visitor: Visitor | None = None) -> None:
        self.holder: str | None = None if visitor is None else visitor.holder
        self._visitor = visitor
        self._house = house
        self._connection: Connection
        self._checks = ServerConnection(house.limits)
        self._session: Session | None = None
        self._host = self._offered = ""
        self._index: int | None = None
        self._advanced_at = self._pinged_at = 0.0
        self._is_done = False

    # What the connection tells.

    def made(self, connection: Connection) -> None:
        """Drop it at once if there are far too many; give it some time to introduce itself."""
        self._connection = connection
        self._house.arriving.add(self)
        self._host = self._address[0]
        if self._visitor is not None:
            self._visitor.is_seated = True
        if self._visitor is None or not self._visitor.has_begun:
            self._counts.accepted += 1
        if self._is_counted and self._house.admission.enter(self._host):
            self._counts.refused[UNHEARD] += 1
            connection.abort()
        else:
            connection.set_deadline(self._house.settings.hello_timeout, connection.abort)
        if self._visitor is not None and self._visitor.has_begun:
            connection.go_on(self._visitor.frames)  # before anything that comes now

    def judge(self, request: Request) -> Response | Later | None:
        """Turn away before the upgrade who may not come in, and answer who asks how the server is."""
        self._offered = ", ".join(request.headers.get_all("Sec-WebSocket-Protocol"))[:80]
        path = request.path.partition("?")[0]
        if path not in (PATH, METRICS_PATH, HEALTH_PATH):
            return self._respond(HTTPStatus.NOT_FOUND, f"PlugAndTell listens at {PATH}")
        if path != PATH and getattr(request, "method", "GET") != "GET":  # older releases know of no other
            return self._respond(HTTPStatus.METHOD_NOT_ALLOWED, "only GET is answered here")
        if path == HEALTH_PATH:
            return self._tell_health()
        match self._house.access.judge(request.headers):
            case Denial() as denial:
                return self._deny(denial)
            case Guest() if path == METRICS_PATH:
                self._connection.hold()
                self._house.spawn(self._tell_metrics())
                return Later.LATER
            case Guest(holder):
                self.holder = holder
                return None

    def opened(self) -> None:
        """Wait for the hello."""
        self._house.arriving.discard(self)
        self._house.present.add(self)
        self._house.admission.show(len(self._house.present))
        self._pinged_at = time.monotonic()
        self._connection.set_deadline(self._house.settings.hello_timeout, self._give_hello_up)
        try:
            self._admit()
        except ProtocolError as error:
            self._give_up(error)

    def received(self, message: Message) -> None:
        """Take the hello."""
        try:
            hello = self._checks.receive(message)
            assert isinstance(hello, Hello)  # the machine lets nothing else pass first
        except ProtocolError as error:
            self._give_up(error)
            return
        self._connection.set_deadline(None)
        self._connection.hold()
        elsewhere = self._house.elsewhere
        if elsewhere is not None and isinstance(message, str) and elsewhere.owns(hello.stream_id):
            self._connection.surplus -= 1  # the other will have heard it
            # What lies behind the hello is known when this call is over.
            asyncio.get_running_loop().call_soon(self._move, elsewhere, message, hello.stream_id)
        else:
            self._house.spawn(self._run(self._begin(hello)))

    def lost(self) -> None:
        """The connection is over: its client may return on another."""
        self._leave_house()
        if self._is_counted:
            self._house.admission.leave(self._host)
        if self._session is None:
            self._log.debug("closed_before_hello")
            return
        dropped = not (self._is_done or self._connection.was_closed)
        self._house.registry.detach(self._session, self, dropped=dropped)
        self._log.info("disconnected", dropped=dropped, close_code=self._connection.close_code)

    # What the session says and asks.

    def send(self, message: ServerMessage) -> None:
        """Send a message, or drop it if the connection is gone."""
        text = encode(message)
        assert isinstance(text, str)  # a server sends no audio
        self._connection.send(text)

    async def is_alive(self) -> bool:
        """Whether the other end answers a ping in time."""
        return await self._connection.answers(_ALIVE_WITHIN_S)

    async def abort(self) -> None:
        """Drop the connection without waiting for the other end."""
        self._connection.abort()
        await self._connection.wait_lost()

    # What time demands, and the end.

    def look(self, now: float) -> None:
        """End what has said nothing, or nothing new, for too long, or does not read; ask whether it is there."""
        connection, settings = self._connection, self._house.settings
        if connection.stuck_since is not None and now - connection.stuck_since > settings.send_timeout:
            self._counts.slow_readers += 1
            self._log.warning("slow_reader_dropped", within_s=settings.send_timeout)
            connection.abort()
        if connection.is_held or not connection.is_open:  # who waits for us is patient
            self._pinged_at = self._advanced_at = now
            return
        if now - self._pinged_at > settings.client_keepalive:
            self._ask_for_life(now)
        if self._session is not None:
            self._look_at_progress(self._session, now)

    def take_arrivals(self) -> int:
        """How often bytes came since the last call."""
        connection = self._connection
        self._counts.messages += self.uncounted_messages
        arrivals, connection.arrivals, connection.surplus = connection.arrivals, 0, 0
        return arrivals

    @property
    def uncounted_messages(self) -> int:
        """How many messages came since then."""
        return self._connection.arrivals + self._connection.surplus

    async def say_goodbye(self) -> None:
        """Close as going away once the stream is settled, and wait until it is over."""
        if self._session is not None:
            await self._session.settle()
        self._connection.close(CloseCode.GOING_AWAY, "the server shuts down")
        await self._connection.wait_lost()

    @property
    def _counts(self) -> Counts:
        return self._house.registry.counts

    @property
    def _is_counted(self) -> bool:
        return self._visitor is None or self._visitor.counts

    @property
    def _address(self) -> tuple[str, int]:
        return self._connection.address if self._visitor is None else (self._visitor.host, self._visitor.port)

    @property
    def _log(self) -> FilteringBoundLogger:
        """Bound anew for each of the few lines: a logger for each connection would take memory all the time."""
        host, port = self._address
        log = get_logger().bind(address=f"{host}:{port}")
        if self._session is None:
            return log
        hello = self._session.hello
        token = {} if self.holder is None else {"token_name": self.holder}
        return log.bind(stream_id=str(hello.stream_id), client=hello.label, **token)

    def _deny(self, denial: Denial) -> Response:
        host, port = self._address
        self._house.access.report(denial, f"{host}:{port}", time.monotonic())
        response = self._respond(denial.status, denial.text)
        if denial.challenge is not None:
            response.headers["WWW-Authenticate"] = denial.challenge
        return response

    def _respond(self, status: HTTPStatus, text: str) -> Response:
        if 400 <= status < 500:
            self._counts.refused[f"http_{status}"] += 1
        return self._connection.respond(status, f"{text}\n")

    def _tell_health(self) -> Response:
        if self._house.registry.is_closed:
            return self._respond(HTTPStatus.SERVICE_UNAVAILABLE, "stopping")
        return self._respond(HTTPStatus.OK, "ok")

    async def _tell_metrics(self) -> None:
        house = self._house
        try:
            metrics = measure(house) if house.elsewhere is None else await house.elsewhere.measure()
        except TimeoutError:
            response = self._respond(HTTPStatus.SERVICE_UNAVAILABLE, "the server does not add its workers up in time")
        else:
            page = render(families_of(metrics, version("plugandtell")))
            response = self._connection.respond(HTTPStatus.OK, page)
            del response.headers["Content-Type"]
            response.headers["Content-Type"] = CONTENT_TYPE
        self._connection.answer(response)
        self._connection.release()

    def _admit(self) -> None:
        is_agreed = self._visitor is not None and self._visitor.has_begun
        if not is_agreed and self._connection.subprotocol != SUBPROTOCOL:
            message = f"the subprotocol must be {SUBPROTOCOL}, but the client offered {self._offered or 'none'}"
            raise ProtocolError(CloseCode.PROTOCOL_ERROR, "subprotocol_unknown", message)
        self._house.admission.check(self._host, len(self._house.present))

    def _leave_house(self) -> None:
        self._house.arriving.discard(self)
        self.take_arrivals()
        self._house.present.discard(self)
        self._house.admission.show(len(self._house.present))

    def _move(self, elsewhere: Elsewhere, hello: str, stream_id: UUID) -> None:
        """Go on in another process; this one keeps the connection at the most, and knows nothing of the stream."""
        if self._connection.is_lost:
            return
        self._leave_house()
        host, port = self._address
        known = Visitor(host, port, holder=self.holder, has_begun=True)
        if elsewhere.take(self._connection, hello, stream_id, known) and self._visitor is not None:
            self._visitor.counts = False
            self._house.admission.pass_on(host)

    def _give_hello_up(self) -> None:
        message = f"no hello within {self._house.settings.hello_timeout:g} s"
        self._give_up(ProtocolError(CloseCode.TIMED_OUT, "hello_timeout", message))

    async def _begin(self, hello: Hello) -> None:
        house = self._house
        house.admission.check_room(len(house.present))
        session = await house.registry.attach(hello, self)
        self._session = session
        self._advanced_at = time.monotonic()
        if self._connection.is_lost:
            house.registry.detach(session, self, dropped=True)
            return
        self._log.info("connected", program=f"{hello.client.name} {hello.client.version}")
        for message in session.greeting():
            self.send(message)
        self._connection.received = self._take
        self._connection.release()

    def _take(self, raw: Message) -> None:
        """Take a message after the hello: the path of all audio."""
        session = self._session
        assert session is not None
        try:
            if isinstance(raw, bytes):
                replies = session.receive_audio(self._checks.receive_audio(raw), raw)
                if not replies:
                    return
            else:
                message = self._checks.receive(raw)
                assert not isinstance(message, Hello)  # the machine lets one pass only
                replies = session.receive(message)
        except Exception as error:  # noqa: BLE001  (the boundary of a connection)
            self._give_up(error)
            return
        for reply in replies:
            self.send(reply)
        if self._checks.is_over:
            self._wait(self._finish(session))
        elif session.is_behind:
            self._wait(self._catch_up(session))

    def _wait(self, work: Coroutine[Any, Any, None]) -> None:
        """Read on when it is done."""
        self._connection.hold()
        self._house.spawn(self._run(work))

    async def _catch_up(self, session: Session) -> None:
        await session.catch_up()
        self._connection.release()

    async def _finish(self, session: Session) -> None:
        took_all = not session.is_shut_down
        await session.settle_all()
        self._is_done = True
        if took_all:
            self._connection.close(CloseCode.NORMAL, "")
        else:
            await self.say_goodbye()

    async def _run(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception as error:  # noqa: BLE001  (the boundary of a task)
            self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        """Say what was wrong, and close."""
        self._leave()
        match error:
            case ProtocolError():
                close_code = int(error.close_code)
                self._log.warning("refused", code=error.code, close_code=close_code, error=error.message)
                self._refuse(error.close_code, error.code, error.message)
            case WriteFailed():
                self._log.error("write_failed", error=str(error))
                self._refuse(CloseCode.INTERNAL_ERROR, "write_failed", str(error))
            case _:
                self._log.error("connection_failed", exc_info=error)
                self._counts.refused["internal_error"] += 1
                self._connection.close(CloseCode.INTERNAL_ERROR, "internal error")

    def _leave(self) -> None:
        """The client will not go on on this connection: what it has open ends."""
        self._is_done = True
        if self._session is not None:
            self._house.registry.detach(self._session, self, dropped=False)

    def _refuse(self, close_code: int, code: str, message: str) -> None:
        self._counts.refused[code] += 1
        self.send(Error(code, message))
        self._connection.close(close_code, message)

    def _ask_for_life(self, now: float) -> None:
        if not self._connection.is_answering:
            self._counts.dead_connections += 1
            self._log.warning("dead_connection_dropped", within_s=self._house.settings.client_keepalive)
            self._connection.abort()
            return
        self._pinged_at = now
        self._connection.ping()

    def _look_at_progress(self, session: Session, now: float) -> None:
        if self._checks.latest != self._index:
            self._index, self._advanced_at = self._checks.latest, now
        idle_s, stall_s = self._house.settings.idle_timeout, self._house.settings.stall_timeout
        if now - session.heard_at > idle_s:
            self._refuse(CloseCode.TIMED_OUT, "idle", f"nothing was said for {idle_s:g} s")
        elif now - self._advanced_at > stall_s:
            self._refuse(CloseCode.TIMED_OUT, "stalled", f"the stream did not get on for {stall_s:g} s")
