from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from plugandtell.analytics.engines.remote_speech import RemoteSpeech, SpeechServer
from plugandtell.analytics.engines.speech_to_text import RATE
from plugandtell.analytics.settings import WorkerSettings
from plugandtell.core.call import Stage
from plugandtell.core.errors import EngineFailed, EngineUnavailable, InvalidSetting
from tests.support.http_server import Answer, WebServer, web_server
from tests.support.speech import sentence

if TYPE_CHECKING:
    from collections.abc import Iterator

PATH = "/v1/audio/transcriptions"
SECRET = "sk-very-secret"
SPOKEN = sentence(4).astype(np.float32) / np.float32(32768)


@pytest.fixture
def server() -> Iterator[WebServer]:
    with web_server() as running:
        yield running


def answer(server: WebServer, status: int = 200, **fields: object) -> None:
    server.answers[PATH] = Answer(json.dumps(fields).encode(), status)


def engine(server: WebServer, **options: Any) -> RemoteSpeech:
    return RemoteSpeech(SpeechServer(f"{server.url}/v1", "whisper-1", SECRET, **options))


def test_it_sends_the_sound_the_model_the_language_and_the_key(server: WebServer) -> None:
    answer(server, text="Bonjour.", language="french")
    engine(server).transcribe(SPOKEN, "fr", ("en", "fr"))
    (asked,), (body,) = server.asked, server.posted
    assert asked[:2] == ("POST", PATH)
    assert asked[2]["Authorization"] == f"Bearer {SECRET}"
    for name, value in (("model", "whisper-1"), ("language", "fr"), ("response_format", "verbose_json")):
        assert f'name="{name}"\r\n\r\n{value}\r\n'.encode() in body
    wav = body[body.index(b"RIFF") : body.rindex(b"\r\n--")]
    assert wav[44:] == (np.clip(SPOKEN, -1, 1) * 32767).astype("<i2").tobytes()


def test_without_a_key_none_is_sent(server: WebServer) -> None:
    answer(server, text="Hello.")
    RemoteSpeech(SpeechServer(f"{server.url}/v1/", "whisper-1")).transcribe(SPOKEN, "en", ("en",))
    assert "Authorization" not in server.asked[0][2]


def test_silence_is_not_even_sent(server: WebServer) -> None:
    assert engine(server).transcribe(np.zeros(3 * RATE, np.float32), None, ("en",)).utterances == ()
    assert server.asked == []


def test_what_it_writes_where_nobody_speaks_is_left_out(server: WebServer) -> None:
    said = {"start": 0.2, "end": 1.2, "text": "This is the third recording."}
    answer(server, text="", segments=[said, {"start": 8.0, "end": 9.0, "text": "And a good day to you."}])
    heard = engine(server).transcribe(np.concatenate([SPOKEN, np.zeros(9 * RATE, np.float32)]), "en", ("en",))
    assert [utterance.text for utterance in heard.utterances] == ["This is the third recording."]


def test_a_language_that_nobody_here_speaks_is_asked_for_anew(server: WebServer) -> None:
    answer(server, text="Rwy'n hapus.", language="welsh")
    heard = engine(server).transcribe(SPOKEN, None, ("en", "fr"))
    assert heard.language == "en"
    assert [b'name="language"' in body for body in server.posted] == [False, True]


def test_a_long_call_is_sent_in_parts_with_their_times(server: WebServer) -> None:
    answer(server, text="Hello.", segments=[{"start": 0.3, "end": 1.0, "text": "Hello."}], language="english")
    # Speech at the start of each part: a long call in little memory.
    call = np.zeros(1190 * RATE, np.float32)
    call[: len(SPOKEN)] = SPOKEN
    call[571 * RATE : 571 * RATE + len(SPOKEN)] = SPOKEN
    heard = engine(server).transcribe(call, None, ("en",))
    assert len(server.posted) == 2
    assert all(len(body) < 25_000_000 for body in server.posted)
    assert heard.utterances[0].span.start_ms == 300
    assert heard.utterances[1].span.start_ms > 570_000


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504])
def test_a_busy_or_broken_server_may_work_another_time(server: WebServer, status: int) -> None:
    answer(server, status, error={"message": "come back later"})
    with pytest.raises(EngineFailed, match=f"HTTP {status}: come back later"):
        engine(server).transcribe(SPOKEN, "en", ("en",))


