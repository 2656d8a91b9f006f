"""How a connection to the server comes about, and what it means when none does."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from socket import SO_SNDBUF, SOL_SOCKET
from ssl import SSLError
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection as WebSocket
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidHandshake, InvalidProxy, InvalidStatus, ProxyError
from websockets.typing import Subprotocol

from plugandtell.client.credentials import ANONYMOUS, Credentials, tls_failure
from plugandtell.core.errors import NotOurServer, PlugAndTellError, Refused, ServerBusy, ServerUnreachable
from plugandtell.core.network import is_loopback
from plugandtell.core.protocol.messages import PATH, STREAM_HEADER, SUBPROTOCOL
from plugandtell.core.safe_text import foreign

if TYPE_CHECKING:
    from uuid import UUID

    from websockets.http11 import Response

_CONNECT_WITHIN_S = 10.0
_CLOSE_WITHIN_S = 2.0
_LARGEST_ANSWER_BYTES = 65_536
_SEND_BUFFER_BYTES = 128 * 1024
"""What the kernel may hold back for the line (it takes the double). A ping waits behind it: 8 s on a line that is as
slow as speech; behind the megabytes that kernels grow to, so long that a slow line would be taken for a dead one."""
_UNAVAILABLE = (502, 503, 504)  # a proxy says 502 or 504 when it misses the server behind it


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


async def open_line(settings: LineSettings, stream_id: UUID) -> WebSocket:
    """Connect, and be upgraded.

    Raises:
        ServerUnreachable: Nobody answers.
        ServerBusy: The server, or a proxy in front of it, asks to try again later.
        NotOurServer: Something else answers.
        ServerNotTrusted: Its certificate is not that of the server.
        Refused: It does not let us in.
    """
    parts = urlsplit(settings.url)
    url = settings.url if parts.path.strip("/") else parts._replace(path=PATH).geturl()
    credentials = settings.credentials
    try:
        socket = await DirectConnect(
            url,
            subprotocols=[Subprotocol(SUBPROTOCOL)],
            compression=None,
            additional_headers={STREAM_HEADER: str(stream_id), **credentials.headers()},
            ssl=(credentials.tls or True) if parts.scheme == "wss" else None,
            open_timeout=_CONNECT_WITHIN_S,
            # A line dies right after a pong at worst: all three together are at most `keepalive_s`.
            ping_interval=settings.keepalive_s / 2,
            ping_timeout=settings.keepalive_s * 3 / 8,
            close_timeout=min(_CLOSE_WITHIN_S, settings.keepalive_s / 8),
            max_size=_LARGEST_ANSWER_BYTES,
            proxy=None if is_loopback(parts.hostname or "") else True,
        )
    except InvalidStatus as exc:
        raise _refusal(settings, exc.response) from exc
    except (InvalidHandshake, InvalidProxy, OSError, EOFError, UnicodeError) as exc:
        raise _failure(settings, exc) from exc
    socket.transport.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_SNDBUF, _SEND_BUFFER_BYTES)
    return socket


def _failure(settings: LineSettings, exc: Exception) -> PlugAndTellError:
    """What it means that no connection came about, and no answer either."""
    url = settings.url
    scheme = urlsplit(url).scheme
    match exc:
        case InvalidProxy() | ProxyError():
            cause = exc.msg if isinstance(exc, InvalidProxy) else foreign(str(exc))  # the address may hold a password
            return ServerUnreachable(url, f"the proxy that the environment names does not do: {cause}")
        case InvalidHandshake():
            hint = "; perhaps the address begins with wss://" if scheme == "ws" else ""
            return NotOurServer(url, f"{foreign(str(exc))}{hint}")
        case SSLError():
            return tls_failure(url, exc)
        case ConnectionResetError():
            hint = "; perhaps it speaks no TLS" if scheme == "wss" else ""
            return ServerUnreachable(url, f"it broke off the handshake{hint}")
        case TimeoutError():
            return ServerUnreachable(url, f"no answer within {_CONNECT_WITHIN_S:g} s")
        case _:  # of them UnicodeError: a name that the resolver cannot encode
            return ServerUnreachable(url, _cause_of(exc))


def _refusal(settings: LineSettings, response: Response) -> PlugAndTellError:
    """What an answer means that is no upgrade."""
    status = response.status_code
    body = response.body.decode(errors="replace").strip() if response.body else ""
    words = foreign(body) or f"HTTP {status}"
    if status == HTTPStatus.UNAUTHORIZED:
        return Refused(settings.url, status, f"{words}; {settings.credentials.hint}")
    if status == HTTPStatus.FORBIDDEN:
        return Refused(settings.url, status, words)
    if status in _UNAVAILABLE:
        return ServerBusy(settings.url, words)
    return NotOurServer(settings.url, f"it answers HTTP {status}")


def _cause_of(exc: Exception) -> str:
    return getattr(exc, "strerror", None) or str(exc) or type(exc).__name__
