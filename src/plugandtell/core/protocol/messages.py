"""What client and server tell each other; `docs/protocol.md` is the contract.

An index counts samples since capture started.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

SUBPROTOCOL = "plugandtell.v1"
PATH = "/v1/stream"
METRICS_PATH, HEALTH_PATH = "/metrics", "/healthz"
STREAM_HEADER = "X-PlugAndTell-Stream"
"""Carries the stream's id in the upgrade request, so that a load balancer can keep the stream on one server."""
ENCODING = "pcm_s16le"
MAX_INDEX = 2**48
"""Indexes stay below it: 557 years at 16 kHz, and far from where times of day would overflow."""
MAX_JUMP_S = 60.0
"""How far a message may start ahead of all that came before it on the same connection, in audio time. A client tells
its position twice a second, so that a jump beyond this is a broken clock."""


class CloseCode(IntEnum):
    """Close codes of the protocol; below 4000 they mean what RFC 6455, section 7.4.1, says."""

    NORMAL = 1000
    GOING_AWAY = 1001
    PROTOCOL_ERROR = 1002
    UNSUPPORTED_DATA = 1003
    INVALID_DATA = 1007
    POLICY_VIOLATION = 1008
    MESSAGE_TOO_BIG = 1009
    INTERNAL_ERROR = 1011
    TRY_AGAIN_LATER = 1013
    INVALID_AUDIO = 4000
    STREAM_IN_USE = 4001
    TIMED_OUT = 4002


class EndReason(StrEnum):
    """Why a segment ended. `recovered`: the server died, and mended the recording at its next start."""

    SILENCE = "silence"
    DISCONNECT = "disconnect"
    END = "end"
    MAX_DURATION = "max_duration"
    SHUTDOWN = "shutdown"
    RECOVERED = "recovered"


CUT_OFF = frozenset({EndReason.DISCONNECT, EndReason.MAX_DURATION, EndReason.SHUTDOWN, EndReason.RECOVERED})
"""After one of these, the next segment of the stream continues the one that ended."""


@dataclass(frozen=True, slots=True)
class ClientInfo:
    """The program at the other end, in its own words."""

    name: str
    version: str


@dataclass(frozen=True, slots=True)
class Hello:
    """First message of a connection. A stream keeps its id across connections; `started_at` is the time of sample 0.

    `continues` is the segment that the client was last told of, if it is open for all that the client knows, or was cut
    off: a server that does not know the stream lets its first segment continue that one.
    """

    stream_id: UUID
    sample_rate: int
    channels: int
    started_at: datetime
    client: ClientInfo
    labels: Mapping[str, str] = field(default_factory=dict)
    encoding: str = ENCODING
    continues: UUID | None = None

    @property
    def label(self) -> str:
        """What the client calls itself."""
        return self.labels.get("name") or self.client.name


@dataclass(frozen=True, slots=True)
class Audio:
    """Audio that passed the gate; `pcm` holds whole samples, the first of which is sample `start`."""

    start: int
    pcm: bytes | memoryview


@dataclass(frozen=True, slots=True)
class Position:
    """The capture clock stands at `index`, and nothing was voiced since the last audio.

    Attributes:
        index: The clock.
        voiced_to: The end of the last voiced sample, where the client knows it: the tail that it sent after that
            was hangover. None counts all audio as voiced.
    """

    index: int
    voiced_to: int | None = None


@dataclass(frozen=True, slots=True)
class End:
    """Capture is over; it lasted `index` samples."""

    index: int


@dataclass(frozen=True, slots=True)
class Welcome:
    """The server takes the stream. Every sample below `resume_from` is stored already."""

    stream_id: UUID
    resume_from: int
    silence_ms: int
    max_message_bytes: int


@dataclass(frozen=True, slots=True)
class Ack:
    """Every voiced sample below `stored_to` was written; the client may forget it."""

    stored_to: int


@dataclass(frozen=True, slots=True)
class SegmentStarted:
    """A recording began with sample `start_index`."""

    segment_id: UUID
    start_index: int


@dataclass(frozen=True, slots=True)
class SegmentSaved:
    """The recording is in place under its final name: `file`, relative to the server's audio folder."""

    segment_id: UUID
    file: str
    start_index: int
    end_index: int
    duration_ms: int
    reason: EndReason


@dataclass(frozen=True, slots=True)
class SegmentDiscarded:
    """The segment held no voice, and left no recording: its audio is done with."""

    segment_id: UUID
    start_index: int
    end_index: int


@dataclass(frozen=True, slots=True)
class Error:
    """Why the close frame that follows comes. `code` is a constant name; the close frame carries the number."""

    code: str
    message: str


ClientMessage = Hello | Audio | Position | End
ServerMessage = Welcome | Ack | SegmentStarted | SegmentSaved | SegmentDiscarded | Error