@pytest.mark.parametrize("status", [301, 307, 400, 401, 403, 404, 413])
def test_what_the_server_refuses_it_will_refuse_again(server: WebServer, status: int) -> None:
    answer(server, status, error={"message": f"bad key {SECRET}"})
    with pytest.raises(EngineUnavailable, match=f"HTTP {status}") as caught:
        engine(server).transcribe(SPOKEN, "en", ("en",))
    assert SECRET not in str(caught.value)
    assert len(server.asked) == 1


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"text": 7}', b'{"text": "a", "segments": [{}]}', b"\xff"])
def test_an_answer_of_another_form_is_refused(server: WebServer, body: bytes) -> None:
    server.answers[PATH] = Answer(body)
    with pytest.raises(EngineUnavailable, match="its answer"):
        engine(server).transcribe(SPOKEN, "en", ("en",))


def test_a_server_that_falls_silent_is_given_up(server: WebServer) -> None:
    server.answers[PATH] = Answer(b"{", promised_bytes=100, stalls=True)
    with pytest.raises(EngineFailed, match="timed out"):
        engine(server, timeout_s=0.2, per_audio_s=0.0).transcribe(SPOKEN, "en", ("en",))


@pytest.mark.parametrize("audio_s", [0.1, 60, 600])
def test_a_server_that_hangs_is_given_up_before_the_call_is_over_its_time_limit(audio_s: float) -> None:
    patience_s = SpeechServer("https://host/v1", "m").patience_s(audio_s)
    assert 60 <= patience_s < WorkerSettings().time_limit_s(Stage.TRANSCRIPTION, audio_s)


def test_an_answer_that_is_cut_short_may_be_whole_another_time(server: WebServer) -> None:
    server.answers[PATH] = Answer(b'{"text": "Hel', promised_bytes=100)
    with pytest.raises(EngineFailed, match="cut short"):
        engine(server).transcribe(SPOKEN, "en", ("en",))


def test_a_server_that_is_not_there_may_be_there_another_time() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        nobody = RemoteSpeech(SpeechServer(f"http://127.0.0.1:{taken.getsockname()[1]}/v1", "m", SECRET))
        with pytest.raises(EngineFailed, match="refused"):
            nobody.transcribe(SPOKEN, "en", ("en",))


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://example.com", "example.com/v1", "http://", "http://[::"])
def test_only_an_address_on_the_web_is_taken(url: str) -> None:
    with pytest.raises(InvalidSetting, match="--speech-url"):
        SpeechServer(url, "whisper-1")


def test_a_key_that_cannot_be_sent_is_not_shown(server: WebServer) -> None:
    with pytest.raises(EngineUnavailable, match="key cannot be sent") as caught:
        RemoteSpeech(SpeechServer(server.url, "m", f"{SECRET}\nX: y")).transcribe(SPOKEN, "en", ("en",))
    assert SECRET not in str(caught.value)


def test_a_password_in_the_address_is_not_shown() -> None:
    with pytest.raises(EngineFailed) as caught:
        RemoteSpeech(SpeechServer("http://me:hidden@127.0.0.1:1/v1", "m")).transcribe(SPOKEN, "en", ("en",))
    assert "hidden" not in str(caught.value)
    assert "hidden" not in repr(SpeechServer("http://me:hidden@example.com/v1", "m"))


def test_the_key_is_not_in_what_is_shown_of_the_server() -> None:
    assert SECRET not in repr(SpeechServer("https://example.com/v1", "m", SECRET))
