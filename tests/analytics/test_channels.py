from __future__ import annotations

import json
import os
import signal
import sys
from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs

from plugandtell.analytics.channels import CommandChannel, LogChannel
from plugandtell.analytics.webhook import WebhookChannel
from plugandtell.core.errors import AlertNotSent
from tests.analytics.classify.chat_stub import Reply, chat_stub
from tests.support.http_server import Answer, web_server
from tests.support.processes import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FACTS: dict[str, Any] = {"alert_id": "a.features.8", "call_id": "a", "attempt": 8, "message": "kaputt; `rm -rf /`"}


async def test_a_command_gets_the_alert_in_its_environment_and_as_json(tmp_path: Path) -> None:
    program = (
        "import json, os, sys; print(sys.argv[1], json.load(sys.stdin) == json.loads(sys.argv[2]),"
        " os.environ['PLUGANDTELL_ALERT_MESSAGE'], os.environ['PLUGANDTELL_ALERT_ATTEMPT'],"
        " file=open('out', 'w'))"
    )
    out = tmp_path / "out"
    program = program.replace("'out'", repr(str(out)))
    await CommandChannel((sys.executable, "-c", program, "$HOME; x", json.dumps(FACTS))).send(FACTS)
    assert out.read_text() == "$HOME; x True kaputt; `rm -rf /` 8\n"


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (("/nonexistent/program",), "No such file"),
        ((sys.executable, "-c", "import sys; sys.exit('mail is down')"), "status 1: mail is down"),
        ((sys.executable, "-c", "import time; time.sleep(99)"), "not done after"),
        ((sys.executable, "\0"), "null byte"),
    ],
)
async def test_a_command_that_fails_has_not_sent_it(command: tuple[str, ...], why: str) -> None:
    with pytest.raises(AlertNotSent, match=why):
        await CommandChannel(command, within_s=1.0).send(FACTS)


async def test_a_command_that_does_not_read_is_as_good(tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    program = f"import pathlib; pathlib.Path({str(ran)!r}).touch()"
    await CommandChannel((sys.executable, "-c", program)).send(FACTS | {"message": "x\0" * 1_000_000})
    assert ran.exists()


@pytest.fixture
def left_behind(tmp_path: Path) -> Iterator[str]:
    """A program that ends as its argument says, and leaves a process that holds all that it was given."""
    pid = tmp_path / "left.pid"
    yield (
        "import pathlib, subprocess, sys;"
        " left = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(99)']);"
        f" pathlib.Path({str(pid)!r}).write_text(str(left.pid));"
        " sys.exit(sys.argv[1] or 0)"
    )
    os.kill(int(pid.read_text()), signal.SIGTERM)


async def test_a_command_is_done_when_it_ends_whatever_it_leaves_running(tmp_path: Path, left_behind: str) -> None:
    command = (sys.executable, "-c", left_behind, "")
    await CommandChannel(command, within_s=10.0).send(FACTS | {"message": "x" * 1_000_000})
    os.kill(int((tmp_path / "left.pid").read_text()), 0)  # raises where there is no such process
    assert (tmp_path / "left.pid").exists()


async def test_a_command_that_fails_is_quoted_whatever_it_leaves_running(left_behind: str) -> None:
    with pytest.raises(AlertNotSent, match="status 1: mail is down"):
        await CommandChannel((sys.executable, "-c", left_behind, "mail is down"), within_s=10.0).send(FACTS)


async def test_of_much_that_a_command_says_the_end_is_quoted() -> None:
    program = "import sys; sys.stderr.write('é' * 1_000_000 + 'mail is down'); sys.exit(3)"
    with pytest.raises(AlertNotSent, match=r"status 3: .{0,488}mail is down$") as caught:
        await CommandChannel((sys.executable, "-X", "utf8", "-c", program)).send(FACTS)
    assert "ééé" in str(caught.value)


async def test_a_webhook_gets_the_alert_as_json_with_a_key_against_doubles() -> None:
    with web_server() as server:
        server.answers["/hook"] = Answer(b"ok", 202)
        await WebhookChannel(f"{server.url}/hook?token=s3cret").send(FACTS)
        ((method, path, headers),) = server.asked
        (body,) = server.posted
    assert (method, path) == ("POST", "/hook?token=s3cret")
    assert json.loads(body) == FACTS
    assert headers["Idempotency-Key"] == "a.features.8"
    assert headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("status", [301, 404, 500, 503])
async def test_a_webhook_that_does_not_accept_it_has_not_got_it(status: int) -> None:
    with web_server() as server:
        server.answers["/hook"] = Answer(b"", status)
        with pytest.raises(AlertNotSent, match=f"HTTP {status}"):
            await WebhookChannel(f"{server.url}/hook").send(FACTS)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_webhook_that_sends_elsewhere_has_not_got_it(status: int) -> None:
    with web_server() as elsewhere:
        elsewhere.answers["/moved"] = Answer(b"hello", 200)
        moved = Reply(b"", status, (("Location", f"{elsewhere.url}/moved"),))
        with chat_stub(moved) as hook, pytest.raises(AlertNotSent, match=f"HTTP {status}"):
            await WebhookChannel(f"{hook.url}/hook").send(FACTS)
        assert elsewhere.asked == []


async def test_a_webhook_that_cannot_be_reached_has_not_got_it_and_its_address_stays_secret() -> None:
    with pytest.raises(AlertNotSent) as caught:
        await WebhookChannel(f"http://127.0.0.1:{free_port()}/s3cret").send(FACTS)
    assert "s3cret" not in str(caught.value)


async def test_a_webhook_that_does_not_answer_in_time_has_not_got_it() -> None:
    with web_server() as server:
        server.answers["/hook"] = Answer(b"x", promised_bytes=-1, stalls=True)
        with pytest.raises(AlertNotSent):
            await WebhookChannel(f"{server.url}/hook", within_s=0.2).send(FACTS)


async def test_the_log_takes_everything() -> None:
    facts = FACTS | {"stage": "features", "message": "half a pair \ud800, a NUL \0\nand a line", "worker": ""}
    with capture_logs() as logs:
        await LogChannel().send(facts)
    assert logs == [{"event": "alert", "log_level": "error"} | facts]
