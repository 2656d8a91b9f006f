"""What the client shows a server, and what it asks of it: a token, and a certificate to trust."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from plugandtell.command import TOKEN_VARIABLE
from plugandtell.core.errors import (
    CredentialsUnusable,
    InvalidSetting,
    NotOurServer,
    PlugAndTellError,
    ServerNotTrusted,
)
from plugandtell.core.network import is_loopback
from plugandtell.core.safe_text import foreign
from plugandtell.core.tokens import MalformedTokens, parse_token
from plugandtell.secret_file import read_public, read_secret

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from plugandtell.client.settings import ClientSettings
    from plugandtell.core.secret import Secret

_TOKEN_FLAG, _CA_FLAG = "--token-file", "--ca"
_NO_TLS = (
    "WRONG_VERSION_NUMBER",
    "RECORD_LAYER_FAILURE",
    "HTTP_REQUEST",
    "UNKNOWN_PROTOCOL",
    "UNEXPECTED_EOF_WHILE_READING",
)
_NOT_YET_VALID, _EXPIRED = 9, 10  # OpenSSL, x509_vfy.h, as are the next
_OTHER_NAME = (62, 64)


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the client shows, and what it trusts.

    Attributes:
        token: Goes into the `Authorization` header; None sends none.
        tls: How the certificate of a `wss://` server is verified; None is the system's way. Nothing switches it off.
    """

    token: Secret | None = None
    tls: ssl.SSLContext | None = None

    def headers(self) -> dict[str, str]:
        """The headers of the request."""
        return {} if self.token is None else {"Authorization": f"Bearer {self.token.reveal()}"}

    @property
    def hint(self) -> str:
        """What a user may do whose client the server does not let in."""
        if self.token is None:
            return f"no token was sent: give one with {_TOKEN_FLAG} or {TOKEN_VARIABLE}"
        return f"check the token in {_TOKEN_FLAG} or {TOKEN_VARIABLE}"


ANONYMOUS = Credentials()


def load_credentials(settings: ClientSettings, url: str, environ: Mapping[str, str]) -> Credentials:
    """What the settings and the environment say. A file comes before the environment, as a flag does.

    Raises:
        CredentialsUnusable: The token or the certificates to trust cannot be used.
        InvalidSetting: The token would go over the network in clear.
    """
    token = _read_token(settings.token_file, environ)
    parts = urlsplit(url)
    is_exposed = parts.scheme == "ws" and not is_loopback(parts.hostname or "")
    if token is not None and is_exposed and not settings.allow_plain_token:
        expected = (
            "a wss:// address when a token is sent to another machine: over ws:// anybody on the way could read it "
            "and use it (--allow-plain-token sends it all the same)"
        )
        raise InvalidSetting("--server", url, expected)
    return Credentials(token, client_context(settings.ca) if settings.ca or parts.scheme == "wss" else None)


def client_context(ca: Path | None) -> ssl.SSLContext:
    """TLS 1.2 or newer that trusts these certificates; None trusts the system's.

    Raises:
        CredentialsUnusable: The file cannot be read, or holds no certificate.
    """
    if ca is not None and "-----BEGIN" not in read_public(_CA_FLAG, ca):
        raise CredentialsUnusable(_CA_FLAG, str(ca), "it holds no certificate in PEM form")
    try:
        context = ssl.create_default_context(cafile=ca)
    except (ssl.SSLError, OSError) as exc:
        raise CredentialsUnusable(_CA_FLAG, str(ca), f"it holds no usable certificate ({exc})") from exc
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def tls_failure(url: str, exc: ssl.SSLError) -> PlugAndTellError:
    """What a failed TLS handshake means, in words that help."""
    if isinstance(exc, ssl.SSLCertVerificationError):
        return ServerNotTrusted(url, *_distrust(exc))
    if exc.reason in _NO_TLS:
        return NotOurServer(url, "it speaks no TLS, or none that we do; perhaps the address begins with ws://")
    return NotOurServer(url, f"the TLS handshake failed: {foreign(exc.reason or str(exc))}")


def _distrust(exc: ssl.SSLCertVerificationError) -> tuple[str, str]:
    """What is wrong with a certificate, and what to do about it."""
    words = foreign(exc.verify_message)
    if exc.verify_code == _EXPIRED:
        return "its certificate has expired", "whoever runs the server must renew it, or this machine's clock is wrong"
    if exc.verify_code == _NOT_YET_VALID:
        return "its certificate is not valid yet", "check the clocks of both machines"
    if exc.verify_code in _OTHER_NAME:
        remedy = "use the name that is in the certificate with --server, or have one made for this name"
        return f"its certificate is for another name ({words})", remedy
    remedy = "name the certificate of the one that did with --ca"
    return f"nobody who is trusted here has signed its certificate ({words})", remedy


def _read_token(file: Path | None, environ: Mapping[str, str]) -> Secret | None:
    if file is not None:
        flag, source, text = _TOKEN_FLAG, str(file), read_secret(_TOKEN_FLAG, file)
    elif text := environ.get(TOKEN_VARIABLE, ""):
        flag, source = "the environment", TOKEN_VARIABLE
    else:
        return None
    try:
        return parse_token(text)
    except MalformedTokens as exc:
        raise CredentialsUnusable(flag, source, str(exc)) from exc
