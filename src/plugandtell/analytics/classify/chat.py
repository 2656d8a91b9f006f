"""Asks an OpenAI-compatible chat endpoint for an answer in JSON.

What comes back is believed only as far as it is what was asked for. The key is sent to that address and nowhere else:
redirects are not followed, and no error names it.
"""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import urlsplit

from plugandtell.analytics.wire import Unreadable, from_json
from plugandtell.core.errors import EngineFailed, EngineUnavailable
from plugandtell.core.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from plugandtell.analytics.settings import EngineSettings

KEY: Final = "PLUGANDTELL_CHAT_KEY"
NAME: Final = "chat"
TIMEOUT_S: Final = 60.0
"""Without a word from the server."""

_TRIES: Final = 2  # an answer of the wrong form gets a second chance
_MOST_BYTES: Final = 4_000_000  # of one answer
_MAY_PASS: Final = frozenset(
    {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
)
_KEY_REFUSED: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})

_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True)
class ChatClient:
    """One model at one endpoint.

    Attributes:
        url: The address before `/chat/completions`.
        model: Its name there.
        key: Of the endpoint; None where it wants none.
        timeout_s: Without a word from the server.

    Raises:
        EngineUnavailable: The address is none.
    """

    url: str
    model: str
    key: Secret | None = None
    timeout_s: float = TIMEOUT_S

    def __post_init__(self) -> None:
        if not _is_http(self.url):
            raise EngineUnavailable(
                NAME, "its address is no http address", "give --chat-url as https://HOST/v1, the key in " + KEY
            )

    @classmethod
    def of(cls, settings: EngineSettings, environment: Mapping[str, str]) -> ChatClient:
        """As the settings say, with the key from the environment.

        Raises:
            EngineUnavailable: There is no usable address.
        """
        key = environment.get(KEY, "").strip()
        return cls(settings.chat_url or "", settings.chat_model, Secret(key) if key else None)

    def ask(self, task: str, data: str, kind: type[_Answer], check: Callable[[_Answer], None]) -> _Answer:
        """An answer of that kind, which the check accepts.

        Args:
            task: What to do, and in which form to answer.
            data: What to do it with: never an instruction.
            kind: What the JSON must be.
            check: Raises `ValueError` for what does not fit the question.

        Raises:
            EngineFailed: It cannot be reached, is too busy, or answers with something else twice.
            EngineUnavailable: It refuses: the key, the model or the address is wrong.
        """
        messages = [{"role": "system", "content": task}, {"role": "user", "content": data}]
        problem = ""
        for _ in range(_TRIES):
            content = self._content(messages)
            try:
                answer = from_json(_unfenced(content), kind)
                check(answer)
            except (Unreadable, ValueError) as exc:
                problem = str(exc)
                correction = f"That is not what was asked for: {problem}. Answer again, with the JSON alone."
                messages = [
                    *messages[:2],
                    {"role": "assistant", "content": content},
                    {"role": "user", "content": correction},
                ]
            else:
                return answer
        raise EngineFailed(NAME, f"{self.model} answered {_TRIES} times with something else than asked for: {problem}")

    def _content(self, messages: list[dict[str, str]]) -> str:
        body = {
            "model": self.model,
            "messages": messages,
            "temperature": 0,
            "response_format": {"type": "json_object"},
        }
        try:
            answer = json.loads(self._post(json.dumps(body).encode()))
            content = answer["choices"][0]["message"]["content"]
        except (ValueError, LookupError, TypeError, RecursionError) as exc:
            raise EngineFailed(NAME, f"what {self._where} answers is no chat completion") from exc
        if not isinstance(content, str):
            raise EngineFailed(NAME, f"what {self._where} answers holds no text")
        return content

    def _post(self, body: bytes) -> bytes:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self.key is not None:
            headers["Authorization"] = f"Bearer {self.key.reveal()}"
        request = urllib.request.Request(f"{self.url.rstrip('/')}/chat/completions", body, headers)  # noqa: S310  # http
        opener = urllib.request.build_opener(_NoRedirects)
        try:
            with opener.open(request, timeout=self.timeout_s) as response:
                data: bytes = response.read(_MOST_BYTES + 1)
        except urllib.error.HTTPError as exc:
            with exc:
                raise self._refusal(exc.code) from exc
        except (OSError, http.client.HTTPException, ValueError) as exc:
            raise EngineFailed(NAME, f"{self._where} does not answer: {_reason(exc)}") from exc
        if len(data) > _MOST_BYTES:
            raise EngineFailed(NAME, f"{self._where} answers with more than {_MOST_BYTES} bytes")
        return data

    def _refusal(self, status: int) -> EngineFailed | EngineUnavailable:
        said = f"{self._where} answers {status}"
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _MAY_PASS:
            return EngineFailed(NAME, said)
        if status in _KEY_REFUSED:
            return EngineUnavailable(NAME, said, f"check the key in {KEY}")
        return EngineUnavailable(NAME, said, "check --chat-url and --chat-model")

    @property
    def _where(self) -> str:
        """The address without what a password could be in."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.hostname}" + (f":{parts.port}" if parts.port else "")


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Whoever is sent elsewhere would take the key along."""

    def redirect_request(self, *_args: Any, **_kwargs: Any) -> None:
        """Nowhere: the redirect becomes an error."""


def _is_http(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return (
            parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and "@" not in parts.netloc
        )
    except ValueError:
        return False


def _unfenced(content: str) -> str:
    """Without the fence that models like to put around code."""
    text = content.strip()
    if text.startswith("```") and text.endswith("```") and "\n" in text:
        return text.split("\n", 1)[1][:-3].strip()
    return text


def _reason(exc: Exception) -> str:
    """Why, in a few words that hold nothing of the request."""
    cause = exc.reason if isinstance(exc, urllib.error.URLError) else exc
    if isinstance(cause, TimeoutError):
        return "it takes too long"
    return (cause.strerror if isinstance(cause, OSError) else None) or type(cause).__name__
