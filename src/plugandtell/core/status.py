"""What a client and a server are doing now, for whoever watches them: snapshots, and how they go through a pipe.

Nothing is decided by them, and nothing waits for them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

from plugandtell.core.gate import GateState
from plugandtell.core.talk import TalkState

FLOOR_DB = -60.0
"""Levels are decibels below full scale, which is 0; what is quieter than this counts as this."""


class Phase(StrEnum):
    """Where in its life a process is."""

    STARTING = "starting"
    RUNNING = "running"
    FINISHING = "finishing"


class LineState(StrEnum):
    """Whether a client has its server."""

    CONNECTING = "connecting"
    CONNECTED = "connected"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Heard:
    """How loud it was lately, a number and a letter for each tenth of a second.

    Attributes:
        levels_db: The loudest sample of each, from `FLOOR_DB` to 0, the oldest first.
        marks: What the client did with it: the first letter of a `GateState`, or `MUTED` for what it did not take.
        rms_db: The mean power of the last.
    """

    levels_db: tuple[int, ...] = ()
    marks: str = ""
    rms_db: float = FLOOR_DB

    @property
    def peak_db(self) -> float:
        """The level of the last."""
        return float(self.levels_db[-1]) if self.levels_db else FLOOR_DB


@dataclass(frozen=True, slots=True)
class ClientStatus:
    """A client at one moment.

    Attributes:
        source: What it listens to.
        server: The address.
        gate: What becomes of what it hears.
        silence_s: How long there was no voice, in a pause.
        silence_limit_s: The silence that ends a recording.
        voice_s: How much has passed the gate since it opened.
        waiting_s: Audio that no server has acknowledged.
        spooled_s: How much of it is on disk.
        lost_s: Audio that had to be given up.
        leftovers: Streams of earlier clients that wait to be sent.
        sent_bytes: Audio that a server acknowledged.
        bytes_per_s: The same, at the moment.
        recordings: How many were saved.
        latest: The file of the last of them.
    """

    phase: Phase = Phase.STARTING
    source: str = ""
    server: str = ""
    line: LineState = LineState.CONNECTING
    gate: GateState = GateState.LISTENING
    silence_s: float = 0.0
    silence_limit_s: float = 3.0
    voice_s: float = 0.0
    heard: Heard = Heard()
    talk: TalkState = TalkState.OPEN
    captured_s: float = 0.0
    waiting_s: float = 0.0
    spooled_s: float = 0.0
    lost_s: float = 0.0
    leftovers: int = 0
    sent_bytes: int = 0
    bytes_per_s: float = 0.0
    recordings: int = 0
    latest: str | None = None


@dataclass(frozen=True, slots=True)
class StreamStatus:
    """A stream that a server takes.

    Attributes:
        label: The name of its client.
        is_connected: Whether the client is there.
        file: Of the segment that grows; None between two.
        seconds: Its length.
        silence_s: How long there has been no voice in it.
    """

    label: str
    is_connected: bool = True
    file: str | None = None
    seconds: float = 0.0
    silence_s: float = 0.0


@dataclass(frozen=True, slots=True)
class SavedStatus:
    """A recording that is in place.

    Attributes:
        file: Its name.
        label: The name of the client.
        seconds: Its length.
        reason: Why it ended.
        levels_db: Its waveform, as `Heard.levels_db`; empty while nobody has looked into the file.
    """

    file: str
    label: str
    seconds: float
    reason: str
    levels_db: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """A server at one moment.

    Attributes:
        url: Where it listens; empty before it does.
        audio_dir: Where the recordings are.
        silence_limit_s: The silence that ends one.
        stream_count: How many streams there are. `streams` has the first of them, those that record first.
        saved_count: How many recordings this process saved. `saved` has the last of them, the newest first.
        unsaved_s: Length of the recordings that ended and are not in place yet.
        bytes_per_s: Audio that it writes.
        free_bytes: Room on the disk; None where it is not known.
    """

    phase: Phase = Phase.STARTING
    url: str = ""
    audio_dir: str = ""
    silence_limit_s: float = 3.0
    streams: tuple[StreamStatus, ...] = ()
    stream_count: int = 0
    saved: tuple[SavedStatus, ...] = ()
    saved_count: int = 0
    unsaved_s: float = 0.0
    bytes_per_s: float = 0.0
    free_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class LogLine:
    """An event of a log, in a line for people.

    Attributes:
        process: Whose it is; empty where there is only one.
        level: How severe.
        at: The time of the day.
        text: What happened.
    """

    process: str
    level: str
    at: str
    text: str

    @property
    def is_severe(self) -> bool:
        """Whether it is a warning or worse."""
        return self.level not in ("debug", "info")


Report: TypeAlias = ClientStatus | ServerStatus | LogLine

_KINDS: dict[str, type[Report]] = {"client": ClientStatus, "server": ServerStatus, "log": LogLine}
_NAMES = {kind: name for name, kind in _KINDS.items()}
_ENUMS: dict[str, type[StrEnum]] = {"phase": Phase, "line": LineState, "gate": GateState, "talk": TalkState}


def encode(report: Report) -> str:
    """The report in one line of JSON."""
    return json.dumps({_NAMES[type(report)]: report}, default=_fields, separators=(",", ":"))


def decode(line: str) -> Report:
    """What `encode` made the line of.

    Raises:
        ValueError: It made it of nothing.
    """
    try:
        ((name, fields),) = json.loads(line).items()
        return _KINDS[name](**{key: _value(key, value) for key, value in fields.items()})
    except (AttributeError, KeyError, TypeError) as exc:
        raise ValueError(f"{line[:200]!r} is no report") from exc


def is_report(line: str) -> bool:
    """Whether it may be a line of `encode`: no other line that our processes print begins like this."""
    return line.startswith("{")


def _fields(value: Any) -> dict[str, Any]:
    """A snapshot, or a part of one: `asdict` would copy each of the numbers in it, ten times a second."""
    return {name: getattr(value, name) for name in type(value).__slots__}


def _value(name: str, value: Any) -> Any:
    """A field as the snapshot has it."""
    match name:
        case "heard":
            return Heard(**{key: _value(key, inner) for key, inner in value.items()})
        case "streams":
            return tuple(StreamStatus(**item) for item in value)
        case "saved":
            return tuple(SavedStatus(**item | {"levels_db": tuple(item["levels_db"])}) for item in value)
        case "levels_db":
            return tuple(value)
        case _:
            return _ENUMS[name](value) if name in _ENUMS else value
