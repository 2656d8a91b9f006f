"""The encrypted line: real handshakes over loopback."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs
from websockets.exceptions import InvalidMessage

from plugandtell.core.errors import CredentialsUnusable, InvalidSetting
from plugandtell.server.access import Access, server_context
from plugandtell.server.settings import ServerSettings
from tests.server.test_access import look_twice
from tests.support.certificates import TOKEN, Authority, CertificateFiles, write_secret
from tests.support.recordings import recordings
from tests.support.wire import RATE, WITHIN_S, Wire, pcm

if TYPE_CHECKING:
    from pathlib import Path

    from tests.server.conftest import StartServer


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def files(authority: Authority) -> CertificateFiles:
    return authority.certify()


async def test_audio_goes_over_tls_into_the_file(
    start_server: StartServer, authority: Authority, files: CertificateFiles, audio_dir: Path
) -> None:
    async with start_server(**files.settings) as url, await Wire.greeted(url, ssl=authority.trusting()) as wire:
        assert url.startswith("wss://127.0.0.1:")
        await wire.speak(0, RATE)
        await wire.end(RATE)
    assert recordings(audio_dir)[0].pcm == pcm(0, RATE)


async def test_who_does_not_encrypt_is_not_heard(start_server: StartServer, files: CertificateFiles) -> None:
    with capture_logs() as logs:
        async with start_server(**files.settings) as url:
            with pytest.raises((InvalidMessage, OSError, EOFError)):
                await Wire.open(url.replace("wss", "ws"))
    assert {event["log_level"] for event in logs} == {"info"}


async def test_who_begins_no_handshake_is_dropped(start_server: StartServer, files: CertificateFiles) -> None:
    async with start_server(**files.settings, hello_timeout=0.1) as url:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
        async with asyncio.timeout(WITHIN_S):
            assert await reader.read() == b""
        writer.close()


async def test_who_sends_no_request_is_dropped(
    start_server: StartServer, authority: Authority, files: CertificateFiles
) -> None:
    async with start_server(**files.settings, hello_timeout=0.1) as url:
        port = int(url.rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=authority.trusting())
        async with asyncio.timeout(WITHIN_S):
            assert await reader.read() == b""
        writer.close()


async def test_beyond_this_machine_with_tokens_and_tls_there_is_nothing_to_warn_of(
    start_server: StartServer, files: CertificateFiles, tmp_path: Path
) -> None:
    tokens_file = write_secret(tmp_path / "tokens", f"alice: {TOKEN}")
    with capture_logs() as logs:
        async with start_server(host="0.0.0.0", tokens_file=tokens_file, **files.settings):
            pass
    assert {event["log_level"] for event in logs} == {"info"}


def test_old_versions_of_tls_are_off(files: CertificateFiles) -> None:
    context = server_context(files.cert, files.key)
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize("name", ["tls_cert", "tls_key"])
def test_a_certificate_and_its_key_come_together(files: CertificateFiles, name: str) -> None:
    with pytest.raises(InvalidSetting, match=r"--tls-\w+ is .* together with --tls-"):
        ServerSettings(**{name: files.settings[name]})


def broken(files: CertificateFiles, authority: Authority, how: str) -> None:
    """Spoil one of the files."""
    match how:
        case "no cert":
            files.cert.unlink()
        case "a folder":
            files.key.unlink()
            files.key.mkdir()
        case "cert is text":
            files.cert.write_text("certainly")
        case "cert is rotten":
            files.cert.write_text("-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----\n")
        case "key is a cert":
            files.key.write_text(files.cert.read_text())
        case "key of another":
            write_secret(files.key, authority.certify(file="other").key.read_text())
        case "key is open":
            files.key.chmod(0o644)


@pytest.mark.parametrize(
    ("how", "flag", "cause"),
    [
        ("no cert", "--tls-cert", "No such file"),
        ("a folder", "--tls-key", "directory"),
        ("cert is text", "--tls-cert", "no certificate in PEM form"),
        ("cert is rotten", "--tls-cert", "cannot be used"),
        ("key is a cert", "--tls-key", "no private key in PEM form"),
        ("key of another", "--tls-key", "not the key of"),
        ("key is open", "--tls-key", "0644"),
    ],
)
def test_files_that_cannot_be_used_are_named(
    files: CertificateFiles, authority: Authority, how: str, flag: str, cause: str
) -> None:
    broken(files, authority, how)
    with pytest.raises(CredentialsUnusable, match=cause) as caught:
        server_context(files.cert, files.key)
    assert caught.value.flag == flag


def test_a_key_with_a_passphrase_asks_nobody(files: CertificateFiles) -> None:
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415  (what trustme is made with)

    key = serialization.load_pem_private_key(files.key.read_bytes(), None)
    encoding, layout = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    files.key.write_bytes(key.private_bytes(encoding, layout, serialization.BestAvailableEncryption(b"x")))
    with pytest.raises(CredentialsUnusable, match="passphrase"):
        server_context(files.cert, files.key)


async def test_a_renewed_certificate_is_shown_to_the_next_client(files: CertificateFiles, tmp_path: Path) -> None:
    access = Access(ServerSettings(**files.settings), {})
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=access.tls)
    port = server.sockets[0].getsockname()[1]
    renewed = tmp_path / "renewed"
    renewed.mkdir()
    newer = Authority(renewed)
    fresh = newer.certify()
    async with server:
        with pytest.raises(ssl.SSLCertVerificationError):
            await asyncio.open_connection("127.0.0.1", port, ssl=newer.trusting())
        fresh.cert.replace(files.cert)
        with capture_logs() as logs:
            look_twice(access, 10.0)  # the key has not followed yet
            fresh.key.replace(files.key)
            look_twice(access, 20.0)
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=newer.trusting())
        writer.close()
    assert [event["event"] for event in logs] == ["credentials_not_reread", "credentials_reread"]
