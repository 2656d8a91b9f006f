"""Audio in an object store, by way of s3fs, against a server that answers as S3 does.

They run where `plugandtell[s3]` is installed. It is not among the locked packages of development: it would hold others
back.
"""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from plugandtell.analytics.audio_source import fetched, store
from plugandtell.core.errors import AudioUnreachable, InputNotFound, WriteFailed
from tests.support.http_server import Answer, WebServer, web_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[WebServer]:
    pytest.importorskip("s3fs")
    with web_server() as served:
        settings = {
            "AWS_ENDPOINT_URL": served.url,
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_DEFAULT_REGION": "eu-west-3",
            "AWS_CONFIG_FILE": str(tmp_path / "none"),
            "AWS_REQUEST_CHECKSUM_CALCULATION": "when_required",  # else what is put comes in pieces, with sums between
        }
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        yield served


def test_audio_is_fetched_and_signed_for(s3: WebServer) -> None:
    s3.answers["/calls/2026/a.wav"] = Answer(b"x" * 300_000)
    with fetched("s3://calls/2026/a.wav") as path:
        assert path.read_bytes() == b"x" * 300_000
        assert path.suffix == ".wav"
    assert all(headers["Authorization"].startswith("AWS4-HMAC-SHA256 Credential=key/") for _, _, headers in s3.asked)


@pytest.mark.parametrize(
    ("status", "kind", "cause"),
    [
        (404, InputNotFound, "no such file"),
        (403, InputNotFound, "access is denied"),
        (503, AudioUnreachable, "fetch"),
    ],
)
def test_what_is_not_there_is_told_from_a_store_that_is_not(
    s3: WebServer, status: int, kind: type[Exception], cause: str
) -> None:
    s3.answers["/calls/a.wav"] = Answer(status=status)
    with pytest.raises(kind, match=cause), fetched("s3://calls/a.wav"):
        pass


def test_audio_is_stored_once(s3: WebServer, tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(b"one")
    assert store(path, "s3://calls/2026/", "7f.wav") == "s3://calls/2026/7f.wav"
    assert s3.answers["/calls/2026/7f.wav"].body == b"one"
    store(path, "s3://calls/2026", "7f.wav")
    assert [command for command, _, _ in s3.asked].count("PUT") == 1


def test_a_store_that_refuses_may_take_it_later(s3: WebServer, tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"one")
    s3.answers["/calls/7f.wav"] = Answer(status=403)
    with pytest.raises(WriteFailed, match="s3://calls/7f"):
        store(tmp_path / "a.wav", "s3://calls", "7f.wav")


def test_without_the_package_it_is_said_what_to_install(tmp_path: Path) -> None:
    program = """
import sys
from pathlib import Path
from plugandtell.analytics.audio_source import fetched, store
from plugandtell.core.errors import EngineUnavailable
sys.modules["s3fs"] = None
for attempt in (fetched("s3://calls/a.wav").__enter__, lambda: store(Path(sys.executable), "s3://calls", "a")):
    try:
        attempt()
    except EngineUnavailable as error:
        print(error)
"""
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)
    assert said.stdout.count("plugandtell[s3]") == 2
