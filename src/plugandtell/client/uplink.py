"""The line to the server: connects, sends what the stream has to tell, reads what comes back, and connects again."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, NoReturn

from websockets.exceptions import (
    ConnectionClosed,
)

from plugandtell.client.connecting import LineSettings, open_line
from plugandtell.client.route import route_returns
from plugandtell.core.audio import SPEECH
from plugandtell.core.errors import (
    AudioNotSaved,
    ConnectionLost,
    NotOurServer,
    ProtocolError,
    Refused,
    ServerBusy,
    TransientError,
)
from plugandtell.core.protocol.codec import decode_server, encode
from plugandtell.core.protocol.messages import (
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

    from websockets.asyncio.client import ClientConnection as WebSocket

    from plugandtell.core.protocol.client import ClientStream

_WELCOME_WITHIN_S = 10.0
_FIRST_RETRY_S = 0.25
_SLOWEST_RETRY_S = 5.0
_STILL_EVERY_S = 60.0
_WORTH_ANOTHER_TRY = (CloseCode.TRY_AGAIN_LATER, CloseCode.STREAM_IN_USE)
_FINAL = (
    CloseCode.PROTOCOL_ERROR,
    CloseCode.UNSUPPORTED_DATA,
    CloseCode.INVALID_DATA,
    CloseCode.POLICY_VIOLATION,
    CloseCode.MESSAGE_TOO_BIG,
    CloseCode.INVALID_AUDIO,
)


class Uplink:
    """One stream's line to one server.

    Args:
        settings: Where it goes, and when it counts as lost.
        stream: What is to be told, and what was confirmed.
        on_message: Told of what the server says.
        monotonic: A clock in seconds.
        roll: Gives random numbers from 0 to below 1.

    Attributes:
        is_up: Whether the server is there, as far as anybody knows.
    """

    def __init__(
        self,
        settings: LineSettings,
        stream: ClientStream,
        on_message: Callable[[ServerMessage], None],
        monotonic: Callable[[], float],
        roll: Callable[[], float],
    ) -> None:
        self.is_up = False
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
        socket = await open_line(self._settings, self._stream.hello.stream_id)
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
        self.is_up = True
        self._address = socket.remote_address
        self._log.info("connected", server=self._url, resume_from=welcome.resume_from)
        if elsewhere := self._stream.elsewhere_samples - elsewhere_before:
            self._log.warning("acknowledged_elsewhere", server=self._url, seconds=SPEECH.seconds_from(elsewhere))
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
        self.is_up = False
        if self._socket is None:
            self._log.info("still_disconnected", error=str(error))
            return
        unsaved_s = SPEECH.seconds_from(self._stream.unsaved_samples)
        self._log.warning("connection_lost", error=str(error), unsaved_s=unsaved_s)
        self._stream.disconnected()
        if self._socket.latency:  # it has answered a ping: the connection has lived
            self._retry.progress()

    async def close(self) -> None:
        """Close the connection, if there is one. Idempotent."""
        if self._socket is not None:
            await self._socket.close()

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
