"""The line to the server: connects, sends what the stream has to tell, reads what comes back, and connects again."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from http import HTTPStatus
from socket import SO_SNDBUF, SOL_SOCKET
from ssl import SSLError
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection as WebSocket
from websockets.asyncio.client import connect
from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidMessage,
    InvalidProxy,
    InvalidStatus,
    ProxyError,
)
from websockets.typing import Subprotocol

from plugandtell.client.credentials import ANONYMOUS, Credentials, tls_failure
from plugandtell.client.route import route_returns
from plugandtell.core.errors import (
    AudioNotSaved,
    ConnectionLost,
    NotOurServer,
    PlugAndTellError,
    ProtocolError,
    Refused,
    ServerBusy,
    ServerUnreachable,
    TransientError,
)
from plugandtell.core.network import is_loopback
from plugandtell.core.protocol.codec import decode_server, encode
from plugandtell.core.protocol.messages import (
    PATH,
    STREAM_HEADER,
    SUBPROTOCOL,
    CloseCode,
    Error,
    ServerMessage,
    Welcome,
)
from plugandtell.core.retry import Retry
from plugandtell.core.safe_text import foreign
from plugandtell.logservice import Throttle, get_logger

if TYPE_CHECKING:
    from collections.abc import Callable

    from websockets.http11 import Response

    from plugandtell.core.protocol.client import ClientStream

_CONNECT_WITHIN_S = 10.0
_WELCOME_WITHIN_S = 10.0
_CLOSE_WITHIN_S = 2.0
_FIRST_RETRY_S = 0.25
_SLOWEST_RETRY_S = 5.0
_STILL_EVERY_S = 60.0
_LARGEST_ANSWER_BYTES = 65_536
_SEND_BUFFER_BYTES = 128 * 1024
"""What the kernel may hold back for the line (it takes the double). A ping waits behind it: 8 s on a line that is as
slow as speech; behind the megabytes that kernels grow to, so long that a slow line would be taken for a dead one."""
_UNAVAILABLE = (502, 503, 504)  # a proxy says 502 or 504 when it misses the server behind it
_WORTH_ANOTHER_TRY = (CloseCode.TRY_AGAIN_LATER, CloseCode.STREAM_IN_USE)
_FINAL = (
    CloseCode.PROTOCOL_ERROR,
    CloseCode.UNSUPPORTED_DATA,
    CloseCode.INVALID_DATA,
    CloseCode.POLICY_VIOLATION,
    CloseCode.MESSAGE_TOO_BIG,
    CloseCode.INVALID_AUDIO,
)


@dataclass(frozen=True, slots=True)
class LineSettings:
    """Where the line goes, and when it counts as lost.

    Attributes:
        url: `ws://` or `wss://`; the path of the protocol is added if there is none.
        give_up_after_s: How long to try to reach the server again after the connection was lost; may be infinite.
        keepalive_s: A connection on which nothing comes back for so long is dead.
        credentials: What the client shows the server, and asks of it.
    """

    url: str
    give_up_after_s: float
    keepalive_s: float
    credentials: Credentials = ANONYMOUS


class DirectConnect(connect):
    """Follows no redirect: a server of ours sends none, and a token is for the server that it was given for."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        """Whatever the server answered, it is the outcome."""
        return exc


class Uplink:
    """One stream's line to one server.

    Args:
        settings: Where it goes, and when it counts as lost.
        stream: What is to be told, and what was confirmed.
        on_message: Told of what the server says.
        monotonic: A clock in seconds.
        roll: Gives random numbers from 0 to below 1.
    """

    def __init__(
        self,
        settings: LineSettings,
        stream: ClientStream,
        on_message: Callable[[ServerMessage], None],
        monotonic: Callable[[], float],
        roll: Callable[[], float],
    ) -> None:
        self._settings = settings
        self._url = settings.url
        self._stream = stream
        self._retry = Retry(_FIRST_RETRY_S, _SLOWEST_RETRY_S, settings.give_up_after_s)
        self._on_message = on_message
        self._monotonic = monotonic
        self._roll = roll
        self._socket: WebSocket | None = None
        self._address: tuple[Any, ...] | None = None
        self._news = asyncio.Event()
        self._progress = asyncio.Event()
        self._error: Error | None = None
        self._hurried = asyncio.Event()
        self._throttle = Throttle(_STILL_EVERY_S)
        self._log = get_logger()

    async def connect(self) -> Welcome:
        """Connect, say hello, and wait to be welcomed.

        Raises:
            ServerUnreachable: Nobody answers.
            ServerBusy: The server asks to try again later.
            NotOurServer: Something else answers.
            ServerNotTrusted: Its certificate is not that of the server.
            Refused: The server will not take this stream, or not from us.
        """
        socket = await self._open()
        unconfirmed = self._stream.unacknowledged_samples
        elsewhere_before = self._stream.elsewhere_samples
        try:
            welcome = await self._greet(socket)
            self._stream.receive(welcome)
        except BaseException:
            await socket.close()
            raise
        if self._stream.unacknowledged_samples < unconfirmed:
            self._retry.progress()
        self._socket = socket
        self._address = socket.remote_address
        self._log.info("connected", server=self._url, resume_from=welcome.resume_from)
        if elsewhere := self._stream.elsewhere_samples - elsewhere_before:
            self._log.warning("acknowledged_elsewhere", server=self._url, samples=elsewhere)
        return welcome

    def wake(self) -> None:
        """The stream has something new to tell."""
        self._news.set()

    def hurry(self) -> None:
        """The user wants to go: if the server is not there at the next try, give up."""
        self._hurried.set()

    async def wait_for_progress(self) -> None:
        """Wait until the server has confirmed something, or until `end_waiting`."""
        self._progress.clear()
        await self._progress.wait()

    def end_waiting(self) -> None:
        """Let whoever waits for progress go on."""
        self._progress.set()

    async def run(self) -> None:
        """Keep the line up until everything is told, acknowledged and saved; connects first if need be.

        Raises:
            TransientError: The connection was lost and could not be had again in time.
            AudioNotSaved: The server ended the stream without saving everything.
            NotOurServer: The server said what no server of ours says.
            Refused: The server will not take the rest.
        """
        while not self._stream.is_complete:
            try:
                if self._socket is None:
                    await self._connect_anew()
                else:
                    await self._converse(self._socket)
            except TransientError as error:
                self._note_loss(error)
                await self._connect_again(error)

    def _note_loss(self, error: TransientError) -> None:
        if self._socket is None:
            self._log.info("still_disconnected", error=str(error))
            return
        self._log.warning("connection_lost", error=str(error), unsaved_samples=self._stream.unsaved_samples)
        self._stream.disconnected()
        if self._socket.latency:  # it has answered a ping: the connection has lived
            self._retry.progress()

    async def close(self) -> None:
        """Close the connection, if there is one. Idempotent."""
        if self._socket is not None:
            await self._socket.close()

    async def _open(self) -> WebSocket:
        parts = urlsplit(self._url)
        url = self._url if parts.path.strip("/") else parts._replace(path=PATH).geturl()
        credentials = self._settings.credentials
        try:
            socket = await DirectConnect(
                url,
                subprotocols=[Subprotocol(SUBPROTOCOL)],
                compression=None,
                additional_headers={STREAM_HEADER: str(self._stream.hello.stream_id), **credentials.headers()},
                ssl=(credentials.tls or True) if parts.scheme == "wss" else None,
                open_timeout=_CONNECT_WITHIN_S,
                # A line dies right after a pong at worst: all three together are at most `keepalive_s`.
                ping_interval=self._settings.keepalive_s / 2,
                ping_timeout=self._settings.keepalive_s * 3 / 8,
                close_timeout=min(_CLOSE_WITHIN_S, self._settings.keepalive_s / 8),
                max_size=_LARGEST_ANSWER_BYTES,
                proxy=None if is_loopback(parts.hostname or "") else True,
            )
        except InvalidStatus as exc:
            raise self._refusal(exc.response) from exc
        except (InvalidProxy, ProxyError) as exc:
            cause = exc.msg if isinstance(exc, InvalidProxy) else foreign(str(exc))  # the address may hold a password
            raise ServerUnreachable(self._url, f"the proxy that the environment names does not do: {cause}") from exc
        except (InvalidHandshake, InvalidMessage) as exc:
            hint = "; perhaps the address begins with wss://" if parts.scheme == "ws" else ""
            raise NotOurServer(self._url, f"{foreign(str(exc))}{hint}") from exc
        except SSLError as exc:
            raise tls_failure(self._url, exc) from exc
        except ConnectionResetError as exc:
            broken_off = "it broke off the handshake"
            cause = f"{broken_off}; perhaps it speaks no TLS" if parts.scheme == "wss" else broken_off
            raise ServerUnreachable(self._url, cause) from exc
        except TimeoutError as exc:
            raise ServerUnreachable(self._url, f"no answer within {_CONNECT_WITHIN_S:g} s") from exc
        except (OSError, EOFError, UnicodeError) as exc:  # UnicodeError: a name that the resolver cannot encode
            raise ServerUnreachable(self._url, _cause_of(exc)) from exc
        socket.transport.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_SNDBUF, _SEND_BUFFER_BYTES)
        return socket

    def _refusal(self, response: Response) -> PlugAndTellError:
        """What an answer means that is no upgrade."""
        status = response.status_code
        body = response.body.decode(errors="replace").strip() if response.body else ""
        words = foreign(body) or f"HTTP {status}"
        if status == HTTPStatus.UNAUTHORIZED:
            return Refused(self._url, status, f"{words}; {self._settings.credentials.hint}")
        if status == HTTPStatus.FORBIDDEN:
            return Refused(self._url, status, words)
        if status in _UNAVAILABLE:
            return ServerBusy(self._url, words)
        return NotOurServer(self._url, f"it answers HTTP {status}")

    async def _greet(self, socket: WebSocket) -> Welcome:
        try:
            async with asyncio.timeout(_WELCOME_WITHIN_S):
                if socket.subprotocol == SUBPROTOCOL:
                    await socket.send(encode(self._stream.greeting))
                message = decode_server(await socket.recv())
                if isinstance(message, Error):
                    self._error = message
                    await socket.wait_closed()
                    self._judge(socket)
        except TimeoutError as exc:
            raise NotOurServer(self._url, f"no welcome within {_WELCOME_WITHIN_S:g} s") from exc
        except ProtocolError as exc:
            raise NotOurServer(self._url, str(exc)) from exc
        except ConnectionClosed:
            self._judge(socket)
        if not isinstance(message, Welcome):
            raise NotOurServer(self._url, f"it said {type(message).__name__} before Welcome")
        return message

    async def _converse(self, socket: WebSocket) -> None:
        """Send and receive until the connection is over; returns if that is because all is done."""
        self._error = None
        receiving, sending = asyncio.create_task(self._receive(socket)), asyncio.create_task(self._send_news(socket))
        try:
            await asyncio.wait({receiving, sending}, return_when=asyncio.FIRST_COMPLETED)
            if sending.done():
                sending.result()
            await receiving
        finally:
            for task in (receiving, sending):
                task.cancel()
            await asyncio.gather(receiving, sending, return_exceptions=True)

    async def _receive(self, socket: WebSocket) -> None:
        try:
            while True:
                self._take(decode_server(await socket.recv()))
        except ProtocolError as exc:
            await socket.close(exc.close_code)
            raise NotOurServer(self._url, str(exc)) from exc
        except ConnectionClosed:
            if not self._stream.is_complete:
                self._judge(socket)

    async def _send_news(self, socket: WebSocket) -> None:
        try:
            while True:
                self._news.clear()
                while (message := self._stream.next_message()) is not None:
                    await socket.send(encode(message))
                    await asyncio.sleep(0)  # a line that is faster than we are must not keep capture waiting
                await self._news.wait()
        except ConnectionClosed:
            return  # whoever receives learns it too, and with the reason

    def _take(self, message: ServerMessage) -> None:
        unconfirmed = self._stream.unacknowledged_samples
        self._stream.receive(message)
        if self._stream.unacknowledged_samples < unconfirmed:
            self._retry.progress()
        self._progress.set()
        if isinstance(message, Error):
            self._error = message
        self._on_message(message)

    async def _connect_anew(self) -> None:
        """Connect to a server that is known: what stands in its place for a while does not make it another.

        Raises:
            TransientError: Not now.
            Refused: The server will not take this stream.
        """
        try:
            await self.connect()
        except NotOurServer as error:
            raise ConnectionLost(self._url, error.found) from error

    async def _connect_again(self, error: TransientError) -> None:
        """Try until the server is back.

        Raises:
            TransientError: The last of the reasons, once we are hurried or have tried for too long.
        """
        while True:
            pause_s = self._retry.next_pause_s(self._monotonic(), self._roll())
            if pause_s is None or (self._hurried.is_set() and self._retry.tries > 1):
                raise error
            await self._pause(pause_s)
            try:
                await self._connect_anew()
            except TransientError as exc:
                if self._throttle.is_due("still_disconnected", self._monotonic()):
                    self._log.info("still_disconnected", error=str(exc))
                error = exc
            else:
                return

    async def _pause(self, pause_s: float) -> None:
        """Wait before the next try: only a moment if we are hurried meanwhile, or if the network returns."""
        moment_s = min(pause_s, _FIRST_RETRY_S)
        await asyncio.sleep(moment_s)
        reasons: list[asyncio.Task[Any]] = [asyncio.create_task(self._hurried.wait())]
        if self._address is not None:
            reasons.append(asyncio.create_task(route_returns(self._address)))
        await asyncio.wait(reasons, timeout=pause_s - moment_s, return_when=asyncio.FIRST_COMPLETED)
        for reason in reasons:
            reason.cancel()
        await asyncio.gather(*reasons, return_exceptions=True)

    def _judge(self, socket: WebSocket) -> NoReturn:
        """Raise what the end of a connection means."""
        close_code = socket.close_code
        message = foreign(self._error.message if self._error else socket.close_reason or f"close code {close_code}")
        if close_code == CloseCode.NORMAL and self._stream.is_told:
            raise AudioNotSaved(self._stream.unsaved_samples, "the server ended the stream without saving it")
        if close_code in _WORTH_ANOTHER_TRY:
            raise ServerBusy(self._url, message)
        if close_code in _FINAL:
            raise Refused(self._url, close_code or 0, message)
        raise ConnectionLost(self._url, message)


def _cause_of(exc: Exception) -> str:
    return getattr(exc, "strerror", None) or str(exc) or type(exc).__name__
