"""Who is let in: tokens, browsers, and addresses beyond this machine."""

from __future__ import annotations

import os
import socket
import threading
from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs
from websockets.exceptions import InvalidStatus

from plugandtell.core.errors import CredentialsUnusable, InvalidSetting
from plugandtell.core.protocol.messages import Ack, SegmentSaved
from plugandtell.server.access import Access, Denial, Guest
from plugandtell.server.app import running_server
from plugandtell.server.settings import ServerSettings
from tests.support.certificates import OTHER_TOKEN, TOKEN, Authority, write_secret
from tests.support.recordings import recordings
from tests.support.wire import RATE, Wire, hello

if TYPE_CHECKING:
    from pathlib import Path

    from tests.server.conftest import StartServer


@pytest.fixture
def tokens_file(tmp_path: Path) -> Path:
    return write_secret(tmp_path / "tokens", f"# who may come in\nalice: {TOKEN}\nbob: {OTHER_TOKEN}\n")


def bearer(token: str) -> dict[str, Any]:
    return {"additional_headers": {"Authorization": f"Bearer {token}"}}


async def refusal(url: str, headers: list[tuple[str, str]]) -> tuple[int, str | None, str]:
    """How the server turns a request away: status, challenge, and words."""
    with pytest.raises(InvalidStatus) as caught:
        await Wire.open(url, additional_headers=headers)
    response = caught.value.response
    return response.status_code, response.headers.get("WWW-Authenticate"), (response.body or b"").decode().strip()


async def test_a_token_lets_its_holder_in_and_is_named_in_the_sidecar(
    start_server: StartServer, tokens_file: Path, audio_dir: Path
) -> None:
    with capture_logs() as logs:
        async with start_server(tokens_file=tokens_file) as url, await Wire.greeted(url, **bearer(OTHER_TOKEN)) as wire:
            await wire.speak(0, RATE)
            await wire.end(RATE)
    assert recordings(audio_dir)[0].sidecar["client"]["token_name"] == "bob"
    assert logs[0]["token_names"] == ["alice", "bob"]
    assert all(token not in repr(logs) for token in (TOKEN, OTHER_TOKEN))


CHALLENGE = 'Bearer realm="plugandtell"'
UNKNOWN = f'{CHALLENGE}, error="invalid_token"'


@pytest.mark.parametrize(
    ("headers", "challenge", "words"),
    [
        ([], CHALLENGE, "a token is needed"),
        ([("Authorization", "")], CHALLENGE, "a token is needed"),
        ([("Authorization", f"Bearer {TOKEN[:-1]}")], UNKNOWN, "the token is not known here"),
        ([("Authorization", f"Basic {TOKEN}")], UNKNOWN, "the token is not known here"),
        ([("Authorization", f"Bearer {TOKEN}")] * 2, UNKNOWN, "the token is not known here"),
    ],
)
async def test_without_a_known_token_the_upgrade_is_refused(
    start_server: StartServer, tokens_file: Path, headers: list[tuple[str, str]], challenge: str, words: str
) -> None:
    async with start_server(tokens_file=tokens_file, max_streams=1) as url:
        for _ in range(3):  # they take no stream's place
            assert await refusal(url, headers) == (401, challenge, words)
        async with await Wire.greeted(url, **bearer(TOKEN)):
            pass


async def test_a_token_in_the_address_is_none(start_server: StartServer, tokens_file: Path) -> None:
    async with start_server(tokens_file=tokens_file) as url:
        with pytest.raises(InvalidStatus, match="401"):
            await Wire.open(url, path=f"/v1/stream?token={TOKEN}")


async def test_a_flood_of_wrong_tokens_is_one_line_that_shows_none(
    start_server: StartServer, tokens_file: Path
) -> None:
    wrong = TOKEN[::-1]
    with capture_logs() as logs:
        async with start_server(tokens_file=tokens_file) as url:
            for _ in range(20):
                await refusal(url, [("Authorization", f"Bearer {wrong}")])
    denied = [event for event in logs if event["event"] == "access_denied"]
    assert 1 <= len(denied) < 20  # one a second
    assert denied[0]["reason"] == "unknown token"
    assert denied[0]["address"].startswith("127.0.0.1:")
    assert wrong not in repr(logs)


def test_what_is_not_logged_is_counted(tokens_file: Path) -> None:
    access = Access(ServerSettings(tokens_file=tokens_file), {})
    with capture_logs() as logs:
        for now in (0.0, 0.1, 0.2, 1.5):
            denial = access.judge(Headers())
            assert isinstance(denial, Denial)
            access.report(denial, "10.0.0.1:5", now)
    assert [event["unlogged"] for event in logs] == [0, 2]


class Headers(dict[str, list[str]]):
    def get_all(self, key: str, /) -> list[str]:
        return self.get(key, [])


