"""The listening socket: a connection and a conversation for each client that comes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from websockets.protocol import State
from websockets.server import ServerProtocol

from plugandtell.core.errors import CannotListen
from plugandtell.core.protocol.messages import SUBPROTOCOL
from plugandtell.server.connection import Connection
from plugandtell.server.conversation import Conversation, Elsewhere, House, Visitor
from plugandtell.server.gathering import Gathering
from plugandtell.server.measuring import measure

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator, Sequence

    from websockets.typing import Subprotocol

    from plugandtell.core.metrics import Metrics
    from plugandtell.server.access import Access
    from plugandtell.server.admission import Admission
    from plugandtell.server.registry import Registry
    from plugandtell.server.settings import ServerSettings

_CLOSE_WITHIN_S = 5.0
_ACCEPTED_AT_ONCE = 32  # asyncio takes so many before the first of them can be dropped


class Listener:
    """Accepts connections, and begins a conversation on each.

    Args:
        settings: Address and limits.
        access: Knows who may come in.
        registry: Knows the streams.
        admission: Knows how many may come in.
        elsewhere: Where the streams are that are not this process's, if there are such.
    """

    def __init__(
        self,
        settings: ServerSettings,
        access: Access,
        registry: Registry,
        admission: Admission,
        elsewhere: Elsewhere | None = None,
    ) -> None:
        self._settings = settings
        self._access = access
        self._house = House(settings, access, registry, admission, elsewhere=elsewhere)
        self._gathering = Gathering(settings.gather_ms / 1000)
        self._server: asyncio.Server | None = None

    async def open(self) -> str:
        """Start to listen; returns the URL.

        Raises:
            CannotListen: The port is in use, or the address is not this machine's.
            InvalidSetting: The address would let in other machines, and nobody said that they may.
        """
        host, port = self._settings.host, self._settings.port
        try:
            self._server = await asyncio.get_running_loop().create_server(
                self._connection, host, port, backlog=_ACCEPTED_AT_ONCE, start_serving=False, **self._tls
            )
            await self._start_serving(self._server)
        except (OSError, OverflowError, UnicodeError) as exc:  # UnicodeError: no name that could be resolved
            raise CannotListen(host, port, getattr(exc, "strerror", None) or str(exc)) from exc
        return url_of(self._settings, self._server.sockets[0].getsockname()[1])

    async def adopt(self, sock: socket.socket, visitor: Visitor) -> None:
        """Take a connection that another process accepted, and perhaps began.

        Args:
            sock: The connection, or the other end of one that carries what is said on it.
            visitor: What is known of it.

        Raises:
            OSError: It is gone, or did not get through the TLS handshake.
        """
        loop = asyncio.get_running_loop()
        tls = {} if visitor.has_begun else self._tls
        await loop.connect_accepted_socket(lambda: self._connection(visitor), sock, **tls)

    def refuse_new(self) -> None:
        """Take no more connections."""
        self._gathering.stop()
        if self._server is not None:
            self._server.close()

    async def close(self) -> None:
        """Close every connection as going away once its stream is settled, and wait until all is over.

        Until then, who is connected may ask whether the server stops. Who has not asked for an upgrade is dropped at
        the end: there are no words for that before the handshake.
        """
        self.refuse_new()
        await asyncio.gather(*(conversation.say_goodbye() for conversation in self._house.present))
        await self.abort()

    async def abort(self) -> None:
        """Drop the connections that are left."""
        left = [*self._house.present, *self._house.arriving]
        await asyncio.gather(*(conversation.abort() for conversation in left))

    def sweep(self, now: float) -> Iterator[None]:
        """Do what time demands of all conversations, one at each step."""
        arrivals = 0
        for conversation in list(self._house.present):
            yield
            conversation.look(now)
            arrivals += conversation.take_arrivals()
        self._gathering.look(now, arrivals)

    def measure(self) -> Metrics:
        """The numbers of this process."""
        return measure(self._house)

    @property
    def _tls(self) -> dict[str, Any]:
        if self._access.tls is None:
            return {}
        return {"ssl": self._access.tls, "ssl_handshake_timeout": self._settings.hello_timeout}

    def _connection(self, visitor: Visitor | None = None) -> Connection:
        max_bytes = self._settings.max_message_bytes
        state = State.OPEN if visitor is not None and visitor.has_begun else State.CONNECTING
        protocol = ServerProtocol(max_size=max_bytes, select_subprotocol=_select_subprotocol, state=state)
        return Connection(protocol, Conversation(self._house, visitor), max_bytes, _CLOSE_WITHIN_S)

    async def _start_serving(self, server: asyncio.Server) -> None:
        """Listen, once it is known which addresses the host's name stands for, and that they may be listened at."""
        try:
            self._access.check_exposure(bound.getsockname()[0] for bound in server.sockets)
            await server.start_serving()
        except BaseException:
            server.close()
            raise


def url_of(settings: ServerSettings, port: int) -> str:
    """Where clients find a server that is bound to the port."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host or "0.0.0.0"  # noqa: S104
    return f"{'ws' if settings.tls_cert is None else 'wss'}://{host}:{port}"


def _select_subprotocol(_: ServerProtocol, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    """Accept the upgrade in any case: a client of another version is told so in the protocol's own words."""
    return next((name for name in offered if name == SUBPROTOCOL), None)
