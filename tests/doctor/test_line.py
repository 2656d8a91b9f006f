"""Ports, certificates and servers: real ones, of ours and of others."""

from __future__ import annotations

import asyncio
import socket
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from websockets.asyncio.server import ServerConnection, serve

from plugandtell.client.settings import ClientSettings
from plugandtell.core.exit_status import ExitStatus
from plugandtell.doctor.finding import Finding, Verdict
from plugandtell.doctor.line import check_access, check_port, check_server, lasting
from plugandtell.server.settings import ServerSettings
from tests.support.certificates import OTHER_TOKEN, TOKEN, Authority, write_secret
from tests.support.http_server import Answer, web_server
from tests.support.processes import free_port, running_server

if TYPE_CHECKING:
    from pathlib import Path

OK, WARNING, BROKEN = Verdict.OK, Verdict.WARNING, Verdict.BROKEN
NOW = datetime.now(UTC)


async def asked(url: str, *, is_asked: bool = True, **client: Any) -> list[Finding]:
    return await asyncio.to_thread(lambda: list(check_server(url, ClientSettings(**client), {}, is_asked=is_asked)))


async def port_of(port: int, host: str = "127.0.0.1") -> Finding:
    (finding,) = await asyncio.to_thread(lambda: list(check_port(ServerSettings(host=host, port=port))))
    return finding


def access_of(**settings: Any) -> Finding:
    (finding,) = check_access(ServerSettings(**settings), {})
    return finding


async def test_a_server_of_ours_is_found_and_not_disturbed(tmp_path: Path) -> None:
    async with running_server(tmp_path) as (server, url):
        (found,) = await asked(url)
        assert (found.verdict, "speaks plugandtell.v1 as we do" in found.said) == (OK, True)
        port = await port_of(int(url.rpartition(":")[2]))
        assert (port.verdict, port.said.endswith("in use, by a PlugAndTell server")) == (OK, True)
        outcome = await server.stop()
        assert (outcome.status, "error" in outcome.stderr.lower()) == (0, False)


async def test_a_server_that_is_away_is_broken_only_if_it_was_asked_for() -> None:
    url = f"ws://127.0.0.1:{free_port()}"
    (named,) = await asked(url)
    assert (named.verdict, named.status) == (BROKEN, ExitStatus.NO_SERVER)
    assert named.said.startswith(f"none answers at {url} (")
    (unnamed,) = await asked(url, is_asked=False)
    assert (unnamed.verdict, unnamed.status) == (WARNING, ExitStatus.OK)
    assert "plugandtell run" in unnamed.remedy


async def test_another_program_is_told_from_a_server() -> None:
    with web_server() as other:
        other.answers["/v1/stream"] = Answer(b"hello")
        port = int(other.url.rpartition(":")[2])
        (found,) = await asked(f"ws://127.0.0.1:{port}")
        assert (found.verdict, found.status) == (BROKEN, ExitStatus.NO_SERVER)
        assert "is no PlugAndTell server" in found.said
        taken = await port_of(port)
        assert (taken.verdict, taken.status) == (BROKEN, ExitStatus.CANNOT_LISTEN)
        assert f"lsof -i :{port}" in taken.remedy


async def test_a_server_of_another_version_is_told() -> None:
    async def wait(line: ServerConnection) -> None:
        await line.wait_closed()

    async with serve(wait, "127.0.0.1", 0) as other:
        (found,) = await asked(f"ws://127.0.0.1:{other.sockets[0].getsockname()[1]}")
    assert (found.verdict, found.status) == (BROKEN, ExitStatus.NO_SERVER)
    assert (found.said.split("does")[1], found.remedy) == (
        " not speak plugandtell.v1, but another version",
        "install the same version of PlugAndTell at both ends",
    )


async def test_ports_that_are_free_and_taken_by_what_says_nothing() -> None:
    port = free_port()
    assert (await port_of(port)).said == f"{port} on 127.0.0.1 is free"
    assert (await port_of(0)).verdict is OK
    assert (await port_of(port, "192.0.2.1")).status is ExitStatus.CANNOT_LISTEN
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))  # and listens to nobody
        assert (await port_of(port)).status is ExitStatus.CANNOT_LISTEN


async def test_tokens_are_shown_as_the_client_does(tmp_path: Path) -> None:
    tokens = write_secret(tmp_path / "tokens", f"me: {TOKEN}\n")
    right, wrong = write_secret(tmp_path / "right", TOKEN), write_secret(tmp_path / "wrong", OTHER_TOKEN)
    async with running_server(tmp_path, f"--tokens-file={tokens}") as (_, url):
        verdicts = [(await asked(url, token_file=file))[0].status for file in (right, wrong, None)]
        assert verdicts == [ExitStatus.OK, ExitStatus.REFUSED, ExitStatus.REFUSED]
        assert (await port_of(int(url.rpartition(":")[2]))).verdict is OK
    (unreadable,) = await asked(url, token_file=tmp_path / "missing")
    assert unreadable.status is ExitStatus.USAGE


async def test_a_certificate_is_verified_and_its_end_is_told(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    files = authority.certify(until=NOW + timedelta(days=5.5))
    async with running_server(tmp_path, *files.flags) as (_, url):
        server, certificate = await asked(url, ca=authority.ca)
        assert server.verdict is OK
        assert (certificate.verdict, certificate.said) == (WARNING, "valid for 5 more days")
        (distrusted,) = await asked(url)
        assert (distrusted.verdict, distrusted.status) == (BROKEN, ExitStatus.NO_SERVER)
        assert "--ca" in distrusted.remedy


async def test_what_is_no_address_is_told() -> None:
    (found,) = await asked("http://127.0.0.1:3000")
    assert (found.verdict, found.status) == (BROKEN, ExitStatus.USAGE)


def test_the_servers_own_certificate_is_looked_at(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    long = authority.certify(file="long", until=NOW + timedelta(days=90.5))
    assert access_of(**long.settings) == Finding("tls", OK, "valid for 90 more days")
    over = authority.certify(file="over", until=NOW - timedelta(days=1))
    found = access_of(**over.settings)
    assert (found.verdict, found.status) == (BROKEN, ExitStatus.USAGE)
    assert "expired" in found.said
    mixed = access_of(tls_cert=long.cert, tls_key=over.key)
    assert (mixed.verdict, mixed.status) == (BROKEN, ExitStatus.USAGE)


def test_other_machines_need_tokens_and_should_have_a_certificate(tmp_path: Path) -> None:
    assert access_of().verdict is OK
    assert access_of(host="0.0.0.0", allow_anonymous=True).verdict is WARNING
    tokens, clear = check_access(ServerSettings(host="0.0.0.0"), {})
    assert (tokens.verdict, tokens.status, clear.verdict) == (BROKEN, ExitStatus.USAGE, WARNING)
    assert access_of(tokens_file=tmp_path / "missing").status is ExitStatus.USAGE


@pytest.mark.parametrize(("days", "verdict"), [(13, WARNING), (14, OK)])
def test_a_certificate_should_last_two_weeks(days: int, verdict: Verdict) -> None:
    found = lasting("it", {"notAfter": "Jan 31 00:00:00 2030 GMT"}, 1_896_048_000 - days * 86_400)
    assert (found.verdict, found.said) == (verdict, f"valid for {days} more days")
