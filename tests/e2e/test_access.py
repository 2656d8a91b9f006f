"""Tokens and certificates as users give them: real processes, real exit codes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.certificates import OTHER_TOKEN, TOKEN, Authority, write_secret
from tests.support.processes import finished, running, running_server
from tests.support.recordings import recordings
from tests.support.speech import sentence, silence, write_wav

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

INPUT = ("--input=in.wav", "--pace=fast", "--vad=none")


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    write_wav(tmp_path / "in.wav", silence(0.2), sentence(0))
    return Authority(tmp_path)


def written_by(folder: Path) -> Iterator[str]:
    for path in [*folder.glob("logs/*.log"), *folder.glob("audio/*.json")]:
        yield path.read_text()


async def test_a_token_over_tls_and_the_ways_to_be_turned_away(tmp_path: Path, authority: Authority) -> None:
    write_secret(tmp_path / "tokens", f"alice: {TOKEN}")
    write_secret(tmp_path / "token", TOKEN)
    flags = ("--host=0.0.0.0", "--tokens-file=tokens", *authority.certify().flags, "--log-level=debug")
    async with running_server(tmp_path, *flags) as (server, url):
        assert url.startswith("wss://")
        client = ("client", f"--server={url.replace('0.0.0.0', '127.0.0.1')}", *INPUT)
        accepted = await finished(tmp_path, *client, "--ca=ca.pem", "--token-file=token", "--log-level=debug")
        wrong = await finished(tmp_path, *client, "--ca=ca.pem", environment={"PLUGANDTELL_TOKEN": OTHER_TOKEN})
        untrusting = await finished(tmp_path, *client, "--token-file=token")
        stopped = await server.stop()
    assert accepted.status == 0, accepted.stderr
    assert recordings(tmp_path / "audio")[0].sidecar["client"]["token_name"] == "alice"
    assert (wrong.status, "check the token" in wrong.stderr.splitlines()[-1]) == (6, True)
    assert (untrusting.status, "--ca" in untrusting.stderr.splitlines()[-1]) == (3, True)
    texts = [*written_by(tmp_path), *(out.stderr + out.stdout for out in (accepted, wrong, untrusting, stopped))]
    assert all(token not in text for text in texts for token in (TOKEN, OTHER_TOKEN))


async def test_run_lets_its_own_client_in(tmp_path: Path, authority: Authority) -> None:
    flags = ("--port=0", "--host=0.0.0.0", *authority.certify().flags, "--ca=ca.pem", *INPUT)
    async with running(
        tmp_path, "run", "--no-analytics", *flags, environment={"PLUGANDTELL_TOKENS": f"alice:{TOKEN}"}
    ) as run:
        outcome = await run.outcome()
    assert outcome.status == 0, outcome.stderr
    assert recordings(tmp_path / "audio")[0].sidecar["client"]["token_name"] == "plugandtell-run"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("server", "--port=0", "--host=0.0.0.0"), "--allow-anonymous"),
        (("server", "--port=0", "--tokens-file=open"), "chmod 600"),
        (("server", "--port=0", "--tls-cert=ca.pem"), "--tls-key"),
        (("client", "--server=ws://host.example", "--token-file=token", *INPUT), "--allow-plain-token"),
    ],
)
async def test_what_would_be_unsafe_does_not_start(
    tmp_path: Path, authority: Authority, arguments: tuple[str, ...], said: str
) -> None:
    assert authority.ca.exists()
    write_secret(tmp_path / "token", TOKEN)
    write_secret(tmp_path / "open", f"alice: {TOKEN}").chmod(0o644)
    outcome = await finished(tmp_path, *arguments)
    assert (outcome.status, outcome.stdout) == (2, "")
    assert said in outcome.stderr.splitlines()[-1]
    assert TOKEN not in outcome.stderr
