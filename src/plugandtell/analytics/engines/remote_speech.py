"""The remote engine: any server with OpenAI's `/v1/audio/transcriptions`."""

from __future__ import annotations

import io
import json
import uuid
import wave
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPException
from typing import TYPE_CHECKING, Any, Final
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

import numpy as np

from plugandtell.analytics.audio_source import shown
from plugandtell.analytics.engines.speech_to_text import RATE, Capabilities
from plugandtell.analytics.engines.voice_activity import find_speech, quietest
from plugandtell.core.errors import EngineFailed, EngineUnavailable, InvalidSetting
from plugandtell.core.hearing import Heard
from plugandtell.core.languages import code_of
from plugandtell.core.packing import Piece, overlap
from plugandtell.core.remote_answer import AnswerInvalid, utterances_in
from plugandtell.core.transcript import Engine

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from plugandtell.core.hearing import Utterance

KEY_VARIABLE: Final = "PLUGANDTELL_SPEECH_KEY"
"""Holds the key, and is therefore no setting: no flag shows it, and no file."""

_LONGEST_SAMPLES: Final = 600 * RATE  # 19 MB as WAV; OpenAI takes 25 MB
_SEAM_SAMPLES: Final = 30 * RATE
_MOST_ANSWER_BYTES: Final = 50 * 1024 * 1024
_SHOWN_CHARACTERS: Final = 300
_TRY_AGAIN: Final = (
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.CONFLICT,
    HTTPStatus.TOO_EARLY,
    HTTPStatus.TOO_MANY_REQUESTS,
)


@dataclass(frozen=True, slots=True)
class SpeechServer:
    """Where the engine is.

    Attributes:
        url: The address before `/audio/transcriptions`.
        model: What it is asked for.
        key: Sent as a bearer token; empty for none. It is in no message and no log.
        timeout_s: The longest without a byte, connecting included. Less than any job may take: a server that hangs is
            an engine that failed, and the call not to blame.
        per_audio_s: What is added to that for each second of audio in a request, since a server may answer when all is
            done; a request is up to ten minutes of audio.

    Raises:
        InvalidSetting: The address is none of a web server.
    """

    url: str
    model: str
    key: str = ""
    timeout_s: float = 60.0
    per_audio_s: float = 0.4

    def __post_init__(self) -> None:
        if not _is_web_address(self.url):
            raise InvalidSetting("--speech-url", shown(self.url), "an address such as https://HOST/v1")

    def patience_s(self, audio_s: float) -> float:
        """The longest without a byte of the answer to so much audio."""
        return self.timeout_s + self.per_audio_s * audio_s

    def __repr__(self) -> str:
        return f"SpeechServer({shown(self.url)!r}, {self.model!r})"


