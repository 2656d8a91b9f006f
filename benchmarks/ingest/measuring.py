"""One measurement: a server, a generator, and what the kernel says about both."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from benchmarks.ingest.building import BUILD
from benchmarks.ingest.generating import WATCHED, Generator, Load, generating
from benchmarks.ingest.latency import latencies_us, read_log
from benchmarks.ingest.pcm import Proof, prove, stream_files
from benchmarks.ingest.processes import Server, running
from benchmarks.ingest.servers import PLUGANDTELL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.ingest.servers import Peer

WARM_UP_S = 2.0
_LATE_P99_US = 2_000
_WAITED_SHARE = 0.03


@dataclass(frozen=True, slots=True)
class Cores:
    """Where what runs.

    Attributes:
        workers: The server, when it is measured on more than one core; that of the generator may be among them.
    """

    server: frozenset[int] = frozenset({0})
    generator: int = 1
    workers: frozenset[int] = frozenset({0, 1})


@dataclass(frozen=True, slots=True)
class Round:
    """What one measurement of one server gave.

    Attributes:
        cpu_us: The server's CPU time per message, all its processes, over the streaming time only.
        core_share: Of a core, the same.
        waited_share: Of the time, while the server could have run, but something else did: a large one voids the round.
        latency_us: Median, 99th percentile and longest from send to file; None without a file that grows.
        late_us: 99th percentile and longest by which the generator was late: large values void the round.
        unread_bytes: Most that the server had not read of one stream when the last message was sent.
        behind: Streams of which more than two messages were under way then, on either side.
        failed: Streams that the server dropped.
        pss_bytes: Memory at the beginning and at the end of the streaming time.
        proof: What reading the files showed; None if the server leaves none.
    """

    peer: str
    load: Load
    cpu_us: float
    core_share: float
    waited_share: float
    latency_us: tuple[float, float, float] | None
    late_us: tuple[float, float]
    unread_bytes: int
    behind: int
    failed: int
    pss_bytes: tuple[int, int]
    proof: Proof | None

    @property
    def is_void(self) -> bool:
        """Whether something else was measured than the server: the generator, or what else ran on its core."""
        return self.late_us[0] > _LATE_P99_US or self.waited_share > _WAITED_SHARE


@contextmanager
def fresh_folder() -> Iterator[Path]:
    """A folder on the disk of the repository (a temporary folder may be memory), gone afterwards."""
    BUILD.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=BUILD))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)
        os.sync()


@dataclass(frozen=True, slots=True)
class _Moment:
    """What was so when the generator had sent so many messages."""

    told: dict[str, Any]
    cpu_s: float
    waited_s: float


def measure(peer: Peer, load: Load, seconds: float, cores: Cores) -> Round:
    """Stream for so long to a fresh server, and look at all that it leaves."""
    with fresh_folder() as folder:
        audio, log = folder / "audio", folder / "times.bin"
        with (
            running(peer, folder, cores.server) as server,
            generating(peer, server.port, load, cores.generator, log) as generator,
        ):
            generator.start()
            time.sleep(WARM_UP_S)
            if peer.does_write and peer.is_live:
                _watch(generator, audio, load.streams)
            pss_before = server.pss_bytes()
            first = _look(generator, server)
            time.sleep(seconds)
            last = _look(generator, server)
            pss = pss_before, server.pss_bytes()
            stopped, ended = generator.stop(), generator.end()
        latency = _percentiles(log, first, last)
        proof = prove_round(peer, audio, ended) if peer.does_write else None
    taken_s = (last.told["ns"] - first.told["ns"]) / 1e9
    cpu_s = last.cpu_s - first.cpu_s
    return Round(
        peer=peer.name,
        load=load,
        cpu_us=1e6 * cpu_s / (last.told["messages"] - first.told["messages"]),
        core_share=cpu_s / taken_s,
        waited_share=(last.waited_s - first.waited_s) / taken_s,
        latency_us=latency,
        late_us=(last.told["late_p99_us"], last.told["late_max_us"]),
        unread_bytes=stopped["unread_most_bytes"],
        behind=max(stopped["unread_streams"], stopped["unsent_streams"]),
        failed=ended["failed"],
        pss_bytes=pss,
        proof=proof,
    )


def _look(generator: Generator, server: Server) -> _Moment:
    return _Moment(generator.count(), server.cpu_s(), server.waited_s())


def _watch(generator: Generator, audio: Path, streams: int) -> None:
    """Have the generator look at the files of the streams whose times it logs."""
    growing = [path for path in audio.rglob("*") if path.name.endswith((".wav", ".wav.part"))]
    files = stream_files(growing, streams)
    for place in range(WATCHED):
        stream = place * streams // WATCHED
        for path in files.get(stream, []):
            generator.watch(stream, path)


def prove_round(peer: Peer, audio: Path, ended: dict[str, Any]) -> Proof:
    """Whether every sample that was sent is in a file, and of ours, whether every stream was told so."""
    sent = dict(enumerate(ended["samples"]))
    proof = prove(sorted(audio.rglob("*.wav")), sent)
    told = ended["saved"], ended["acknowledged"]
    if peer.dialect == PLUGANDTELL and told != (len(sent), len(sent)):
        fault = f"of {len(sent)} streams {told[0]} were told of their recording, {told[1]} of their last sample"
        return replace(proof, faults=(*proof.faults, fault))
    return proof


def _percentiles(log: Path, first: _Moment, last: _Moment) -> tuple[float, float, float] | None:
    taken = latencies_us(read_log(log), first.told["ns"], last.told["ns"])
    if not len(taken):
        return None
    # "higher": no interpolation, which has no meaning between a number and a message that never came
    median, p99, longest = np.percentile(taken, [50, 99, 100], method="higher")
    return float(median), float(p99), float(longest)
