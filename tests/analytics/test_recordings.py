from __future__ import annotations

import asyncio
import os
import shutil
from typing import TYPE_CHECKING

import pytest

from plugandtell.analytics.recordings import Found, Recordings
from plugandtell.analytics.submitted import Submitted
from plugandtell.analytics.submitting import Submitting
from plugandtell.core.call import CallOptions
from plugandtell.core.errors import FolderUnusable, StoreUnreachable
from tests.support.audio_folder import leave_recording, segment_id
from tests.support.watching import until

if TYPE_CHECKING:
    from pathlib import Path


class Desk:
    """An intake that remembers, and is away when told so."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.is_away = False
        self.asked = 0

    async def submit(self, call_id: str, audio_url: str, source: str, options: CallOptions) -> bool:
        self.asked += 1
        if self.is_away:
            raise StoreUnreachable("database", "postgresql://host", "refused")
        if call_id in self.calls:
            return False
        self.calls.append(call_id)
        return True


class Office:
    """A folder of recordings, a data folder and an intake."""

    def __init__(self, folder: Path) -> None:
        self.audio = folder / "audio"
        self.data = folder / "data"
        self.desk = Desk()

    def watcher(self, calls: str = "") -> Recordings:
        """One that starts now."""
        submitted = Submitted(self.data, self.audio, calls)
        return Recordings(self.audio, Submitting(self.desk), submitted, CallOptions())


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


def ids(*numbers: int) -> list[str]:
    return [segment_id(number) for number in numbers]


def new(found: Found) -> list[str]:
    return [submission.call_id for submission in found.new]


async def test_what_is_there_at_the_start_is_submitted_in_the_order_of_time(office: Office) -> None:
    for number in (3, 1, 2):
        leave_recording(office.audio, number)
    found = await office.watcher().look()
    assert found.known == 0
    assert new(found) == office.desk.calls == ids(1, 2, 3)


async def test_each_look_submits_only_what_is_new(office: Office) -> None:
    watcher = office.watcher()
    assert await watcher.look() == Found(0, ())  # not even the folder is there
    for number in (1, 2):
        leave_recording(office.audio, number)
        assert new(await watcher.look()) == ids(number)
    assert await watcher.look() == Found(0, ())
    assert office.desk.asked == 2


async def test_the_next_start_submits_only_what_came_meanwhile_and_says_how_many(office: Office) -> None:
    for number in (1, 2):
        leave_recording(office.audio, number)
    await office.watcher().look()
    leave_recording(office.audio, 3)
    found = await office.watcher().look()
    assert (found.known, new(found)) == (2, ids(3))
    assert office.desk.asked == 3


async def test_what_another_process_submitted_is_known(office: Office) -> None:
    for number in (1, 2):
        leave_recording(office.audio, number)
    office.desk.calls += ids(1)
    found = await office.watcher().look()
    assert (found.known, new(found)) == (1, ids(2))


async def test_a_call_that_was_deleted_does_not_come_back(office: Office) -> None:
    leave_recording(office.audio, 1)
    await office.watcher().look()
    office.desk.calls.clear()
    assert await office.watcher().look() == Found(1, ())
    assert office.desk.calls == []


async def test_another_database_gets_everything(office: Office) -> None:
    leave_recording(office.audio, 1)
    await office.watcher().look()
    office.desk.calls.clear()
    assert new(await office.watcher("postgresql://host/other").look()) == ids(1)


async def test_a_death_before_it_is_noted_submits_once_more_which_changes_nothing(office: Office) -> None:
    leave_recording(office.audio, 1)
    await office.watcher().look()
    shutil.rmtree(office.data)
    assert await office.watcher().look() == Found(1, ())
    assert office.desk.calls == ids(1)


async def test_stores_that_are_away_lose_nothing_and_the_next_look_tells_of_this_one_too(office: Office) -> None:
    watcher = office.watcher()
    leave_recording(office.audio, 1)
    office.desk.is_away = True
    with pytest.raises(StoreUnreachable):
        await watcher.look()
    leave_recording(office.audio, 2)
    office.desk.is_away = False
    assert new(await watcher.look()) == ids(1, 2)


async def test_what_is_no_recording_is_left_alone_until_it_changes(office: Office) -> None:
    office.audio.mkdir()
    (office.audio / "notes.json").write_text("{}")
    (office.audio / "a.wav.part").write_bytes(b"RIFF")
    (office.audio / "a.json.part").write_text("{}")
    (office.audio / ".hidden.json").write_text("{}")
    watcher = office.watcher()
    assert await watcher.look() == Found(0, ())
    path = leave_recording(office.audio, 1)
    content = path.read_bytes()
    path.write_bytes(b"")  # a copy of the folder that is not complete yet
    assert await watcher.look() == Found(0, ())
    path.write_bytes(content)
    path.with_suffix(".json").touch()
    assert new(await watcher.look()) == ids(1)


async def test_a_folder_in_which_nothing_changes_is_not_listed_again_and_again(office: Office) -> None:
    path = leave_recording(office.audio, 1)
    watcher = office.watcher()
    os.utime(office.audio, (1e9, 1e9))  # long ago
    assert new(await watcher.look()) == ids(1)
    assert await watcher.look() == Found(0, ())
    path.with_suffix(".json").touch()  # the folder does not show it
    assert await watcher.look() == Found(0, ())
    leave_recording(office.audio, 2)
    found = await watcher.look()
    assert (found.known, new(found)) == (1, ids(2))
    os.utime(office.audio, (1e9, 1e9))
    assert await watcher.look() == Found(0, ())
    path.with_suffix(".json").touch()
    looks = [await watcher.look() for _ in range(60)]
    assert [found.known for found in looks].count(1) == 1  # it is listed once in a while nevertheless


async def test_it_goes_on_until_it_is_stopped_and_tells_of_the_first_look_and_of_each_that_found_something(
    office: Office,
) -> None:
    stop, told = asyncio.Event(), asyncio.Queue[Found]()
    leave_recording(office.audio, 1)
    watching = asyncio.create_task(office.watcher().keep_looking(stop, told.put_nowait))
    async with asyncio.timeout(30):
        assert new(await told.get()) == ids(1)
        office.desk.is_away = True
        leave_recording(office.audio, 2)
        await until(lambda: office.desk.asked > 1)
        office.desk.is_away = False
        assert new(await told.get()) == ids(2)
        stop.set()
        await watching
    assert told.empty()


async def test_a_stop_is_heard_between_two_recordings(office: Office) -> None:
    for number in range(1, 4):
        leave_recording(office.audio, number)
    stop = asyncio.Event()
    stop.set()
    assert await office.watcher().look(stop) == Found(0, ())
    assert office.desk.asked == 0


def test_a_data_folder_that_cannot_be_used_is_said(office: Office) -> None:
    office.data.write_text("a file")
    with pytest.raises(FolderUnusable, match="--data-dir"):
        office.watcher()
