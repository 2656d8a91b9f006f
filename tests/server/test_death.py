"""A server that is killed, and its successor: real processes, real files."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from plugandtell.core.protocol.messages import Ack, EndReason, Position, SegmentSaved, SegmentStarted, Welcome
from tests.server import dying
from tests.support.driver import Driver
from tests.support.processes import running, running_server
from tests.support.recordings import Found, recordings
from tests.support.wire import RATE, Wire, hello, pcm

FSYNC, FLAC = ("--durability=fsync",), ("--format=flac",)


async def test_a_stream_goes_on_where_a_killed_server_left_it(tmp_path: Path) -> None:
    greeting = hello()
    async with running_server(tmp_path) as (server, url), await Wire.greeted(url, greeting) as wire:
        await wire.speak(0, RATE)
        await wire.say(Position(RATE))
        started = await wire.hear(SegmentStarted)
        while (await wire.hear(Ack)).stored_to < RATE:
            pass
        server.process.kill()
        await server.outcome()
    async with running_server(tmp_path) as (server, url), await Wire.open(url) as wire:
        await wire.say(greeting)
        assert (await wire.hear(Welcome)).resume_from == RATE
        saved = await wire.hear(SegmentSaved)
        assert (saved.segment_id, saved.start_index, saved.end_index) == (started.segment_id, 0, RATE)
        assert saved.reason is EndReason.RECOVERED
        await wire.speak(RATE // 2, 3 * RATE // 2)  # more than asked for: the overlap is trimmed
        _, last = await wire.end(2 * RATE)
        await server.stop()
    first, second = recordings(tmp_path / "audio")
    assert first.pcm + second.pcm == pcm(0, 2 * RATE)
    assert (saved.file, last.file) == (first.path.name, second.path.name)
    assert second.sidecar["continues"] == first.sidecar["segment_id"]


@pytest.mark.parametrize(
    ("moment", "flags", "successor_flags"),
    [
        *((moment, (), ()) for moment in dying.MOMENTS),
        *((moment, FSYNC, FSYNC) for moment in (dying.AFTER_WRITE, "after .json")),
        *((moment, FLAC, FLAC) for moment in (dying.AFTER_WRITE, *dying.FLAC_MOMENTS)),
        *((moment, FLAC, ()) for moment in ("while encoding", "after .flac", "after .json")),
        *((moment, (), FLAC) for moment in ("after .json.part", "after .wav")),
        *((moment, FLAC + FSYNC, FLAC + FSYNC) for moment in (dying.AFTER_WRITE, "after .flac")),
    ],
)
async def test_whenever_a_server_is_killed_nothing_is_lost_or_doubled_and_the_client_learns_all(
    tmp_path: Path, moment: str, flags: tuple[str, ...], successor_flags: tuple[str, ...]
) -> None:
    """A segment with voice, one without, and another with."""
    client = Driver()
    client.speak(0, 2 * RATE)
    client.stream.add_position(6 * RATE, 2 * RATE)
    client.speak(10 * RATE, RATE)
    client.stream.add_position(15 * RATE, 10 * RATE)
    client.speak(20 * RATE, RATE)
    client.stream.end(22 * RATE)
    dying_server = moment, "--port=0", *flags
    async with running(tmp_path, *dying_server, python=[str(Path(dying.__file__))], environment=WITH_PATH) as server:
        assert not await client.run(await server.line())
        assert (await server.outcome()).status == -signal.SIGKILL
    async with running_server(tmp_path, *successor_flags) as (server, url):
        assert await client.run(url)
        assert (await server.stop()).status == 0
    found = recordings(tmp_path / "audio")
    held = {start for one in found for start in seconds_of(one)}
    assert held | {10} == {0, 1, 10, 20}
    assert {one.path.name for one in found} == {one.file for one in client.heard if isinstance(one, SegmentSaved)}


DYING = [str(Path(dying.__file__))]
WITH_PATH = {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")])}


def seconds_of(found: Found) -> list[int]:
    """The seconds of the stream that a recording holds, each whole and right."""
    start, samples = found.sidecar["start_index"], len(found.pcm) // 2
    assert found.pcm == pcm(start, samples)
    assert start % RATE == samples % RATE == 0
    return [(start + behind) // RATE for behind in range(0, samples, RATE)]
