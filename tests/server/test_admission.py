"""How many may come in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from plugandtell.core.errors import ProtocolError
from plugandtell.server.admission import Admission
from plugandtell.server.settings import ServerSettings


class Room:
    """What is left of the machine."""

    free_bytes = 10**12
    open_recordings = 0
    descriptors = 1_000_000

    def admission(self, **changes: Any) -> Admission:
        settings = ServerSettings(audio_dir=Path("unused"), **changes)
        return Admission(settings, lambda: self.free_bytes, lambda: self.open_recordings, self.descriptors)


@pytest.fixture
def room() -> Room:
    return Room()


def refusal(admission: Admission, address: str = "a", connections: int = 1) -> str | None:
    try:
        admission.check(address, connections)
        admission.check_room(connections)
    except ProtocolError as error:
        return error.code if error.close_code == 1013 else f"closed with {error.close_code}"
    return None


def test_the_limit_is_the_last_that_is_welcome(room: Room) -> None:
    admission = room.admission(max_streams=3)
    assert [refusal(admission, connections=number) for number in (3, 4)] == [None, "server_full"]


def test_addresses_are_counted_apart(room: Room) -> None:
    admission = room.admission(max_streams_per_address=2)
    for address in ("a", "b", "a", "a"):
        admission.enter(address)
    assert (refusal(admission, "a"), refusal(admission, "b")) == ("address_full", None)
    admission.leave("a")
    assert refusal(admission, "a") is None


def test_behind_a_proxy_all_may_come_from_one_address(room: Room) -> None:
    admission = room.admission(max_streams_per_address=0)
    assert not any(admission.enter("proxy") for _ in range(1000))
    assert refusal(admission, "proxy") is None


@pytest.mark.parametrize("limit", ["max_streams", "max_streams_per_address"])
def test_far_too_many_are_not_even_listened_to(room: Room, limit: str) -> None:
    admission = room.admission(**{limit: 2})
    assert [admission.enter("a") for _ in range(19)] == [False] * 18 + [True]


def test_there_are_no_more_streams_than_descriptors_for_them(room: Room) -> None:
    room.descriptors = 392
    admission = room.admission(max_streams=1000)
    assert admission.most == 100
    assert [refusal(admission, connections=number) for number in (100, 101)] == [None, "server_full"]


def test_recordings_that_wait_for_their_client_count(room: Room) -> None:
    room.descriptors = 392
    admission = room.admission()
    room.open_recordings = 190
    assert [refusal(admission, connections=number) for number in (10, 11)] == [None, "descriptors_short"]


def test_a_disk_that_is_nearly_full_takes_no_more(room: Room) -> None:
    room.free_bytes = 5_000_000
    assert refusal(room.admission(min_free_mb=6)) == "disk_nearly_full"
    assert refusal(room.admission(min_free_mb=5)) is None
    assert refusal(room.admission(min_free_mb=0)) is None
