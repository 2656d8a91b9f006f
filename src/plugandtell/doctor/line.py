"""Whether client and server find one another: the server's port and certificate, and the server that a client asks."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import time
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from plugandtell.client.connecting import LineSettings, open_line
from plugandtell.client.credentials import ANONYMOUS, load_credentials, tls_failure
from plugandtell.client.settings import check_url
from plugandtell.core.errors import (
    CredentialsUnusable,
    NotOurServer,
    PlugAndTellError,
    Refused,
    ServerBusy,
    ServerNotTrusted,
    ServerUnreachable,
)
from plugandtell.core.exit_status import ExitStatus
from plugandtell.core.network import is_loopback, reachable_host
from plugandtell.core.protocol.messages import SUBPROTOCOL
from plugandtell.doctor.finding import Finding, broken, failed, ok, warning
from plugandtell.server.access import Access

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from plugandtell.client.credentials import Credentials
    from plugandtell.client.settings import ClientSettings
    from plugandtell.server.settings import ServerSettings

_KEEPALIVE_S: Final = 10.0
_DAY_S: Final = 86_400
_SOON_DAYS: Final = 14
_AWAY_REMEDY: Final = "start it there, and check the address and the firewalls on the way"
_REFUSED_REMEDY: Final = "see --token-file, and what the server was told with --tokens-file"
_VERSION_REMEDY: Final = "install the same version of PlugAndTell at both ends"


def check_port(settings: ServerSettings) -> Iterator[Finding]:
    """Whether a server could listen where it is set to, or does already."""
    host, port, name = settings.host, settings.port, "port"
    try:
        _bind(host, port)
    except (OSError, OverflowError, UnicodeError) as exc:
        cause = (getattr(exc, "strerror", None) or str(exc)).lower()
    else:
        yield ok(name, f"{port} on {host} is free" if port else "any free port will do")
        return
    url = address_of(settings)
    try:
        asyncio.run(_ask(url, ANONYMOUS))
    except (Refused, ServerBusy):
        yield ok(name, f"{port} on {host} is in use, by a server that lets in who has a token, or is busy")
    except ServerNotTrusted:
        yield warning(name, f"{port} on {host} is in use, by a server with another certificate", _port_remedy(port))
    except PlugAndTellError:
        said = f"a server cannot listen at port {port} on {host} ({cause})"
        yield broken(name, ExitStatus.CANNOT_LISTEN, said, _port_remedy(port))
    else:
        yield ok(name, f"{port} on {host} is in use, by a PlugAndTell server")


def check_access(settings: ServerSettings, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Whether a server could start with these tokens and this certificate, and how long it will do."""
    name, is_here = "tls", is_loopback(settings.host)
    try:
        access = Access(settings, environ)
    except CredentialsUnusable as error:
        yield failed(name, error, f"mend it, or name another file with {error.flag}")
        return
    if not (is_here or access.token_names or settings.allow_anonymous):
        said = f"a server for other machines ({settings.host}) needs tokens for its clients"
        yield broken("tokens", ExitStatus.USAGE, said, "name a file of them with --tokens-file, or --allow-anonymous")
    if settings.tls_cert is not None and access.certificate is not None:
        yield _own_certificate(settings.tls_cert, access.certificate)
    elif is_here:
        yield ok(name, "none, and none needed: the server listens to this machine alone")
    else:
        remedy = "encrypt with --tls-cert and --tls-key, or put a proxy in front that does"
        yield warning(name, "other machines send their audio in clear", remedy)


def check_server(
    url: str, settings: ClientSettings, environ: Mapping[str, str], *, is_asked: bool
) -> Iterator[Finding]:
    """Whether a client would be let in, by a server of our version.

    Args:
        url: Its address.
        settings: What the client shows, and trusts.
        environ: Where its token may be.
        is_asked: Whether the user named the address; else it is no fault that nobody is there.
    """
    name = "server"
    try:
        credentials = load_credentials(settings, check_url(url), environ)
        version, certificate = asyncio.run(_ask(url, credentials))
    except PlugAndTellError as error:
        yield _no_line(error, url, is_asked=is_asked)
    else:
        if version == SUBPROTOCOL:
            yield ok(name, f"{url} lets us in, and speaks {SUBPROTOCOL} as we do")
        else:
            said = f"{url} does not speak {SUBPROTOCOL}, but {version or 'another version'}"
            yield broken(name, ExitStatus.NO_SERVER, said, _VERSION_REMEDY)
        if certificate is not None:
            yield lasting("server's certificate", certificate, time.time())


