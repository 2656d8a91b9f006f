"""The campaign of deaths: real processes, killed and started again by schedule, and a line between that breaks."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from typing import TYPE_CHECKING
from uuid import UUID

import numpy as np
import soundfile

from plugandtell.core.exit_status import ExitStatus
from plugandtell.core.journal import scan
from plugandtell.core.protocol.messages import Audio
from tests.faults.line import line_of
from tests.faults.oracle import compare
from tests.faults.schedule import DEATH_KINDS, Kind, Schedule, make_schedule
from tests.faults.speech import spoken_of
from tests.faults.tally import Tally
from tests.support.recordings import recordings
from tests.support.speech import RATE

if TYPE_CHECKING:
    from pathlib import Path

    from tests.faults.line import Line
    from tests.faults.nursery import Child, Nursery

WITHIN_S = 180.0
_MOST_RUNS = 40


class Pair:
    """The server and the client of one schedule, and what is known of those that died.

    Attributes:
        heard_to: Of each stream whose client was killed, up to which sample the spool had it.
        printed: The recordings that each client told of, by runs.
    """

    def __init__(self, schedule: Schedule, folder: Path, nursery: Nursery) -> None:
        self._schedule = schedule
        self._folder = folder
        self._nursery = nursery
        self._server: Child | None = None
        self._client: Child | None = None
        self._starts = 0
        self._restarting = asyncio.Lock()
        self.heard_to: dict[UUID, int] = {}
        self.printed: list[list[str]] = []

    async def start_server(self, line: Line) -> None:
        """Start a server, and lead the line to it."""
        schedule = self._schedule
        self._server = await self._start(
            "server",
            "--port=0",
            f"--silence={schedule.silence_s}",
            f"--max-duration={schedule.max_duration_s}",
            f"--resume-window={schedule.resume_window_s}",
            f"--gaps={schedule.gaps.value}",
            f"--durability={schedule.durability}",
            f"--format={schedule.container}",
            "--min-free-mb=0",
        )
        url = await self._server.first_line()
        assert url is not None, f"the server did not start:\n{self._server.stderr.read_text()}"
        line.port = int(url.rpartition(":")[2])

    async def replace_server(self, line: Line, number: int) -> None:
        """End the server with this signal, and start another."""
        async with self._restarting:
            assert self._server is not None
            line.port = None
            self._server.send(number)
            await self._check_server_ended(number)
            await self.start_server(line)

    async def stop_server(self) -> None:
        """Stop the last server in order."""
        assert self._server is not None
        self._server.send(signal.SIGTERM)
        await self._check_server_ended(signal.SIGTERM)

    async def run_client(self, line: Line) -> int:
        """Start a client, and wait for its end; returns its exit code, negative if it was killed."""
        schedule = self._schedule
        self._client = await self._start(
            "client",
            f"--server={line.url}",
            "--input=in.wav",
            "--pace=fast",
            "--label=laptop",
            "--spool-dir=spool",
            "--keepalive=0.8",
            "--give-up-after=60",
            f"--vad={schedule.vad}",
            f"--batch-ms={schedule.batch_ms}",
        )
        status = await self._client.ended
        if status < 0:
            self._look_into_spool()
        self.printed.append(self._client.lines)
        return status

    def kill_client(self) -> None:
        """Kill it, if it runs."""
        if self._client is not None:
            self._client.send(signal.SIGKILL)

    @property
    def client_log(self) -> str:
        """What the last client said."""
        assert self._client is not None
        return self._client.stderr.read_text()

    async def _start(self, *argv: str) -> Child:
        self._starts += 1
        return await self._nursery.start(self._folder, f"{argv[0]}-{self._starts}", *argv)

    async def _check_server_ended(self, number: int) -> None:
        assert self._server is not None
        status = await self._server.ended
        expected = -number if number == signal.SIGKILL else ExitStatus.OK
        assert status == expected, f"the server ended with {status}:\n{self._server.stderr.read_text()}"

    def _look_into_spool(self) -> None:
        """Note up to where the clients that died had heard: all that is in the spool must be in a recording one day."""
        for folder in self._folder.glob("spool/*-*"):
            ends = [0]
            for path in folder.glob("*.chunk"):
                audio = [item for item in scan(path.read_bytes()).records if isinstance(item, Audio)]
                ends += [item.start + len(item.pcm) // 2 for item in audio]
            self.heard_to.setdefault(UUID(folder.name), max(ends))


async def run_death(nursery: Nursery, seed: int, folder: Path) -> Tally:
    """One schedule, from the first start to the comparison.

    Raises:
        AssertionError: Something was lost, doubled, or said wrongly.
    """
    schedule = make_schedule(seed, DEATH_KINDS)
    spoken = spoken_of(schedule)
    soundfile.write(folder / "in.wav", spoken.samples, RATE, subtype="PCM_16")
    pair = Pair(schedule, folder, nursery)

    async def act(kind: Kind) -> None:
        if kind is Kind.KILL_CLIENT:
            pair.kill_client()
        else:
            await pair.replace_server(line, signal.SIGKILL if kind is Kind.KILL_SERVER else signal.SIGTERM)

    async with asyncio.timeout(WITHIN_S), line_of(schedule.faults, act) as line:
        await pair.start_server(line)
        for _ in range(_MOST_RUNS):
            status = await pair.run_client(line)
            if status == ExitStatus.OK:
                break
            assert status in (-signal.SIGKILL, ExitStatus.NO_SERVER), f"exit code {status}:\n{pair.client_log}"
        assert status == ExitStatus.OK, pair.client_log
        await line.finish()
        await pair.stop_server()
    samples = 0
    found = recordings(folder / "audio")
    of_stream = {UUID(item.sidecar["stream_id"]) for item in found}
    for stream_id in of_stream | pair.heard_to.keys():
        must_hold = spoken.passed & (np.arange(len(spoken.samples)) < pair.heard_to.get(stream_id, 2**48))
        samples += compare([item for item in found if item.sidecar["stream_id"] == str(stream_id)], spoken, must_hold)
    _check_words(folder, pair.printed, {item.path.name for item in found})
    return Tally(Counter(deaths=1), Counter(map(str, line.injected.elements())), samples)


def _check_words(folder: Path, printed: list[list[str]], there: set[str]) -> None:
    """What the processes said is true, nobody met what he did not expect, and nothing waits in the spool."""
    for names in printed:
        assert len(set(names)) == len(names), f"a client told twice of a recording: {names}"
        assert set(names) <= there, f"a client told of {names}, but there are {there}"
    for path in [*folder.glob("*.err"), *folder.glob("logs/*.log")]:
        assert "Traceback" not in path.read_text(), f"a traceback is in {path.name}:\n{path.read_text()}"
    left = [path.name for path in folder.glob("spool/*-*")]
    assert not left, f"the spool still holds {left}"
