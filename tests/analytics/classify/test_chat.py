from __future__ import annotations

import json
import socket
from dataclasses import dataclass

import pytest

from plugandtell.analytics.classify.chat import KEY, ChatClient
from plugandtell.analytics.settings import EngineSettings, TextEngine
from plugandtell.core.errors import EngineFailed, EngineUnavailable, PlugAndTellError
from plugandtell.core.secret import Secret
from tests.analytics.classify.chat_stub import Reply, chat_stub, says

SECRET = "sk-quite-secret"


@dataclass(frozen=True, slots=True)
class Number:
    number: int


def small(answer: Number) -> None:
    if answer.number > 9:
        raise ValueError(f"{answer.number} is too large")


def ask(url: str, timeout_s: float = 10.0) -> Number:
    client = ChatClient(url, "model-1", Secret(SECRET), timeout_s)
    return client.ask("Give a number.", "three", Number, small)


def test_the_question_and_the_key_go_to_the_endpoint() -> None:
    with chat_stub(says({"number": 3})) as stub:
        assert ask(f"{stub.url}/") == Number(3)
    [(path, headers, body)] = stub.asked
    assert path == "/v1/chat/completions"
    assert headers["Authorization"] == f"Bearer {SECRET}"
    assert body["model"] == "model-1"
    assert [message["content"] for message in body["messages"]] == ["Give a number.", "three"]


def test_without_a_key_none_is_sent() -> None:
    with chat_stub(says({"number": 3})) as stub:
        ChatClient(stub.url, "m").ask("x", "y", Number, small)
    assert "Authorization" not in stub.asked[0][1]


def test_a_fence_around_the_json_is_taken_off() -> None:
    with chat_stub(says('```json\n{"number": 4}\n```')) as stub:
        assert ask(stub.url) == Number(4)


@pytest.mark.parametrize(("wrong", "why"), [("Sure! It is 3.", "malformed"), ('{"number": 12}', "12 is too large")])
def test_an_answer_of_the_wrong_form_gets_a_second_chance(wrong: str, why: str) -> None:
    with chat_stub(says(wrong), says({"number": 5})) as stub:
        assert ask(stub.url) == Number(5)
    messages = stub.asked[1][2]["messages"]
    assert [message["role"] for message in messages] == ["system", "user", "assistant", "user"]
    assert why in messages[-1]["content"]


def test_two_answers_of_the_wrong_form_are_a_failure() -> None:
    with chat_stub(says('{"number": "three"}')) as stub:
        with pytest.raises(EngineFailed, match="2 times with something else"):
            ask(stub.url)
        assert len(stub.asked) == 2


@pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 502, 503])
def test_what_may_pass_is_tried_again_later(status: int) -> None:
    with chat_stub(Reply(b"busy", status)) as stub, pytest.raises(EngineFailed, match=f"answers {status}"):
        ask(stub.url)


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_is_refused_will_be_refused_again(status: int) -> None:
    with chat_stub(Reply(SECRET.encode(), status)) as stub, pytest.raises(EngineUnavailable, match=KEY):
        ask(stub.url)


@pytest.mark.parametrize("status", [400, 404, 422])
def test_a_question_that_is_refused_will_be_refused_again(status: int) -> None:
    with chat_stub(Reply(b"no", status)) as stub, pytest.raises(EngineUnavailable, match="--chat-url and --chat-model"):
        ask(stub.url)


def test_the_key_is_not_carried_to_another_address() -> None:
    with chat_stub(says({"number": 3})) as elsewhere:
        moved = Reply(b"", 302, (("Location", f"{elsewhere.url}/chat/completions"),))
        with chat_stub(moved) as stub, pytest.raises(EngineUnavailable, match="answers 302"):
            ask(stub.url)
        assert elsewhere.asked == []


@pytest.mark.parametrize(
    "body",
    [
        b"<html>",
        b"[]",
        b'{"choices": []}',
        b'{"choices": [{"message": {"content": null}}]}',
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
def test_what_is_no_chat_completion_is_a_failure(body: bytes) -> None:
    with chat_stub(Reply(body)) as stub, pytest.raises(EngineFailed):
        ask(stub.url)


def test_a_server_that_says_nothing_is_a_failure() -> None:
    with chat_stub(Reply(stalls=True)) as stub, pytest.raises(EngineFailed, match="it takes too long"):
        ask(stub.url, timeout_s=0.1)


def test_nobody_there_is_a_failure() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(EngineFailed, match="refused"):
        ask(f"http://127.0.0.1:{port}/v1")


@pytest.mark.parametrize("reply", [Reply(b"x", 401), Reply(b"x", 500), Reply(b"x"), says("x")])
def test_no_error_tells_the_key_or_a_password(reply: Reply) -> None:
    with chat_stub(reply) as stub:
        client = ChatClient(stub.url, "m", Secret(SECRET))
        with pytest.raises(PlugAndTellError) as failed:
            client.ask("x", "y", Number, small)
    assert SECRET not in f"{failed.value!r} {failed.value} {client!r}"


@pytest.mark.parametrize("url", ["", "ftp://host/v1", "host:80", "http://", "http://[::1", "http://a:b@host/v1"])
def test_an_address_that_is_none_is_said(url: str) -> None:
    with pytest.raises(EngineUnavailable, match="is no http address"):
        ChatClient(url, "m")


def test_the_key_comes_from_the_environment() -> None:
    settings = EngineSettings(text=TextEngine.CHAT, chat_url="https://example.org/v1", chat_model="big")
    client = ChatClient.of(settings, {KEY: f" {SECRET}\n"})
    assert client.key is not None
    assert (client.key.reveal(), client.model) == (SECRET, "big")
    assert ChatClient.of(settings, {}).key is None


def test_what_is_sent_is_json() -> None:
    with chat_stub(says({"number": 1})) as stub:
        ask(stub.url)
    assert json.loads(json.dumps(stub.asked[0][2]))["response_format"] == {"type": "json_object"}
