"""What a pool and its children say to one another, in frames: a tag, the length of the rest, the rest.

A child reads files of strangers with native libraries, so that the pool believes little of what it says: JSON of known
types comes back, never a pickle. The way there is a pickle: the pool is who started the child.
"""

from __future__ import annotations

import json
import pickle
import struct
import traceback
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Final

from plugandtell.core import errors
from plugandtell.core.errors import EngineFailed, PlugAndTellError

if TYPE_CHECKING:
    from collections.abc import Callable

    from plugandtell.analytics.service import Service
    from plugandtell.core.call import Stage
    from plugandtell.core.log_level import LogLevel

HEAD: Final = struct.Struct(">BI")
MAX_BYTES: Final = 256 * 1024 * 1024


class Tag(IntEnum):
    """What a frame is about.

    To a child: `start`, what it is to be, and `job`, a call. From it: `ready` for its first job; `taken`, the job is in
    hand; where the service tells, `fetching`, the audio is on its way, `fetched`, it is there, and its `length` in
    milliseconds; `result`; `failed`, which ends a start or a job; and at any time `log`, an event.
    """

    START = 1
    JOB = 2
    READY = 3
    TAKEN = 4
    LENGTH = 5
    LOG = 6
    RESULT = 7
    FAILED = 8
    FETCHING = 9
    FETCHED = 10


class BadFrame(ValueError):
    """What came is no frame; the text says why."""


@dataclass(frozen=True, slots=True)
class Start:
    """What a child is to be: the service of a stage.

    Attributes:
        stage: The stage.
        factory: Makes the service, in the child; can be pickled.
        log_level: Least severe events that it sends.
    """

    stage: Stage
    factory: Callable[[Stage], Service]
    log_level: LogLevel


def frame(tag: Tag, payload: bytes = b"") -> bytes:
    """A frame as it goes over the pipe."""
    return HEAD.pack(tag, len(payload)) + payload


def parse_head(head: bytes) -> tuple[Tag, int]:
    """The tag, and the length of what follows.

    Raises:
        BadFrame: There is no such tag, or it is too long.
    """
    number, length = HEAD.unpack(head)
    if length > MAX_BYTES:
        raise BadFrame(f"a frame of {length} bytes is larger than {MAX_BYTES}")
    try:
        return Tag(number), length
    except ValueError as exc:
        raise BadFrame(f"there is no frame with the tag {number}") from exc


def pickled(value: object) -> bytes:
    """A start or a call, on the way to a child."""
    return pickle.dumps(value, pickle.HIGHEST_PROTOCOL)


class ChildTraceback(Exception):
    """Where in the child it happened: the cause of the error, for whoever reads tracebacks."""

    def __str__(self) -> str:
        return f"\n{self.args[0]}"


def failure(error: BaseException, work: str) -> bytes:
    """An error, on the way back. What nobody raised on purpose becomes EngineFailed, for the engine named by `work`."""
    text = "".join(traceback.format_exception(error))
    if not isinstance(error, PlugAndTellError) or type(error).__module__ != errors.__name__:
        error = EngineFailed(work, f"{type(error).__name__}: {error}".removesuffix(": "))
    content = {"error": type(error).__name__, "args": error.args, "traceback": text}
    return json.dumps(content, default=str).encode()


def parse_failure(payload: bytes) -> PlugAndTellError:
    """The error that a child sent, caused by a `ChildTraceback`.

    Raises:
        BadFrame: It is none.
    """
    try:
        content = json.loads(payload)
        kind = getattr(errors, content["error"])
        if not issubclass(kind, PlugAndTellError):
            raise BadFrame(f"{content['error']} is no error of ours")
        error: PlugAndTellError = kind(*content["args"])
        error.__cause__ = ChildTraceback(str(content["traceback"]))
    except (AttributeError, KeyError, TypeError, UnicodeDecodeError, RecursionError, json.JSONDecodeError) as exc:
        raise BadFrame(f"no error that can be read: {payload[:200]!r}") from exc
    return error
