"""Who may come in: tokens, browsers, and whether the line is encrypted. All of it is judged before the upgrade."""

from __future__ import annotations

import ssl
import stat
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol

from plugandtell.command import TOKENS_VARIABLE
from plugandtell.core.errors import CredentialsUnusable, InvalidSetting
from plugandtell.core.json_object import shown
from plugandtell.core.network import is_loopback
from plugandtell.core.tokens import MalformedTokens, Tokens, parse_tokens, presented_token
from plugandtell.logservice import Throttle, get_logger
from plugandtell.secret_file import read_public, read_secret

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from plugandtell.server.settings import ServerSettings

_TOKENS_FLAG, _CERT_FLAG, _KEY_FLAG = "--tokens-file", "--tls-cert", "--tls-key"
_REREAD_EVERY_S = 2.0
_CHALLENGE = 'Bearer realm="plugandtell"'  # RFC 6750, section 3


class RequestHeaders(Protocol):
    """The headers of a request; a name may come several times."""

    def get_all(self, key: str, /) -> list[str]:
        """Every value of a header."""


@dataclass(frozen=True, slots=True)
class Denial:
    """Why a request is turned away before the upgrade. `reason` is for the log, `text` for the client."""

    status: HTTPStatus
    reason: str
    text: str
    challenge: str | None = None


@dataclass(frozen=True, slots=True)
class Guest:
    """Who may come in: the holder of a token, or somebody of whom none is asked."""

    holder: str | None


class Access:
    """What the server asks of a client; its files are read anew when they change.

    Args:
        settings: Which files, origins and exceptions.
        environ: Where `PLUGANDTELL_TOKENS` may be.

    Raises:
        CredentialsUnusable: A file or the variable holds no usable tokens, certificate or key.
    """

    def __init__(self, settings: ServerSettings, environ: Mapping[str, str]) -> None:
        self._settings = settings
        self._from_environment = environ.get(TOKENS_VARIABLE, "")
        self._origins = frozenset(settings.allow_origin)
        self._files_read = self._files_seen = self._signature()
        self._looked_at = 0.0
        self._throttle = Throttle()
        self._unlogged = 0
        self._tokens = self._read_tokens()
        self._current = self._read_certificate()
        self.tls = _switching(self) if self._current else None

    @property
    def token_names(self) -> list[str]:
        """The holders of tokens; empty if everybody may come in."""
        return self._tokens.names

    @property
    def certificate(self) -> ssl.SSLContext | None:
        """The certificate for the next connection."""
        return self._current

    def check_exposure(self, addresses: Iterable[str]) -> None:
        """Whether the server may listen at these addresses; warns if that is unwise.

        Raises:
            InvalidSetting: Another machine could stream without a token.
        """
        if all(map(is_loopback, addresses)):
            return
        host = self._settings.host
        if not self._tokens and not self._settings.allow_anonymous:
            expected = (
                "an address of this machine alone, such as 127.0.0.1, as long as clients need no token: "
                f"name a file of tokens with {_TOKENS_FLAG}, or let everybody in with --allow-anonymous"
            )
            raise InvalidSetting("--host", host, expected)
        if not self._tokens:
            get_logger().warning("open_to_everybody", host=host, remedy=f"give clients tokens with {_TOKENS_FLAG}")
        if self.tls is None:
            travels = "audio and tokens travel" if self._tokens else "audio travels"
            remedy = f"encrypt with {_CERT_FLAG} and {_KEY_FLAG}, or put a proxy in front that does"
            get_logger().warning("not_encrypted", host=host, consequence=f"{travels} in clear", remedy=remedy)

    def judge(self, headers: RequestHeaders) -> Guest | Denial:
        """Who sends the request, or why it is turned away."""
        return self._deny_origin(headers.get_all("Origin")) or self._judge_token(headers.get_all("Authorization"))

    def report(self, denial: Denial, address: str, now: float) -> None:
        """Log who was turned away, at most once a second: `unlogged` counts those in between."""
        if self._throttle.is_due("access_denied", now):
            get_logger().warning("access_denied", reason=denial.reason, address=address, unlogged=self._unlogged)
            self._unlogged = 0
        else:
            self._unlogged += 1

    def refresh(self, now: float) -> None:
        """Read the files again if they changed: certificates are renewed and tokens withdrawn without a restart.

        A change counts when two looks in a row find the same, so that no file is read while it is being written. What
        cannot be used is logged, and what was read before holds on.
        """
        if now - self._looked_at < _REREAD_EVERY_S:
            return
        self._looked_at = now
        before, self._files_seen = self._files_seen, self._signature()
        if self._files_seen != before or self._files_seen == self._files_read:
            return
        self._files_read = self._files_seen
        errors: list[CredentialsUnusable] = []
        try:
            self._tokens = self._read_tokens()
        except CredentialsUnusable as error:
            errors.append(error)
        try:  # on its own: a certificate that is broken must not keep a token from being withdrawn
            self._current = self._read_certificate()
        except CredentialsUnusable as error:
            errors.append(error)
        for unusable in errors:
            get_logger().error("credentials_not_reread", error=str(unusable))
        if not errors:
            get_logger().info("credentials_reread", token_names=self._tokens.names)

    def _deny_origin(self, origins: list[str]) -> Denial | None:
        foreign = next((origin for origin in origins if origin not in self._origins), None)
        if foreign is None:
            return None
        text = "a page of this origin may not stream here: the server does not name it with --allow-origin"
        return Denial(HTTPStatus.FORBIDDEN, f"origin {shown(foreign)}", text)

    def _judge_token(self, presented: list[str]) -> Guest | Denial:
        token = presented_token(presented[0]) if len(presented) == 1 else None
        holder = self._tokens.holder_of(token) if token is not None else None
        if holder is not None or not self._tokens:
            return Guest(holder)
        if not any(value.strip() for value in presented):
            return Denial(HTTPStatus.UNAUTHORIZED, "no token", "a token is needed", _CHALLENGE)
        text = "the token is not known here"
        return Denial(HTTPStatus.UNAUTHORIZED, "unknown token", text, f'{_CHALLENGE}, error="invalid_token"')

    def _read_tokens(self) -> Tokens:
        path = self._settings.tokens_file
        tokens = Tokens()
        if self._from_environment:
            tokens = _parsed("the environment", TOKENS_VARIABLE, self._from_environment)
        if path is not None:
            try:
                tokens = tokens.joined(_parsed(_TOKENS_FLAG, str(path), read_secret(_TOKENS_FLAG, path)))
            except MalformedTokens as exc:
                raise CredentialsUnusable(_TOKENS_FLAG, str(path), f"with {TOKENS_VARIABLE}: {exc}") from exc
        return tokens

    def _read_certificate(self) -> ssl.SSLContext | None:
        cert, key = self._settings.tls_cert, self._settings.tls_key
        return None if cert is None or key is None else server_context(cert, key)

    def _signature(self) -> list[tuple[int, ...] | None]:
        """What changes when one of the files does."""
        files = (self._settings.tokens_file, self._settings.tls_cert, self._settings.tls_key)
        return [_status_of(path) for path in files if path is not None]