class RemoteSpeech:
    """The server, asked once for each ten minutes of a channel. Trying again is up to the queue."""

    def __init__(self, server: SpeechServer) -> None:
        self._server = server
        self._opener = build_opener(_NoRedirect)
        self._address = f"{server.url.rstrip('/')}/audio/transcriptions"

    @property
    def engine(self) -> Engine:
        """What it is called in a transcript. The server's own version is not known."""
        return Engine(f"remote-{self._server.model}", "v1")

    @property
    def capabilities(self) -> Capabilities:
        """What it can do."""
        return Capabilities(None, has_word_times=True, can_stream=False)

    def transcribe(self, samples: NDArray[np.float32], language: str | None, languages: Sequence[str]) -> Heard:
        """See `SpeechToText`. Nothing is sent of a part in which nobody speaks."""
        speech = find_speech(samples)
        utterances: list[Utterance] = []
        found = language
        for part in _parts(samples):
            if not overlap(speech, part.start, part.end):
                continue
            answer = self._ask(samples[part.start : part.end], found)
            if found is None:
                found = code_of(str(answer.get("language", "")))
                if found not in languages:  # what nobody here speaks was misheard
                    found = languages[0]
                    answer = self._ask(samples[part.start : part.end], found)
            utterances += self._heard(answer, part, speech)
        return Heard(found if utterances else None, tuple(utterances))

    def _heard(self, answer: Mapping[str, Any], part: Piece, speech: Sequence[Piece]) -> Iterable[Utterance]:
        try:
            found = utterances_in(answer, _ms(part.start), _ms(part.samples))
        except AnswerInvalid as exc:
            raise self._unusable(f"its answer cannot be read: {exc}") from exc
        return [heard for heard in found if overlap(speech, _samples(heard.span.start_ms), _samples(heard.span.end_ms))]

    def _ask(self, sound: NDArray[np.float32], language: str | None) -> Mapping[str, Any]:
        fields = [
            ("model", self._server.model),
            ("response_format", "verbose_json"),
            ("temperature", "0"),
            ("timestamp_granularities[]", "word"),
            ("timestamp_granularities[]", "segment"),
            *([("language", language)] if language else []),
        ]
        body, kind = _form(fields, _wav(sound))
        headers = {"Content-Type": kind, "Accept": "application/json"}
        if self._server.key:
            headers["Authorization"] = f"Bearer {self._server.key}"
        request = Request(self._address, body, headers)  # noqa: S310  (`SpeechServer` takes no other scheme than http)
        answer = self._send(request, self._server.patience_s(len(sound) / RATE))
        try:
            decoded = json.loads(answer)
        except ValueError as exc:
            raise self._unusable("its answer is no JSON") from exc
        if not isinstance(decoded, dict) or not isinstance(decoded.get("text"), str):
            raise self._unusable("its answer has no text in it")
        return decoded

    def _send(self, request: Request, timeout_s: float) -> bytes:
        try:
            with self._opener.open(request, timeout=timeout_s) as answer:
                found: bytes = answer.read(_MOST_ANSWER_BYTES)
                if answer.length:  # what it still owes: a read with a limit does not complain
                    raise EngineFailed(self._name, f"its answer was cut short, {answer.length} bytes before its end")
                return found
        except HTTPError as exc:
            with exc:
                cause = f"HTTP {exc.code}: {_shown(exc.read(_MOST_ANSWER_BYTES))}".replace(
                    self._server.key or "\0", "***"
                )
            if exc.code >= HTTPStatus.INTERNAL_SERVER_ERROR or exc.code in _TRY_AGAIN:
                raise EngineFailed(self._name, cause) from None
            raise self._unusable(cause) from None
        except (URLError, HTTPException, OSError) as exc:
            raise EngineFailed(self._name, str(getattr(exc, "reason", exc)) or type(exc).__name__) from exc
        except ValueError:  # its text would quote the key
            raise self._unusable("the key cannot be sent: it has characters in it that no key has") from None

    @property
    def _name(self) -> str:
        return f"the speech engine at {shown(self._server.url)}"

    def _unusable(self, cause: str) -> EngineUnavailable:
        hint = f"check --speech-url, --speech-model and the key in {KEY_VARIABLE}"
        return EngineUnavailable(self._name, cause, hint)


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _ms(samples: int) -> int:
    return samples * 1000 // RATE


def _samples(ms: int) -> int:
    return ms * RATE // 1000


class _NoRedirect(HTTPRedirectHandler):
    """A redirect is an answer like any other that is not 200: the key goes to nobody but the server it is meant for."""

    def redirect_request(self, *_: object) -> None:
        return None


def _parts(samples: NDArray[np.float32]) -> Iterable[Piece]:
    """Stretches that a server takes, parted where it is quietest."""
    start = 0
    while len(samples) - start > _LONGEST_SAMPLES:
        end = quietest(samples, start + _LONGEST_SAMPLES - _SEAM_SAMPLES, start + _LONGEST_SAMPLES)
        yield Piece(start, end)
        start = end
    if start < len(samples):
        yield Piece(start, len(samples))


def _wav(sound: NDArray[np.float32]) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes())
    return out.getvalue()


def _form(fields: Iterable[tuple[str, str]], wav: bytes) -> tuple[bytes, str]:
    """The fields and the file as multipart/form-data (RFC 7578), and its content type."""
    boundary = uuid.uuid4().hex
    lines = []
    for name, value in fields:
        lines.append(f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode())
    lines.append(
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="call.wav"\r\n'
        f"Content-Type: audio/wav\r\n\r\n".encode()
    )
    return b"".join([*lines, wav, f"\r\n--{boundary}--\r\n".encode()]), f"multipart/form-data; boundary={boundary}"


def _shown(answer: bytes) -> str:
    """What a server says of an error, on one line and not too much of it."""
    text = " ".join(answer.decode("utf-8", "replace").split())
    with suppress(ValueError, KeyError, TypeError):
        text = str(json.loads(answer)["error"]["message"])
    return text[:_SHOWN_CHARACTERS]
