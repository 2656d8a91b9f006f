"""`--durability fsync`: nothing is acknowledged before it is on the disk."""

from __future__ import annotations

import asyncio
import errno
import os
import threading
from typing import TYPE_CHECKING

import pytest

from plugandtell.core.errors import WriteFailed
from plugandtell.core.protocol.messages import Ack, Position, SegmentSaved, Welcome
from plugandtell.core.recording import Durability
from plugandtell.server.committer import Committer
from tests.server.test_listener import _acknowledged, _wait_until
from tests.support.driver import Driver
from tests.support.recordings import recordings
from tests.support.wire import RATE, Wire, hello, pcm

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.server.conftest import StartServer


class Disk:
    """Stands in for the system call that makes a file safe: slow, or broken, when it is told to be."""

    def __init__(self) -> None:
        self.may_go_on = threading.Event()
        self.may_go_on.set()
        self.is_broken = False
        self.calls = 0
        self.called = threading.Event()

    def fdatasync(self, descriptor: int) -> None:
        self.calls += 1
        self.called.set()
        self.may_go_on.wait()
        if self.is_broken:
            raise OSError(errno.EIO, "Input/output error")
        os.fsync(descriptor)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    disk = Disk()
    monkeypatch.setattr(os, "fdatasync", disk.fdatasync, raising=False)
    return disk


async def test_nothing_is_acknowledged_before_it_is_on_the_disk(
    start_server: StartServer, audio_dir: Path, disk: Disk
) -> None:
    greeting = hello()
    async with start_server(durability=Durability.FSYNC) as url:
        disk.may_go_on.clear()
        async with await Wire.greeted(url, greeting) as wire:
            await wire.speak(0, RATE)
            await asyncio.to_thread(disk.called.wait)
            await wire.speak(RATE, RATE)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await wire.hear(Ack)
        async with await Wire.open(url) as wire:
            await wire.say(greeting)
            assert (await wire.hear(Welcome)).resume_from == 0  # it is written, but that is not enough
            disk.may_go_on.set()
            await wire.speak(0, 2 * RATE)
            await wire.say(Position(2 * RATE))
            await _acknowledged(wire, 2 * RATE)
            await wire.end(2 * RATE)
    assert b"".join(found.pcm for found in recordings(audio_dir)) == pcm(0, 2 * RATE)


async def test_one_commit_serves_all_that_was_written_before_it(start_server: StartServer, disk: Disk) -> None:
    async with start_server(durability=Durability.FSYNC) as url, await Wire.greeted(url) as wire:
        disk.may_go_on.clear()
        await wire.speak(0, RATE)
        await asyncio.to_thread(disk.called.wait)
        for second in range(1, 11):
            await wire.speak(second * RATE, RATE)
        await wire.say(Position(11 * RATE))
        disk.may_go_on.set()
        await _acknowledged(wire, 11 * RATE)
        assert disk.calls <= 6  # of 22 acknowledgements that were due
        await wire.end(11 * RATE)


async def test_what_the_disk_refuses_is_not_acknowledged_and_comes_again(
    start_server: StartServer, audio_dir: Path, disk: Disk
) -> None:
    client = Driver()
    client.speak(0, 3 * RATE)
    client.stream.end(3 * RATE)
    _tell_all(client)  # what the wire says in its stead
    async with start_server(durability=Durability.FSYNC) as url:
        async with await Wire.greeted(url, client.stream.hello) as wire:
            await wire.speak(0, RATE)
            await wire.say(Position(RATE))
            await _acknowledged(wire, RATE)
            disk.is_broken = True
            await wire.speak(RATE, RATE)
            await wire.say(Position(2 * RATE))
            while disk.is_broken:
                if wire.socket.close_code is None:
                    await wire.say(Position(2 * RATE))
                    await asyncio.sleep(0.01)
                disk.is_broken = disk.calls < 3 and wire.socket.close_code is None
            assert await wire.hear_out() == 1011
            assert wire.error.code == "write_failed"
            assert wire.all_heard(Ack)[-1].stored_to == RATE
        assert await client.run(url)
    found = recordings(audio_dir)
    assert b"".join(one.pcm for one in found) == pcm(0, 3 * RATE)
    assert found[1].sidecar["continues"] == found[0].sidecar["segment_id"]


def _tell_all(client: Driver) -> None:
    client.stream.receive(Welcome(client.stream.hello.stream_id, 0, 3000, 65_536))
    while client.stream.next_message() is not None:
        pass
    client.stream.disconnected()


async def test_the_end_is_told_when_all_is_safe(start_server: StartServer, audio_dir: Path) -> None:
    async with start_server(durability=Durability.FSYNC) as url:
        wire = await Wire.greeted(url)
        await wire.speak(0, RATE)
        await wire.end(RATE)
        assert wire.all_heard(Ack)[-1].stored_to == RATE
        stopping = await Wire.greeted(url)
        await stopping.speak(0, 1600)
        listening = asyncio.create_task(stopping.hear_out())
        await _wait_until(lambda: bool(list(audio_dir.glob("*.part"))))
    assert await listening == 1001
    assert stopping.all_heard(Ack)[-1].stored_to == 1600
    assert len(stopping.all_heard(SegmentSaved)) == 1


class Stream:
    """Wrote one file, which may be broken."""

    def __init__(self, *, broken: bool = False) -> None:
        self.told: list[int | str] = []
        self.done = asyncio.Event()
        self._broken = broken

    def sync(self) -> None:
        if self._broken:
            raise WriteFailed("a.wav", "broken")

    def begin_commit(self) -> tuple[Sequence[Stream], int]:
        return [self], 7

    def committed(self, index: int) -> None:
        self.told.append(index)
        self.done.set()

    def commit_failed(self, error: WriteFailed) -> None:
        self.told.append(error.cause)
        self.done.set()


async def test_a_broken_file_is_its_own_streams_trouble() -> None:
    committer = Committer()
    good, bad = Stream(), Stream(broken=True)
    committing = asyncio.create_task(committer.run())
    for stream in (bad, good, good):
        committer.want(stream)
    await asyncio.gather(good.done.wait(), bad.done.wait())
    committing.cancel()
    await asyncio.gather(committing, return_exceptions=True)
    assert (good.told, bad.told) == ([7], ["broken"])