def _no_line(error: PlugAndTellError, url: str, *, is_asked: bool) -> Finding:
    """What it means that no server lets us in."""
    match error:
        case ServerUnreachable() if not is_asked:
            remedy = "`plugandtell run` or `plugandtell server` starts one; --server asks another"
            return warning("server", f"none runs at {url}", remedy)
        case ServerUnreachable():
            return broken("server", ExitStatus.NO_SERVER, f"none answers at {url} ({error.cause})", _AWAY_REMEDY)
        case ServerBusy():
            return warning("server", str(error), "try again in a while; the client does so by itself")
        case ServerNotTrusted():
            return broken("server", ExitStatus.NO_SERVER, f"{url} cannot be trusted: {error.cause}", error.remedy)
        case NotOurServer():
            said = f"{url} is no PlugAndTell server: {error.found}"
            return broken("server", ExitStatus.NO_SERVER, said, "check --server, or stop what answers there")
        case _:
            return failed("server", error, _REFUSED_REMEDY if isinstance(error, Refused) else "mend what it names")


def lasting(name: str, certificate: Mapping[str, Any], now_s: float) -> Finding:
    """How long a certificate that is valid now will be.

    Args:
        name: Of the finding.
        certificate: As `ssl.SSLSocket.getpeercert` gives it.
        now_s: The time, since 1970.
    """
    days = int((ssl.cert_time_to_seconds(certificate["notAfter"]) - now_s) // _DAY_S)
    said = f"valid for {days} more days"
    return ok(name, said) if days >= _SOON_DAYS else warning(name, said, "renew it; the server reads it anew by itself")


def address_of(settings: ServerSettings) -> str:
    """Where this machine finds a server with these settings."""
    host = reachable_host(settings.host)
    shown = f"[{host}]" if ":" in host else host
    return f"{'wss' if settings.tls_cert else 'ws'}://{shown}:{settings.port}"


def _own_certificate(file: Path, context: ssl.SSLContext) -> Finding:
    try:
        return lasting("tls", _shaken(file, context), time.time())
    except ssl.SSLError as exc:
        error = tls_failure(str(file), exc)
        cause = error.cause if isinstance(error, ServerNotTrusted) else str(exc)
        return broken("tls", ExitStatus.USAGE, f"{file}: {cause}", "have another one made, and check this clock")


def _shaken(file: Path, context: ssl.SSLContext) -> dict[str, Any]:
    """What is in a certificate, after a handshake in memory with a client that trusts just this one.

    Raises:
        ssl.SSLError: It is not valid now.
    """
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname = False
    trusting.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    trusting.load_verify_locations(file)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = trusting.wrap_bio(to_client, to_server)
    server = context.wrap_bio(to_server, to_client, server_side=True)
    waiting = [client, server]
    while waiting:
        end = waiting.pop(0)
        try:
            end.do_handshake()
        except ssl.SSLWantReadError:
            waiting.append(end)
    return dict(client.getpeercert() or {})


async def _ask(url: str, credentials: Credentials) -> tuple[str | None, Mapping[str, Any] | None]:
    """Connect, and go away again: what the server speaks, and its certificate."""
    line = await open_line(LineSettings(url, 0.0, _KEEPALIVE_S, credentials), uuid4())
    certificate = line.transport.get_extra_info("peercert")
    await line.close()
    return line.subprotocol, certificate or None


def _bind(host: str, port: int) -> None:
    """Bind to all addresses of a host, as the server does, and let go.

    Raises:
        OSError: One is taken, or is not this machine's.
    """
    for family, kind, protocol, _, address in socket.getaddrinfo(
        host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    ):
        with socket.socket(family, kind, protocol) as probe:
            if os.name == "posix":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            probe.bind(address)
            probe.listen(1)


def _port_remedy(port: int) -> str:
    return f"stop what uses it (`lsof -i :{port}` tells), or choose another with --port and --host"
