"""Counts that several processes share."""

from __future__ import annotations

import os

import pytest

from plugandtell.core.errors import ProtocolError
from plugandtell.core.shard import Shard
from plugandtell.server.admission import Admission
from plugandtell.server.settings import ServerSettings
from plugandtell.server.workers.guests import Board, Guests, SharedAdmission
from plugandtell.server.workers.tally import Tally

SETTINGS = ServerSettings(max_streams=3, max_streams_per_address=2)


class House:
    """A server and two workers, in one process."""

    def __init__(self) -> None:
        self.left: list[str] = []
        admission = Admission(SETTINGS, lambda: 10**12, lambda: 0, 10_000)
        self.tally = Tally(2 + admission.most_counted)
        self.guests = Guests(admission, self.tally, 2)
        self.workers = [self.worker(number) for number in (0, 1)]

    def worker(self, number: int) -> SharedAdmission:
        seen = Tally(self.tally.size, os.dup(self.tally.descriptor))
        board = Board(seen, Shard(number, 2), self.left.append)
        return SharedAdmission(SETTINGS, lambda: 10**12, lambda: 0, 10_000, board)

    def come(self, host: str, worker: int) -> None:
        assert not self.guests.enter(host)
        self.workers[worker].expect(host, self.guests.place_of(host))
        assert not self.workers[worker].enter(host)


def test_all_workers_count_as_one() -> None:
    house = House()
    for worker, host in ((0, "a"), (1, "b"), (0, "c")):
        house.come(host, worker)
    house.workers[0].check("a", 2)
    house.workers[1].check("b", 1)
    house.come("d", 1)
    with pytest.raises(ProtocolError, match="full"):
        house.workers[1].check("d", 2)
    house.workers[0].show(1)
    house.workers[1].check("d", 2)


def test_an_address_has_its_places_over_all_workers() -> None:
    house = House()
    for worker in (0, 1, 1):
        house.come("a", worker)
    with pytest.raises(ProtocolError, match="a has 2"):
        house.workers[0].check("a", 1)
    house.workers[1].leave("a")
    assert house.left == ["a"]
    house.guests.leave("a")
    house.workers[0].check("a", 1)


def test_one_that_goes_on_elsewhere_is_not_told_as_gone() -> None:
    house = House()
    house.come("a", 0)
    house.workers[0].pass_on("a")
    assert house.left == []


def test_a_place_that_is_given_to_another_is_no_longer_the_first_ones() -> None:
    """Nor does a worker remember everybody who ever came: one whose TLS handshake failed never leaves it."""
    house = House()
    assert not house.guests.enter("a")
    place = house.guests.place_of("a")
    house.workers[0].expect("a", place)
    house.guests.leave("a")
    for _ in range(3):
        house.come("b", 1)
    assert house.guests.place_of("b") == place
    house.workers[0].expect("b", place)
    house.workers[0].check("a", 0)
    for number in range(1000):
        house.workers[0].expect(f"host-{number}", place)
    assert house.workers[0].expected == 1


def test_far_too_many_are_not_heard_and_their_places_are_used_again() -> None:
    house = House()
    for _ in range(3):
        hosts = [f"host-{number}" for number in range(30)]
        verdicts = [house.guests.enter(host) for host in hosts]
        assert verdicts == [False] * 19 + [True] * 11
        for host in hosts:
            house.guests.leave(host)
    assert house.tally.total(house.tally.size) == 0