def server_context(cert: Path, key: Path) -> ssl.SSLContext:
    """TLS 1.2 or newer with this certificate, and Python's own choice of everything else.

    Raises:
        CredentialsUnusable: A file cannot be read or used, or they do not belong together.
    """
    if "-----BEGIN CERTIFICATE-----" not in read_public(_CERT_FLAG, cert):
        raise CredentialsUnusable(_CERT_FLAG, str(cert), "it holds no certificate in PEM form")
    if "PRIVATE KEY-----" not in read_secret(_KEY_FLAG, key):
        raise CredentialsUnusable(_KEY_FLAG, str(key), "it holds no private key in PEM form")
    context = _bare_context()
    is_encrypted = False

    def passphrase() -> str:
        nonlocal is_encrypted
        is_encrypted = True
        return ""

    try:
        context.load_cert_chain(cert, key, passphrase)
    except ssl.SSLError as exc:
        if is_encrypted:
            cause = "it is encrypted with a passphrase, and nobody is there to type it: store it without one"
            raise CredentialsUnusable(_KEY_FLAG, str(key), cause) from exc
        if exc.reason == "KEY_VALUES_MISMATCH":
            raise CredentialsUnusable(_KEY_FLAG, str(key), f"it is not the key of {str(cert)!r}") from exc
        raise CredentialsUnusable(_CERT_FLAG, str(cert), f"it or its key cannot be used ({_reason(exc)})") from exc
    except OSError as exc:  # replaced or withdrawn meanwhile
        raise CredentialsUnusable(_CERT_FLAG, str(cert), exc.strerror or str(exc)) from exc
    return context


def _bare_context() -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _switching(access: Access) -> ssl.SSLContext:
    """A context that gives each connection the certificate of the moment: one that was loaded cannot be unloaded."""

    def switch(connection: ssl.SSLObject | ssl.SSLSocket, _name: str | None, _context: ssl.SSLContext) -> None:
        if access.certificate is not None:
            connection.context = access.certificate

    context = _bare_context()
    context.sni_callback = switch
    return context


def _parsed(flag: str, source: str, text: str) -> Tokens:
    try:
        return parse_tokens(text)
    except MalformedTokens as exc:
        raise CredentialsUnusable(flag, source, str(exc)) from exc


def _status_of(path: Path) -> tuple[int, ...] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    if not stat.S_ISREG(status.st_mode):  # a pipe gives its text once: to read it again would wait for its writer
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino, status.st_mode


def _reason(exc: ssl.SSLError) -> str:
    return (exc.reason or str(exc)).replace("_", " ").lower()
