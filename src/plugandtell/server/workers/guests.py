"""How many connections there are, and from where, in a server of several processes.

The server counts those from each address, because it accepts them all; each worker counts those that have shaken hands
with it. All of them see both, so that a limit holds over all workers at the moment when somebody must be told so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from plugandtell.server.admission import Admission

if TYPE_CHECKING:
    from collections.abc import Callable

    from plugandtell.core.shard import Shard
    from plugandtell.server.settings import ServerSettings
    from plugandtell.server.workers.tally import Tally


class Guests:
    """The server's count. The first numbers of the tally are the workers', one each; the others are of addresses.

    Args:
        admission: Knows the limits.
        tally: Shared with the workers.
        workers: How many there are.
    """

    def __init__(self, admission: Admission, tally: Tally, workers: int) -> None:
        self._admission = admission
        self._tally = tally
        self._places: dict[str, int] = {}
        self._free = list(range(workers, tally.size))

    def enter(self, host: str) -> bool:
        """Count a connection; returns whether there are so many that it must be dropped unheard."""
        is_too_much = self._admission.enter(host)
        if host not in self._places and self._free:
            self._places[host] = self._free.pop()
        self._show(host)
        return is_too_much or host not in self._places

    def leave(self, host: str) -> None:
        """One is gone."""
        self._admission.leave(host)
        self._show(host)
        if not self._admission.from_there(host) and host in self._places:
            self._free.append(self._places.pop(host))

    def place_of(self, host: str) -> int:
        """Where in the tally the number of those from there stands, as long as there is one."""
        return self._places[host]

    def _show(self, host: str) -> None:
        if host in self._places:
            self._tally[self._places[host]] = self._admission.from_there(host)


@dataclass(frozen=True, slots=True)
class Board:
    """The tally, which worker looks at it, and whom it tells that a connection from an address is over."""

    tally: Tally
    shard: Shard
    left: Callable[[str], None]


class SharedAdmission(Admission):
    """The worker's view: who must try again later, going by the count over all workers.

    Args:
        settings: The limits.
        free_bytes: Tells the room on the disk of the recordings.
        open_recordings: Tells how many recordings this worker has open.
        descriptors: The most that this process may have.
        board: Where the others' counts stand, and this one's.
    """

    def __init__(
        self,
        settings: ServerSettings,
        free_bytes: Callable[[], int],
        open_recordings: Callable[[], int],
        descriptors: int,
        board: Board,
    ) -> None:
        super().__init__(settings, free_bytes, open_recordings, descriptors)
        self._left = board.left
        self._tally = board.tally
        self._shard = board.shard
        self._places: dict[str, int] = {}
        self._hosts: dict[int, str] = {}

    @property
    def expected(self) -> int:
        """From how many addresses it knows where their number stands: no more than the tally has places."""
        return len(self._places)

    def expect(self, host: str, place: int) -> None:
        """The number of connections from there stands at that place now, and nobody else's."""
        if (before := self._hosts.get(place, host)) != host:
            del self._places[before]
        if (elsewhere := self._places.get(host, place)) != place:
            del self._hosts[elsewhere]
        self._places[host] = place
        self._hosts[place] = host

    def enter(self, address: str) -> bool:
        """Count a connection; the server has let it in."""
        super().enter(address)
        return False

    def leave(self, address: str) -> None:
        """A connection is gone."""
        super().leave(address)
        self._left(address)

    def show(self, connections: int) -> None:
        """Tell the other workers how many have shaken hands here."""
        self._tally[self._shard.number] = connections

    def check(self, address: str, connections: int) -> None:
        """Whether another connection may stay, of `connections` that have shaken hands here.

        Raises:
            ProtocolError: Not now (close code 1013).
        """
        self.show(connections)
        place = self._places.get(address)
        from_there = self.from_there(address) if place is None else self._tally[place]
        self._refuse_beyond(address, self._tally.total(self._shard.of), from_there)
