"""What the client shows a server, and which server it believes: real handshakes over loopback."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from structlog.testing import capture_logs
from websockets.asyncio.server import ServerConnection, serve

from plugandtell.client.connecting import LineSettings
from plugandtell.client.credentials import ANONYMOUS, Credentials, load_credentials
from plugandtell.client.settings import ClientSettings
from plugandtell.client.uplink import Uplink
from plugandtell.core.audio import SPEECH
from plugandtell.core.errors import (
    CredentialsUnusable,
    InvalidSetting,
    NotOurServer,
    PlugAndTellError,
    Refused,
    ServerNotTrusted,
    ServerUnreachable,
)
from plugandtell.core.protocol.client import ClientStream
from plugandtell.core.secret import Secret
from plugandtell.core.store import MemoryStore
from plugandtell.server.app import running_server
from plugandtell.server.settings import ServerSettings
from tests.support.certificates import OTHER_TOKEN, TOKEN, Authority, write_secret
from tests.support.proxy import proxy_to
from tests.support.wire import WITHIN_S, hello

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from websockets.http11 import Request, Response

PLAIN = "ws://127.0.0.1:3000"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def uplink_to(url: str, credentials: Credentials = ANONYMOUS, give_up_after_s: float = 0.0) -> Uplink:
    stream = ClientStream(hello(uuid4()), SPEECH, 1600, MemoryStore(SPEECH, 1_000_000))
    return Uplink(
        LineSettings(url, give_up_after_s, 20.0, credentials), stream, lambda _: None, lambda: 0.0, lambda: 0.5
    )


def credentials_for(url: str, token: str | None = None, **settings: Any) -> Credentials:
    environ = {} if token is None else {"PLUGANDTELL_TOKEN": token}
    return load_credentials(ClientSettings(**settings), url, environ)


async def failure(url: str, credentials: Credentials = ANONYMOUS) -> PlugAndTellError:
    """Why no connection comes about."""
    with pytest.raises(PlugAndTellError) as caught:
        async with asyncio.timeout(WITHIN_S):
            await uplink_to(url, credentials).connect()
    assert "\n" not in str(caught.value)
    return caught.value


@asynccontextmanager
async def server(tmp_path: Path, **changes: Any) -> AsyncIterator[str]:
    async with running_server(ServerSettings(port=0, audio_dir=tmp_path / "audio", **changes)) as running:
        yield running.url


@asynccontextmanager
async def answering(answer: Callable[[ServerConnection, Request], Response], **options: Any) -> AsyncIterator[str]:
    """A server that answers every request in a way of its own."""

    async def handle(_: ServerConnection) -> None:
        raise AssertionError("there was no upgrade")

    async with serve(handle, "127.0.0.1", 0, process_request=answer, **options) as serving:
        yield f"ws://127.0.0.1:{next(iter(serving.sockets)).getsockname()[1]}"


async def test_a_certificate_of_an_authority_that_is_trusted(tmp_path: Path, authority: Authority) -> None:
    tokens_file = write_secret(tmp_path / "tokens", f"alice: {TOKEN}")
    async with server(tmp_path, tokens_file=tokens_file, **authority.certify().settings) as url:
        for address in (url, url.replace("127.0.0.1", "localhost")):
            uplink = uplink_to(address, credentials_for(address, TOKEN, ca=authority.ca))
            welcome = await uplink.connect()
            await uplink.close()
            assert (welcome.resume_from, welcome.silence_ms) == (0, 3000)


async def test_a_certificate_of_nobody_known_is_not_trusted(tmp_path: Path, authority: Authority) -> None:
    async with server(tmp_path, **authority.certify().settings) as url:
        for credentials in (ANONYMOUS, credentials_for(url)):
            error = await failure(url, credentials)
            assert isinstance(error, ServerNotTrusted)
            assert "--ca" in str(error)


async def test_a_certificate_for_another_name_is_not_trusted(tmp_path: Path, authority: Authority) -> None:
    async with server(tmp_path, **authority.certify("host.example").settings) as url:
        for address in (url, url.replace("127.0.0.1", "localhost")):
            error = await failure(address, credentials_for(address, TOKEN, ca=authority.ca))
            assert isinstance(error, ServerNotTrusted)
            assert "another name" in error.cause


async def test_a_certificate_that_has_expired_is_not_trusted(tmp_path: Path, authority: Authority) -> None:
    files = authority.certify(until=datetime(2020, 1, 1, tzinfo=UTC))
    async with server(tmp_path, **files.settings) as url:
        error = await failure(url, credentials_for(url, ca=authority.ca))
    assert isinstance(error, ServerNotTrusted)
    assert "expired" in error.cause


async def test_a_server_without_tls_is_told_from_one_that_is_not_trusted(tmp_path: Path) -> None:
    async with server(tmp_path) as url:
        error = await failure(url.replace("ws:", "wss:"))
    assert isinstance(error, ServerUnreachable)  # it breaks off, as one that is being restarted does
    assert "perhaps it speaks no TLS" in error.cause


async def test_a_server_that_answers_in_clear_speaks_no_tls() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4096)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as clear:
        error = await failure(f"wss://127.0.0.1:{clear.sockets[0].getsockname()[1]}")
    assert isinstance(error, NotOurServer)
    assert "it speaks no TLS" in error.found


async def test_a_client_without_tls_is_told_to_use_it(tmp_path: Path, authority: Authority) -> None:
    async with server(tmp_path, **authority.certify().settings) as url:
        error = await failure(url.replace("wss:", "ws:"))
    assert "wss://" in str(error)


@pytest.mark.parametrize(
    ("token", "hint"), [(None, "no token was sent: give one with --token-file"), (OTHER_TOKEN, "check the token")]
)
async def test_a_token_that_is_missing_or_wrong(tmp_path: Path, token: str | None, hint: str) -> None:
    tokens_file = write_secret(tmp_path / "tokens", f"alice: {TOKEN}")
    with capture_logs() as logs:
        async with server(tmp_path, tokens_file=tokens_file) as url:
            error = await failure(url, credentials_for(url, token))
    assert isinstance(error, Refused)
    assert error.close_code == HTTPStatus.UNAUTHORIZED
    assert hint in str(error)
    assert OTHER_TOKEN not in f"{error!r} {error} {logs}"


async def test_a_token_that_is_withdrawn_is_refused_at_the_next_connection(tmp_path: Path) -> None:
    tokens_file = write_secret(tmp_path / "tokens", f"alice: {TOKEN}\nbob: {OTHER_TOKEN}")
    async with server(tmp_path, tokens_file=tokens_file) as url, proxy_to(url) as proxy:
        uplink = uplink_to(proxy.url, credentials_for(proxy.url, TOKEN), give_up_after_s=30.0)
        await uplink.connect()
        running = asyncio.create_task(uplink.run())
        write_secret(tokens_file, f"bob: {OTHER_TOKEN}")
        async with asyncio.timeout(WITHIN_S):
            while not running.done():  # the server looks at the file from time to time
                proxy.cut()
                await asyncio.wait({running}, timeout=0.1)
        with pytest.raises(Refused, match="401"):
            await running


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_is_not_followed(status: int) -> None:
    asked: list[str] = []

    def here(socket: ServerConnection, request: Request) -> Response:
        asked.append(request.headers["Authorization"])
        response = socket.respond(HTTPStatus(status), "elsewhere\n")
        response.headers["Location"] = request.headers["Host"] and f"/other/{len(asked)}"
        return response

    async with answering(here) as url:
        error = await failure(url, Credentials(Secret(TOKEN)))
    assert isinstance(error, NotOurServer)
    assert str(status) in str(error)
    assert asked == [f"Bearer {TOKEN}"]


async def test_a_token_goes_to_no_other_server() -> None:
    asked: list[Request] = []

    def there(socket: ServerConnection, request: Request) -> Response:
        asked.append(request)
        return socket.respond(HTTPStatus.OK, "thank you\n")

    async with answering(there) as other:

        def here(socket: ServerConnection, _: Request) -> Response:
            response = socket.respond(HTTPStatus.FOUND, "elsewhere\n")
            response.headers["Location"] = other
            return response

        async with answering(here) as url:
            assert isinstance(await failure(url, Credentials(Secret(TOKEN))), NotOurServer)
    assert asked == []


@pytest.mark.parametrize("status", [HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.SERVICE_UNAVAILABLE])
async def test_what_a_strange_server_says_cannot_reach_the_terminal(status: HTTPStatus) -> None:
    def answer(socket: ServerConnection, _: Request) -> Response:
        return socket.respond(status, "\x1b[2J\u202e\nplugandtell-client: all saved\r" + "x" * 10_000)

    async with answering(answer) as url:
        error = await failure(url)
    assert str(error).isprintable()
    assert len(str(error)) < 500


@pytest.mark.parametrize("url", ["ws://host.example:3000", "ws://10.0.0.1:3000", "ws://localhost.example"])
def test_a_token_is_not_sent_in_clear_to_another_machine(url: str) -> None:
    with pytest.raises(InvalidSetting, match=r"--server.*wss://.*--allow-plain-token") as caught:
        credentials_for(url, TOKEN)
    assert TOKEN not in str(caught.value)
    assert credentials_for(url, TOKEN, allow_plain_token=True).token is not None
    assert credentials_for(url).token is None


@pytest.mark.parametrize("url", [PLAIN, "ws://localhost", "ws://[::1]:3000", "wss://host.example"])
def test_a_token_is_sent_where_nobody_can_read_it(url: str) -> None:
    assert credentials_for(url, TOKEN).headers() == {"Authorization": f"Bearer {TOKEN}"}


def test_a_file_comes_before_the_environment(tmp_path: Path) -> None:
    token_file = write_secret(tmp_path / "token", f"{OTHER_TOKEN}\n")
    credentials = credentials_for(PLAIN, TOKEN, token_file=token_file)
    assert credentials.token is not None
    assert credentials.token.reveal() == OTHER_TOKEN
    assert OTHER_TOKEN not in repr(credentials)


def test_a_server_is_verified_whatever_the_settings(authority: Authority) -> None:
    for credentials in (credentials_for("wss://host.example"), credentials_for(PLAIN, ca=authority.ca)):
        assert credentials.tls is not None
        assert (credentials.tls.verify_mode, credentials.tls.check_hostname) == (ssl.CERT_REQUIRED, True)
        assert credentials.tls.minimum_version is ssl.TLSVersion.TLSv1_2


def test_the_own_authority_replaces_those_of_the_system(authority: Authority) -> None:
    credentials = credentials_for("wss://host.example", ca=authority.ca)
    assert credentials.tls is not None
    assert len(credentials.tls.get_ca_certs()) == 1


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (None, "No such file"),
        ("certainly", "no certificate"),
        ("-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----", "no usable certificate"),
    ],
)
def test_an_authority_that_cannot_be_used_is_named(tmp_path: Path, content: str | None, cause: str) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    with pytest.raises(CredentialsUnusable, match=cause) as caught:
        credentials_for(PLAIN, ca=path)
    assert caught.value.flag == "--ca"


@pytest.mark.parametrize(("text", "cause"), [("short", "too short"), (f"{TOKEN}\n{OTHER_TOKEN}", "2 entries")])
def test_a_token_that_cannot_be_used_is_named_and_never_shown(tmp_path: Path, text: str, cause: str) -> None:
    with pytest.raises(CredentialsUnusable, match=cause) as caught:
        credentials_for(PLAIN, text)
    assert caught.value.source == "PLUGANDTELL_TOKEN"
    with pytest.raises(CredentialsUnusable, match=cause) as caught:
        credentials_for(PLAIN, token_file=write_secret(tmp_path / "token", text))
    assert TOKEN not in str(caught.value)
    (tmp_path / "token").chmod(0o644)
    with pytest.raises(CredentialsUnusable, match="chmod 600"):
        credentials_for(PLAIN, token_file=tmp_path / "token")
