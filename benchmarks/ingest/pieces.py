"""What the pieces beside the message path cost: storing, logging, coming back, starting."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import wave
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

from benchmarks.ingest.building import ROOT
from benchmarks.ingest.generating import Load, generating
from benchmarks.ingest.measuring import fresh_folder, prove_round
from benchmarks.ingest.processes import running
from benchmarks.ingest.servers import ALL, OURS
from benchmarks.ingest.tables import spread, table

from plugandtell.core.audio import SPEECH
from plugandtell.core.protocol.messages import ClientInfo
from plugandtell.core.recording import GapPolicy, Origin
from plugandtell.server.recorder import Recorder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from benchmarks.ingest.rounds import Plan

_FRAME = bytes(range(1, 161)) * 4
_FILES = 200
_FRAMES = 100


def storage(plan: Plan) -> str:
    """A frame of 20 ms into a file, among many files that grow together."""
    ways: dict[str, Callable[[Path], float]] = {
        "`os.write`, the floor": _raw_us,
        "`Recording.write`": _recording_us,
        "`wave.writeframes`": _wave_us,
    }
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(plan.rounds + 2):
        for name, way in ways.items():
            with fresh_folder() as folder:
                taken[name].append(way(folder))
    floor = next(iter(taken))
    rows = [
        [
            name,
            spread(times, ".2f"),
            spread([mine - least for mine, least in zip(times, taken[floor], strict=True)], ".2f"),
        ]
        for name, times in taken.items()
    ]
    print("\n".join("  ".join(row) for row in rows), flush=True)
    return table([f"{len(_FRAME)} bytes appended by", "CPU µs", "above the floor"], rows)


def _append_us(writes: list[Callable[[bytes], object]]) -> float:
    """CPU time of one append, to each file in turn."""
    before = time.process_time()
    for _ in range(_FRAMES):
        for write in writes:
            write(_FRAME)
    return 1e6 * (time.process_time() - before) / _FRAMES / len(writes)


def _raw_us(folder: Path) -> float:
    files = [os.open(folder / f"{number}", os.O_WRONLY | os.O_CREAT) for number in range(_FILES)]
    taken = _append_us([lambda data, file=file: os.write(file, data) for file in files])  # type: ignore[misc]
    for file in files:
        os.close(file)
    return taken


def _wave_us(folder: Path) -> float:
    with ExitStack() as stack:
        files = [stack.enter_context(wave.open(str(folder / f"{number}.wav"), "wb")) for number in range(_FILES)]
        for file in files:
            file.setparams((1, 2, 16_000, 0, "NONE", ""))
        return _append_us([file.writeframes for file in files])


def _recording_us(folder: Path) -> float:
    with closing(Recorder(folder)) as recorder:
        recordings = [recorder.start(_origin(number)) for number in range(_FILES)]
        taken = _append_us([recording.write for recording in recordings])
        for recording in recordings:
            recording.discard()
    return taken


def _origin(number: int) -> Origin:
    return Origin(
        segment_id=UUID(int=number + 1),
        stream_id=UUID(int=number + 1),
        continues=None,
        client=ClientInfo("benchmark", "1"),
        label=f"s{number}",
        labels={},
        started_at=datetime(2026, 1, 1, tzinfo=UTC),
        start_index=0,
        audio=SPEECH,
        gap_policy=GapPolicy.FILL,
    )


def logging(_: Plan) -> str:
    """An event, as the server logs one for each recording."""
    return _told_by("benchmarks/logging_cost.py")


def resuming(plan: Plan) -> str:
    """Streams that drop without a close frame and come back, one after another, while all others stay connected."""
    taken = [_resume(plan) for _ in range(plan.rounds)]
    rows = [[name, spread([one[name] for one in taken], ".0f")] for name in taken[0]]
    print("\n".join("  ".join(row) for row in rows), flush=True)
    return table([f"{plan.streams} streams connected", "median and range"], rows)


def _resume(plan: Plan) -> dict[str, float]:
    """A server, whose streams all speak for a moment, and then drop twice each."""
    peer, load = ALL[OURS], Load(plan.streams)
    with fresh_folder() as folder:
        with running(peer, folder, plan.cores.server) as server:
            began = server.cpu_s()
            with generating(peer, server.port, load, plan.cores.generator) as generator:
                opened = server.cpu_s()
                generator.start()
                time.sleep(1)
                generator.stop()
                time.sleep(1)
                before = server.cpu_s()
                told = generator.resume(2 * load.streams)
                after = server.cpu_s()
                ended = generator.end()
        proof = prove_round(peer, folder / "audio", ended)
    return {
        "CPU µs for a new stream, to its welcome": 1e6 * (opened - began) / load.streams,
        "CPU µs for a stream that drops and comes back, to its welcome": 1e6 * (after - before) / told["count"],
        "µs from the drop to the welcome, p50": told["p50_us"],
        "µs from the drop to the welcome, p99": told["p99_us"],
        "faults in the files afterwards": len(proof.faults),
    }


def starting(_: Plan) -> str:
    """Each command to its help; client and server until they are ready."""
    return _told_by("benchmarks/startup.py")


def client(_: Plan) -> str:
    """The client by voice detector, with a virtual microphone; takes half an hour."""
    return _told_by("benchmarks/client_cpu.py")


def _told_by(script: str) -> str:
    """What another benchmark prints."""
    done = subprocess.run([sys.executable, ROOT / script], check=True, capture_output=True, text=True, cwd=ROOT)
    print(done.stdout, flush=True)
    return f"```\n{done.stdout.strip()}\n```"
