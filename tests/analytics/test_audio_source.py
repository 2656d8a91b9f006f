from __future__ import annotations

import tempfile
import traceback
from typing import TYPE_CHECKING

import pytest

from plugandtell.analytics.audio_source import FetchLimits, fetched, shown
from plugandtell.core.errors import AudioUnreachable, InputError, InputNotFound, InputTooLong
from tests.support.http_server import Answer, WebServer, web_server
from tests.support.processes import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def web() -> Iterator[WebServer]:
    with web_server() as served:
        yield served


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of temporary files."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.mark.parametrize("name", ["a.wav", "with space é 100%.wav", "a?b#c.wav"])
def test_a_file_is_read_where_it_is(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"RIFF")
    with fetched(path.as_uri()) as found:
        assert found == path
    assert path.exists()
    assert shown(path.as_uri()) == str(path)


def test_what_is_on_the_web_is_there_until_the_block_is_left(web: WebServer, temporary: Path) -> None:
    web.answers["/calls/a.mp3"] = Answer(b"x" * 3_000_000)
    with fetched(f"{web.url}/calls/a.mp3") as path:
        assert path.read_bytes() == b"x" * 3_000_000
        assert path.suffix == ".mp3"
        assert temporary in path.parents
    assert list(temporary.iterdir()) == []


def test_a_signed_address_goes_out_as_it_is_signed(web: WebServer) -> None:
    web.answers["/a%20b.wav"] = Answer(b"x")
    with fetched(f"{web.url}/a%20b.wav?sig=a%2Fb%3D&x=%7E"):
        assert {path for _, path, _ in web.asked} == {"/a%20b.wav?sig=a%2Fb%3D&x=%7E"}


def test_an_address_as_people_write_it_is_understood(web: WebServer) -> None:
    web.answers["/%C3%A9t%C3%A9%20100%25.wav"] = Answer(b"x")
    with fetched(f"{web.url}/été 100%25.wav") as path:
        assert path.read_bytes() == b"x"


def test_a_password_in_the_address_is_used(web: WebServer) -> None:
    web.answers["/a.wav"] = Answer(b"x")
    with fetched(web.url.replace("http://", "http://ann:secret@") + "/a.wav"):
        assert web.asked[-1][2]["Authorization"] == "Basic YW5uOnNlY3JldA=="


@pytest.mark.parametrize(
    ("status", "kind", "cause"),
    [
        (404, InputNotFound, "no such file"),
        (403, InputNotFound, "HTTP 403"),
        (410, InputNotFound, "HTTP 410"),
        (429, AudioUnreachable, "HTTP 429"),
        (500, AudioUnreachable, "HTTP 500"),
        (503, AudioUnreachable, "HTTP 503"),
    ],
)
def test_what_another_try_may_mend_is_told_from_what_it_cannot(
    web: WebServer, temporary: Path, status: int, kind: type[Exception], cause: str
) -> None:
    web.answers["/a.wav"] = Answer(status=status)
    with pytest.raises(kind, match=cause), fetched(f"{web.url}/a.wav"):
        pass
    assert list(temporary.iterdir()) == []


def test_an_address_where_nobody_answers_is_tried_again() -> None:
    with pytest.raises(AudioUnreachable, match="cannot fetch"), fetched(f"http://127.0.0.1:{free_port()}/a.wav"):
        pass


@pytest.mark.parametrize("answer", [Answer(b"x", stalls=True, promised_bytes=100), Answer(b"x", promised_bytes=100)])
def test_an_answer_that_stops_half_way_is_tried_again(web: WebServer, answer: Answer, temporary: Path) -> None:
    web.answers["/a.wav"] = answer
    with (
        pytest.raises(AudioUnreachable, match="cannot fetch"),
        fetched(f"{web.url}/a.wav", FetchLimits(silence_s=0.2)),
    ):
        pass
    assert list(temporary.iterdir()) == []


def test_what_is_too_large_is_refused(web: WebServer, temporary: Path) -> None:
    web.answers["/a.wav"] = Answer(b"x" * 2_000_001)
    with pytest.raises(InputTooLong, match="larger than 2 MB"), fetched(f"{web.url}/a.wav", FetchLimits(2_000_000)):
        pass
    assert list(temporary.iterdir()) == []


def test_what_takes_too_long_is_given_up(web: WebServer) -> None:
    web.answers["/a.wav"] = Answer(b"x" * 2_000_000)
    with pytest.raises(AudioUnreachable), fetched(f"{web.url}/a.wav", FetchLimits(total_s=1e-6)):
        pass


@pytest.mark.parametrize(
    "url", ["ftp://host/a.wav", "a.wav", "/tmp/a.wav", "C:/a.wav", "http://[::/a", "data:,x", "file:///a%00b"]
)
def test_what_is_no_address_of_ours_is_refused(url: str) -> None:
    with pytest.raises(InputNotFound), fetched(url):
        pass


def test_a_file_of_another_machine_is_refused() -> None:
    with pytest.raises(InputNotFound, match="of this machine"), fetched("file://other/a.wav"):
        pass


@pytest.mark.parametrize("status", [403, 404, 500])
def test_no_message_and_no_traceback_holds_a_secret(web: WebServer, status: int) -> None:
    web.answers["/a.wav"] = Answer(status=status)
    url = web.url.replace("http://", "http://ann:hunter2@") + "/a.wav?signature=hunter2#hunter2"
    with pytest.raises((InputError, AudioUnreachable)) as caught, fetched(url):
        pass
    told = "".join(traceback.format_exception(caught.value))
    assert "hunter2" not in told
    assert f"{web.url}/a.wav" in str(caught.value)


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("https://ann:pass@host:8443/a.wav?sig=x#y", "https://host:8443/a.wav"),
        ("s3://bucket/a b.wav", "s3://bucket/a b.wav"),
        ("https://ann:pass@[::/a.wav?sig=x", "[::/a.wav"),
    ],
)
def test_what_people_see_of_an_address(url: str, text: str) -> None:
    assert shown(url) == text
