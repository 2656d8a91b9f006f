"""A call's audio, wherever its URL says it is, and where workers elsewhere find it. Nothing else imports fsspec.

`file://` is the file itself. Everything else is fetched into a temporary file, with a limit to its size and to the time
it may take. A URL may hold a password or a signature; messages never do.
"""

from __future__ import annotations

import os
import shutil
import string
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, Any, Final
from urllib.parse import SplitResult, quote, urlsplit
from urllib.request import url2pathname

import fsspec
from aiohttp import ClientResponseError, ClientTimeout

from plugandtell.core.audio_url import without_secrets
from plugandtell.core.errors import (
    AudioUnreachable,
    EngineUnavailable,
    InputError,
    InputNotFound,
    InputTooLong,
    InvalidSetting,
    PlugAndTellError,
    WriteFailed,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

_CHUNK_BYTES = 4 * 1024 * 1024  # one request each, of S3
_BUSY = (408, 425, 429)
"""What a client did right, but too soon or too often (RFC 9110, RFC 8470, RFC 6585)."""


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """How much is fetched, and for how long.

    Attributes:
        max_bytes: The largest file; four hours of stereo at 48 kHz and 16 bits are 2.8 GB.
        total_s: The longest that a whole file may take.
        silence_s: The longest without a single byte, which also bounds connecting.
    """

    max_bytes: int = 4_000_000_000
    total_s: float = 1800.0
    silence_s: float = 30.0


DEFAULT_LIMITS: Final = FetchLimits()


@contextmanager
def fetched(url: str, limits: FetchLimits = DEFAULT_LIMITS) -> Iterator[Path]:
    """The audio as a file, which is there until the `with` block is left.

    Args:
        url: `file://`, `http(s)://` or `s3://`.
        limits: How much is fetched, and for how long.

    Raises:
        InputNotFound: There is no such file, it may not be read, or the URL is none that can be.
        InputTooLong: It is larger than the limit.
        AudioUnreachable: It may be there, but cannot be had now.
        EngineUnavailable: The package for this kind of URL is not installed.
        WriteFailed: There is no room for a temporary file.
    """
    parts = _split(url)
    if parts.scheme == "file":
        yield _local_path(parts)
        return
    suffix = PurePosixPath(parts.path).suffix[:10]
    with tempfile.TemporaryDirectory(prefix="call-", ignore_cleanup_errors=True) as folder:
        path = Path(folder) / f"audio{suffix}"
        _fetch(url, path, limits)
        yield path


def store(path: Path, folder_url: str, name: str) -> str:
    """Copy a file to where workers elsewhere can read it; returns its URL there. Does nothing if it is there already.

    Args:
        path: The file.
        folder_url: `file://` for a folder that all see, or `s3://BUCKET/PREFIX`.
        name: What it is called there.

    Raises:
        InputNotFound: There is no such file.
        InvalidSetting: Nothing can be written to such a URL.
        EngineUnavailable: The package for this kind of URL is not installed.
        WriteFailed: It could not be copied now.
    """
    parts = _split(folder_url)
    if parts.scheme not in _STORES:
        raise InvalidSetting("--audio-store", shown(folder_url), "file:///FOLDER or s3://BUCKET/PREFIX")
    url = f"{folder_url.rstrip('/')}/{name}"
    try:
        size_bytes = path.stat().st_size
    except OSError as exc:
        raise InputNotFound(str(path), (exc.strerror or str(exc)).lower()) from exc
    try:
        if parts.scheme == "file":
            _copy_file(path, _local_path(urlsplit(url)), size_bytes)
        else:
            _upload(path, url, size_bytes)
    except ImportError as exc:
        raise _not_installed(parts.scheme, exc) from exc
    except Exception as exc:  # noqa: BLE001  (each kind of store raises what its own library raises)
        raise WriteFailed(shown(url), f"{type(exc).__name__}: {_without_secrets(str(exc), url)}") from None
    return url


def shown(url: str) -> str:
    """The URL without what may be secret in it: for people and for logs. A `file://` URL becomes its path."""
    try:
        parts = urlsplit(url)
        return str(_local_path(parts)) if parts.scheme == "file" else without_secrets(url)
    except (ValueError, InputError):
        return without_secrets(url)


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
    except ValueError as exc:
        raise InputNotFound(shown(url), f"it is no URL: {exc}") from None
    if parts.scheme not in _OPTIONS and parts.scheme != "file":
        raise InputNotFound(shown(url), "audio can be read from file://, https://, http:// and s3:// only")
    return parts


def _local_path(parts: SplitResult) -> Path:
    if parts.netloc not in ("", "localhost"):
        raise InputNotFound(parts.netloc + parts.path, "a file:// URL names a file of this machine: file:///PATH")
    path = url2pathname(parts.path)
    if "\0" in path:
        raise InputNotFound(parts.path, "no file can have this name")
    return Path(path)


def _http_options(limits: FetchLimits) -> dict[str, Any]:
    timeout = ClientTimeout(total=limits.total_s, sock_connect=limits.silence_s, sock_read=limits.silence_s)
    return {"client_kwargs": {"timeout": timeout, "trust_env": True}, "encoded": True}


def _s3_options(limits: FetchLimits) -> dict[str, Any]:
    waits = {"connect_timeout": limits.silence_s, "read_timeout": limits.silence_s}
    return {"config_kwargs": waits | {"retries": {"max_attempts": 1}}, "default_cache_type": "none"}


_STORES: Final = ("file", "s3")
_OPTIONS: Final = {"http": _http_options, "https": _http_options, "s3": _s3_options}
_AS_IT_IS: Final = string.punctuation
"""What is not quoted in a URL: a signed one must go out as it was signed. Other letters and spaces cannot go out."""
_STREAM: Final = {"block_size": 0, "size": 1}
"""One request from the first byte to the last. Where a size is given, whatever it is, fsspec asks for none beforehand,
in a way that makes "no such file" of every error."""


def _fetch(url: str, path: Path, limits: FetchLimits) -> None:
    try:
        with path.open("xb") as file:
            _copy(url, file, limits)
    except OSError as exc:
        raise WriteFailed(str(path), exc.strerror or str(exc)) from exc


def _copy(url: str, file: IO[bytes], limits: FetchLimits) -> None:
    ends_at = time.monotonic() + limits.total_s
    for chunk in _chunks(url, limits):
        if file.tell() + len(chunk) > limits.max_bytes:
            raise InputTooLong(shown(url), f"it is larger than {limits.max_bytes / 1e6:g} MB")
        if time.monotonic() > ends_at:
            raise AudioUnreachable(shown(url), f"it was not all there within {limits.total_s:g} s")
        file.write(chunk)


def _chunks(url: str, limits: FetchLimits) -> Iterator[bytes]:
    scheme = urlsplit(url).scheme
    try:
        system = fsspec.filesystem(scheme, skip_instance_cache=True, **_OPTIONS[scheme](limits))
        address, how = (url, {}) if scheme == "s3" else (quote(url, _AS_IT_IS), _STREAM)
        with system.open(address, "rb", **how) as source:
            while chunk := source.read(_CHUNK_BYTES):
                yield chunk
    except ImportError as exc:
        raise _not_installed(scheme, exc) from exc
    except Exception as exc:  # noqa: BLE001  (each kind of store raises what its own library raises)
        # From None: the text of the error may quote the URL, and tracebacks are kept on record.
        raise _judged(url, exc) from None


def _copy_file(path: Path, target: Path, size_bytes: int) -> None:
    if target.exists() and target.stat().st_size == size_bytes:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        shutil.copyfile(path, part)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _upload(path: Path, url: str, size_bytes: int) -> None:
    system = fsspec.filesystem(urlsplit(url).scheme, skip_instance_cache=True, **_s3_options(DEFAULT_LIMITS))
    try:
        if system.info(url)["size"] == size_bytes:
            return
    except FileNotFoundError:
        pass
    system.put_file(str(path), url)  # in one piece, or in parts that become visible together


def _not_installed(scheme: str, exc: ImportError) -> EngineUnavailable:
    return EngineUnavailable(f"{scheme}:// audio", str(exc), "install it with `pip install 'plugandtell[s3]'`")


def _judged(url: str, exc: Exception) -> PlugAndTellError:
    """What an error of some library means: gone for good, or worth another try."""
    name = shown(url)
    if isinstance(exc, FileNotFoundError):
        return InputNotFound(name, "no such file")
    if isinstance(exc, PermissionError):
        return InputNotFound(name, "access is denied: check the credentials that the worker has")
    if isinstance(exc, TimeoutError):
        return AudioUnreachable(name, "no answer in time")
    if isinstance(exc, ClientResponseError):
        if 400 <= exc.status < 500 and exc.status not in _BUSY:
            return InputNotFound(name, f"HTTP {exc.status}: check the address, and whether access has expired")
        return AudioUnreachable(name, f"HTTP {exc.status}")
    return AudioUnreachable(name, f"{type(exc).__name__}: {_without_secrets(str(exc), url)}")


def _without_secrets(text: str, url: str) -> str:
    parts = urlsplit(url)
    for secret in (url, parts.netloc.rpartition("@")[0], parts.password or "", parts.query, parts.fragment):
        if secret:
            text = text.replace(secret, "...")
    return text