async def test_a_page_in_a_browser_is_refused_unless_its_origin_is_allowed(start_server: StartServer) -> None:
    allowed = ("https://app.example", "http://localhost:8080")
    async with start_server(allow_origin=allowed) as url:
        for origin in allowed:
            async with await Wire.greeted(url, origin=origin):
                pass
        for origin in ("https://evil.example", "https://app.example.evil.example", "http://app.example", "null"):
            status, _, words = await refusal(url, [("Origin", origin)])
            assert (status, "--allow-origin" in words) == (403, True)
        assert (await refusal(url, [("Origin", allowed[0]), ("Origin", "https://evil.example")]))[0] == 403


async def test_without_allowed_origins_no_page_is_let_in(start_server: StartServer) -> None:
    async with start_server() as url:
        with capture_logs() as logs:
            assert (await refusal(url, [("Origin", "http://127.0.0.1:3000")]))[0] == 403
    assert logs[0]["reason"] == "origin 'http://127.0.0.1:3000'"


def test_of_several_origins_the_one_that_is_not_allowed_is_named() -> None:
    access = Access(ServerSettings(allow_origin=("https://app.example",)), {})
    denial = access.judge(Headers(Origin=["https://app.example", "https://evil.example"]))
    assert isinstance(denial, Denial)
    assert denial.reason == "origin 'https://evil.example'"


@pytest.mark.parametrize("origin", ["*", "app.example", "https://app.example/", "https://App.example"])
def test_what_no_browser_sends_is_no_origin(origin: str) -> None:
    with pytest.raises(InvalidSetting, match="--allow-origin"):
        ServerSettings(allow_origin=(origin,))


async def test_other_machines_need_a_token_or_leave(start_server: StartServer, tokens_file: Path) -> None:
    for host in ("0.0.0.0", ""):
        with pytest.raises(InvalidSetting, match=r"--host.*--tokens-file.*--allow-anonymous"):
            async with start_server(host=host):
                raise AssertionError("it listens")
    with capture_logs() as logs:
        async with start_server(host="0.0.0.0", allow_anonymous=True) as url, await Wire.greeted(local(url)):
            pass
        async with start_server(host="0.0.0.0", tokens_file=tokens_file):
            pass
    warnings = [(event["event"], event.get("consequence")) for event in logs if event["log_level"] == "warning"]
    assert warnings == [
        ("open_to_everybody", None),
        ("not_encrypted", "audio travels in clear"),
        ("not_encrypted", "audio and tokens travel in clear"),
    ]


def local(url: str) -> str:
    return url.replace("0.0.0.0", "127.0.0.1")


async def test_a_server_that_must_not_listen_does_not(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(InvalidSetting):
        async with running_server(ServerSettings(host="0.0.0.0", port=port, audio_dir=tmp_path)):
            raise AssertionError("it listens")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


async def test_this_machine_needs_no_token_and_no_warning(start_server: StartServer) -> None:
    with capture_logs() as logs:
        async with start_server(host="localhost"):
            pass
    assert [event for event in logs if event["log_level"] != "info"] == []


async def test_a_stream_is_not_taken_over_by_the_holder_of_another_token(
    start_server: StartServer, tokens_file: Path
) -> None:
    greeting = hello()
    async with start_server(tokens_file=tokens_file, resume_window=30) as url:
        async with await Wire.greeted(url, greeting, **bearer(TOKEN)) as wire:
            await wire.speak(0, RATE)
            while (await wire.hear(Ack)).stored_to < RATE:
                pass
        async with await Wire.open(url, **bearer(OTHER_TOKEN)) as thief:
            await thief.say(greeting)
            assert await thief.hear_out() == 1008
            assert thief.error.code == "stream_of_another"
        async with await Wire.greeted(url, greeting, **bearer(TOKEN)) as wire:
            (saved,) = await wire.end(RATE)
    assert saved.end_index == RATE


def killed(folder: Path) -> dict[str, bytes]:
    """What a server that was killed now would leave."""
    return {path.name: path.read_bytes() for path in folder.glob("*.part")}


def put_back(folder: Path, left: dict[str, bytes]) -> None:
    """Undo what the server did since."""
    for path in folder.glob("*_laptop.*"):
        path.unlink()
    for name, content in left.items():
        (folder / name).write_bytes(content)


async def test_a_mended_stream_still_belongs_to_its_holder(
    start_server: StartServer, tokens_file: Path, audio_dir: Path
) -> None:
    greeting = hello()
    async with start_server(tokens_file=tokens_file) as url, await Wire.greeted(url, greeting, **bearer(TOKEN)) as wire:
        await wire.speak(0, RATE)
        await wire.hear(Ack)
        left = killed(audio_dir)
    put_back(audio_dir, left)
    async with start_server(tokens_file=tokens_file) as url:
        async with await Wire.open(url, **bearer(OTHER_TOKEN)) as thief:
            await thief.say(greeting)
            assert await thief.hear_out() == 1008
        async with await Wire.greeted(url, greeting, **bearer(TOKEN)) as wire:
            assert (await wire.hear(SegmentSaved)).reason == "recovered"


def test_tokens_come_from_a_file_and_the_environment_together(tokens_file: Path) -> None:
    access = Access(ServerSettings(tokens_file=tokens_file), {"PLUGANDTELL_TOKENS": f"carol:{TOKEN[::-1]}"})
    assert access.token_names == ["carol", "alice", "bob"]
    with pytest.raises(CredentialsUnusable, match="PLUGANDTELL_TOKENS"):
        Access(ServerSettings(tokens_file=tokens_file), {"PLUGANDTELL_TOKENS": f"alice:{TOKEN[::-1]}"})
    with pytest.raises(CredentialsUnusable, match="PLUGANDTELL_TOKENS"):
        Access(ServerSettings(), {"PLUGANDTELL_TOKENS": TOKEN})


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o602, 0o620])
def test_a_file_that_others_can_read_is_refused(tokens_file: Path, mode: int) -> None:
    tokens_file.chmod(mode)
    with pytest.raises(CredentialsUnusable, match=f"{mode:04o}.*chmod 600"):
        Access(ServerSettings(tokens_file=tokens_file), {})
    tokens_file.chmod(0o640)  # a service's secrets are its group's
    assert Access(ServerSettings(tokens_file=tokens_file), {}).token_names


