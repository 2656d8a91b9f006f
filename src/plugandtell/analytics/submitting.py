"""What becomes a call: a recording of ours, any other audio file, or audio at a URL.

The id of a call follows from what is submitted, so that submitting it again, after a crash or by another process,
changes nothing: for a recording it is the id of its segment, for anything else a hash of the audio, or of its URL
without what is signed anew each time, and of what was said about it.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Final, Protocol
from urllib.parse import unquote, urlsplit

from plugandtell.analytics.audio_source import shown, store
from plugandtell.core.errors import InputNotAudio, InputNotFound
from plugandtell.core.recording import read_final_sidecar

if TYPE_CHECKING:
    from pathlib import Path

    from plugandtell.core.call import CallOptions
    from plugandtell.core.recording import Origin

_ID_DIGITS = 32
_SIGNED_PREFIXES: Final = ("x-amz-", "x-goog-")
_SIGNED: Final = frozenset({"signature", "expires", "awsaccesskeyid", "key-pair-id", "policy", "token"})
"""What signs a URL, in lower case: AWS's signatures of version 2 and 4, CloudFront's and Google's; tokens of others."""
_AZURE_SIGNATURE: Final = "sig"
_SIGNED_BY_AZURE: Final = frozenset(
    {"sig", "se", "sp", "sv", "sr", "st", "spr", "ske", "skoid", "sks", "skt", "sktid", "skv"}
)
"""Azure's shared access signatures. Names so short may mean something else, and count only beside `sig` itself."""


class Intake(Protocol):
    """Where calls are submitted."""

    async def submit(self, call_id: str, audio_url: str, source: str, options: CallOptions) -> bool:
        """Take a call in; False if it was there already, which changes nothing.

        Raises:
            StoreUnreachable: Submit it again.
        """
        ...


@dataclass(frozen=True, slots=True)
class Submission:
    """A call to be.

    Attributes:
        call_id: Its id.
        source: What it is of, for people.
        options: What is known about it.
        url: Where its audio is; None for a file.
        path: The file; None for a URL.
    """

    call_id: str
    source: str
    options: CallOptions
    url: str | None = None
    path: Path | None = None


def of_recording(sidecar: Path, options: CallOptions) -> Submission:
    """A recording of ours, by its sidecar.

    Raises:
        InputNotAudio: It is no sidecar of a recording, or the recording is not beside it.
    """
    try:
        origin, path = _recording_of(sidecar)
    except (OSError, ValueError) as exc:
        cause = exc.strerror if isinstance(exc, OSError) and exc.strerror else str(exc)
        raise InputNotAudio(str(sidecar), f"it is no sidecar of a finished recording ({cause})") from exc
    known = replace(options, started_at=options.started_at or origin.started_at)
    return Submission(str(origin.segment_id), str(path), known, path=path)


def _recording_of(sidecar: Path) -> tuple[Origin, Path]:
    origin, _, wav = read_final_sidecar(sidecar.read_text(encoding="utf-8"))
    path = sidecar.with_name(wav.name)
    size_bytes = path.stat().st_size
    if size_bytes != wav.size_bytes:
        raise ValueError(f"{wav.name} has {size_bytes} bytes instead of {wav.size_bytes}")
    return origin, path


def of_file(path: Path, options: CallOptions) -> Submission:
    """An audio file, whatever it is of. A recording of ours, with its sidecar beside it, is known as such.

    Raises:
        InputNotFound: There is no such file, or it cannot be read.
    """
    if not path.is_file():
        raise InputNotFound(str(path), "it is a folder: give --watch" if path.is_dir() else "there is no such file")
    sidecar = path.with_suffix(".json")
    if sidecar.is_file():
        try:
            recording = of_recording(sidecar, options)
            if recording.path == path:
                return recording
        except InputNotAudio:
            pass
    try:
        with path.open("rb") as file:
            audio = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as exc:
        raise InputNotFound(str(path), (exc.strerror or str(exc)).lower()) from exc
    return Submission(_id_from(audio, options), str(path), options, path=path)


def of_url(url: str, options: CallOptions) -> Submission:
    """Audio at a URL. Passwords and signatures, which may change, are no part of what it is; the rest of a query is."""
    return Submission(_id_from(_lasting(url), options), shown(url), options, url=url)


def _lasting(url: str) -> str:
    """What of a URL stays as it is when somebody signs it again; it may hold secrets, and is for hashing alone."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return shown(url)
    fields = [(unquote(field.partition("=")[0]).lower(), field) for field in parts.query.split("&")]
    signed = _SIGNED | (_SIGNED_BY_AZURE if _AZURE_SIGNATURE in dict(fields) else frozenset())
    kept = [field for name, field in fields if name not in signed and not name.startswith(_SIGNED_PREFIXES)]
    query = "&".join(kept) if parts.scheme != "file" else ""  # a path has none
    return f"{shown(url)}?{query}" if query else shown(url)


class Submitting:
    """Submits calls, and sees to it that workers can read their audio.

    Args:
        intake: Where calls are submitted.
        audio_store: Where files are copied to first, for workers on other machines; None if they see the same files.
    """

    def __init__(self, intake: Intake, audio_store: str | None = None) -> None:
        self._intake = intake
        self._audio_store = audio_store

    async def submit(self, submission: Submission) -> bool:
        """Submit it; False if it is known already, which changes nothing.

        Raises:
            StoreUnreachable: Submit it again.
            WriteFailed: Its audio could not be copied; submit it again.
            InputNotFound: The file is gone.
        """
        url = submission.url
        if url is None:
            url = await asyncio.to_thread(self._place, submission)
        return await self._intake.submit(submission.call_id, url, submission.source, submission.options)

    def _place(self, submission: Submission) -> str:
        assert submission.path is not None
        if self._audio_store is None:
            return submission.path.resolve().as_uri()
        return store(submission.path, self._audio_store, submission.call_id + submission.path.suffix)


def _id_from(audio: str, options: CallOptions) -> str:
    content = json.dumps([audio, asdict(options)], default=str)
    return hashlib.sha256(content.encode()).hexdigest()[:_ID_DIGITS]
