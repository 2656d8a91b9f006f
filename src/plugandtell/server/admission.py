"""How many may come in: connections in all and from one address, room on the disk, descriptors of the process."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING

from plugandtell.core.errors import ProtocolError, WriteFailed
from plugandtell.core.protocol.messages import CloseCode
from plugandtell.logservice import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable

    from plugandtell.server.settings import ServerSettings

_UNINTRODUCED = 16
_RESERVED_DESCRIPTORS = 192  # the uninvited, those just accepted, the log, sidecars, what is moved into place
_DESCRIPTORS_PER_STREAM = 2  # its connection and its recording
_PLENTY = 1_000_000


class Admission:
    """Counts connections, and says who must try again later.

    A connection beyond a limit is told so in words, after the handshake. `_UNINTRODUCED` more than that are dropped
    before a word is read: connections that never say anything cost descriptors too.

    Args:
        settings: The limits.
        free_bytes: Tells the room on the disk of the recordings.
        open_recordings: Tells how many recordings are open.
        descriptors: The most that the process may have.
    """

    def __init__(
        self,
        settings: ServerSettings,
        free_bytes: Callable[[], int],
        open_recordings: Callable[[], int],
        descriptors: int,
    ) -> None:
        self._free_bytes = free_bytes
        self._open_recordings = open_recordings
        self._needed_bytes = settings.min_free_mb * 1_000_000
        self._descriptors = max(_DESCRIPTORS_PER_STREAM, descriptors - _RESERVED_DESCRIPTORS)
        self._most = min(settings.max_streams, self._descriptors // _DESCRIPTORS_PER_STREAM)
        self._most_per_address = settings.max_streams_per_address or _PLENTY
        self._by_address: Counter[str] = Counter()

    @property
    def most(self) -> int:
        """How many connections are welcome: no more than there are descriptors for."""
        return self._most

    @property
    def most_counted(self) -> int:
        """How many are counted at once: those that are dropped unheard are, for a moment."""
        return self._most + _UNINTRODUCED + 1

    def from_there(self, address: str) -> int:
        """How many there are from one address."""
        return self._by_address[address]

    def free_bytes(self) -> int | None:
        """Room on the disk of the recordings; None if their folder is gone."""
        try:
            return self._free_bytes()
        except WriteFailed:
            return None

    def enter(self, address: str) -> bool:
        """Count a connection that was made; returns whether there are so many that it must be dropped unheard."""
        self._by_address[address] += 1
        in_all, from_there = self._by_address.total(), self._by_address[address]
        return in_all > self._most + _UNINTRODUCED or from_there > self._most_per_address + _UNINTRODUCED

    def leave(self, address: str) -> None:
        """A connection is gone."""
        self.pass_on(address)

    def pass_on(self, address: str) -> None:
        """A connection goes on in another process, which counts it now."""
        self._by_address[address] -= 1
        if not self._by_address[address]:
            del self._by_address[address]

    def check(self, address: str, connections: int) -> None:
        """Whether another connection may stay, of `connections` that have shaken hands.

        Raises:
            ProtocolError: Not now (close code 1013).
        """
        self._refuse_beyond(address, connections, self._by_address[address])

    def _refuse_beyond(self, address: str, connections: int, from_there: int) -> None:
        if connections > self._most:
            raise _later("server_full", f"the server is full ({self._most} streams)")
        if from_there > self._most_per_address:
            raise _later("address_full", f"{address} has {self._most_per_address} connections already")

    def show(self, connections: int) -> None:
        """Tell whoever shares the limits how many have shaken hands here: nobody, unless there are other workers."""

    def lacking_mb(self) -> float:
        """How much room the disk lacks of what must be free; 0 or less if there is enough.

        Raises:
            WriteFailed: The folder of the recordings is gone.
        """
        return round((self._needed_bytes - self._free_bytes()) / 1_000_000, 1) if self._needed_bytes else 0.0

    def check_room(self, connections: int) -> None:
        """Whether another stream would fit.

        Raises:
            ProtocolError: Not now (close code 1013).
            WriteFailed: The folder of the recordings is gone.
        """
        if self._needed_bytes and (free := self._free_bytes()) < self._needed_bytes:
            raise _later("disk_nearly_full", f"the server's disk is nearly full ({free / 1_000_000:.0f} MB free)")
        if connections + max(connections, self._open_recordings()) > self._descriptors:
            raise _later("descriptors_short", "the server may not open more files")


def allowed_descriptors(settings: ServerSettings) -> int:
    """How many descriptors this process may have, which are enough for its streams if it may have so many."""
    return raise_descriptor_limit(wanted_descriptors(settings.max_streams))


def checked(admission: Admission, settings: ServerSettings) -> Admission:
    """Warn of what keeps streams out from the beginning."""
    if admission.most < settings.max_streams:
        get_logger().warning("descriptors_limit_streams", streams=admission.most, max_streams=settings.max_streams)
    if (lacking := admission.lacking_mb()) > 0:
        remedy = "make room on the disk of --audio-dir, or lower --min-free-mb"
        consequence = "every stream is asked to try again later"
        get_logger().warning("disk_nearly_full", lacking_mb=lacking, consequence=consequence, remedy=remedy)
    return admission


def raise_descriptor_limit(wanted: int) -> int:
    """Let this process have `wanted` descriptors if it may; returns how many it may have.

    The usual soft limit of 1024 is a courtesy to programs that use `select`; who does not may raise it to the hard one.
    """
    if sys.platform == "win32":
        return _PLENTY
    import resource  # noqa: PLC0415  (there is none on Windows)

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return _PLENTY
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if most > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        soft = most
    return soft


def wanted_descriptors(max_streams: int) -> int:
    """Enough for so many streams, and for as many recordings that wait for their client to return."""
    return 2 * _DESCRIPTORS_PER_STREAM * max_streams + _RESERVED_DESCRIPTORS


def _later(code: str, problem: str) -> ProtocolError:
    return ProtocolError(CloseCode.TRY_AGAIN_LATER, code, f"{problem}: try again later")