@pytest.mark.parametrize(
    ("content", "cause"), [(b"\xff\xfe", "no text"), (b"x" * 1_000_001, "megabyte"), (b"#\n", "no token")]
)
def test_a_file_without_tokens_is_named(tokens_file: Path, content: bytes, cause: str) -> None:
    tokens_file.write_bytes(content)
    with pytest.raises(CredentialsUnusable, match=cause) as caught:
        Access(ServerSettings(tokens_file=tokens_file), {})
    assert (caught.value.flag, caught.value.source) == ("--tokens-file", str(tokens_file))


def test_a_token_is_withdrawn_without_a_restart_and_a_broken_file_changes_nothing(tokens_file: Path) -> None:
    access = Access(ServerSettings(tokens_file=tokens_file), {})
    headers = Headers(Authorization=[f"Bearer {TOKEN}"])
    assert access.judge(headers) == Guest("alice")
    with capture_logs() as logs:
        tokens_file.write_text("alice: short")
        look_twice(access, 10.0)
        assert access.judge(headers) == Guest("alice")
        tokens_file.write_text(f"bob: {OTHER_TOKEN}\n")
        look_twice(access, 13.0)  # the first is too soon
        assert access.judge(headers) == Guest("alice")
        look_twice(access, 20.0)
        look_twice(access, 30.0)
    assert isinstance(access.judge(headers), Denial)
    assert [event["event"] for event in logs] == ["credentials_not_reread", "credentials_reread"]


def look_twice(access: Access, now: float) -> None:
    access.refresh(now)
    access.refresh(now + 2.0)


def test_a_file_that_is_being_written_is_read_when_it_is_whole(tokens_file: Path) -> None:
    access = Access(ServerSettings(tokens_file=tokens_file), {})
    with capture_logs() as logs:
        tokens_file.write_text(f"bob: {OTHER_TOKEN}\n")  # half of it: it reads well, but alice is not lost
        access.refresh(10.0)
        tokens_file.write_text(f"bob: {OTHER_TOKEN}\nalice: {TOKEN}\n")
        access.refresh(12.0)
        assert access.token_names == ["alice", "bob"]
        access.refresh(14.0)
    assert access.token_names == ["bob", "alice"]
    assert [event["event"] for event in logs] == ["credentials_reread"]


def test_a_token_is_withdrawn_though_the_certificate_is_broken(tokens_file: Path, tmp_path: Path) -> None:
    files = Authority(tmp_path).certify()
    access = Access(ServerSettings(tokens_file=tokens_file, **files.settings), {})
    files.key.write_text("half a key")
    tokens_file.write_text(f"bob: {OTHER_TOKEN}\n")
    with capture_logs() as logs:
        look_twice(access, 10.0)
    assert access.token_names == ["bob"]
    assert [event["event"] for event in logs] == ["credentials_not_reread"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_read_once(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe, 0o600)
    writer = threading.Thread(target=pipe.write_text, args=(f"bob: {OTHER_TOKEN}\n",))
    writer.start()
    access = Access(ServerSettings(tokens_file=pipe), {})
    writer.join()
    look_twice(access, 10.0)  # would wait for a writer
    assert access.token_names == ["bob"]
