"""What `--format flac` saves and takes, beside WAV in the same run: room, CPU, and pauses of the event loop.

    python -m benchmarks.ingest.storage_format [--minutes 60] [--rounds 3]

Recordings are finished as the server does it, beside an event loop on which a task sleeps for a millisecond again and
again: a pause is how much later it wakes. CPU is that of the whole process from the end of a segment until it is in
place, for an hour of audio; the time is what passed, syncing the disk included. Prints a table, and writes nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import uuid4

import numpy as np
import soundfile
from benchmarks.ingest.building import ROOT
from benchmarks.ingest.measuring import fresh_folder
from benchmarks.ingest.tables import spread, table

from plugandtell.core.audio import SPEECH
from plugandtell.core.protocol.messages import ClientInfo, EndReason
from plugandtell.core.recording import Container, GapPolicy, Origin
from plugandtell.core.segmenter import Ended, Gap
from plugandtell.server.recorder import Recorder

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_RATE = SPEECH.sample_rate
_TICK_S = 0.001


@dataclass(frozen=True)
class Taken:
    """What one recording took."""

    size_bytes: int
    cpu_s: float
    seconds: float
    pause_ms: float


def contents(minutes: int) -> dict[str, NDArray[np.int16] | None]:
    """Audio by name; None is a gap that takes all of the time."""
    samples = minutes * 60 * _RATE
    speech, rate = soundfile.read(ROOT / "assets" / "sample.flac", dtype="int16")
    assert rate == _RATE
    noise = np.random.default_rng(1).standard_normal(samples)
    repeated = np.resize(speech, samples)
    return {
        "speech of the sample": repeated,
        "the same in a room at -50 dBFS": np.clip(repeated + noise * 100, -32_768, 32_767).astype(np.int16),
        "white noise at -20 dBFS": np.clip(noise * 3277, -32_768, 32_767).astype(np.int16),
        "a gap": None,
    }


async def finish(folder: Path, container: Container, audio: NDArray[np.int16] | None, samples: int) -> Taken:
    """Write a recording, and measure how it gets into place."""
    recorder = Recorder(folder, container=container)
    who, now = ClientInfo("bench", "1"), datetime.now(UTC)
    origin = Origin(uuid4(), uuid4(), None, who, "bench", {}, now, 0, SPEECH, GapPolicy.FILL)
    recording = recorder.start(origin)
    if audio is None:
        recording.note_gap(Gap(0, samples))
    else:
        recording.write(audio.astype("<i2").tobytes())
    pauses_s: list[float] = []
    ticking = asyncio.create_task(_tick(pauses_s))
    cpu_s, began = time.process_time(), time.perf_counter()
    saved = await asyncio.to_thread(recording.finish, Ended(0, samples, EndReason.END, samples, 0, 0))
    taken_s, seconds = time.process_time() - cpu_s, time.perf_counter() - began
    ticking.cancel()
    await asyncio.gather(ticking, return_exceptions=True)
    recorder.close()
    return Taken(saved.path.stat().st_size, taken_s, seconds, 1000 * max(pauses_s, default=0.0))


async def _tick(pauses_s: list[float]) -> None:
    while True:
        asked_at = time.perf_counter()
        await asyncio.sleep(_TICK_S)
        pauses_s.append(time.perf_counter() - asked_at - _TICK_S)


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    samples = options.minutes * 60 * _RATE
    kinds = contents(options.minutes)
    taken: dict[tuple[str, Container], list[Taken]] = {(name, kind): [] for name in kinds for kind in Container}
    with fresh_folder() as folder:
        asyncio.run(finish(folder, Container.FLAC, None, _RATE))  # loads what there is to load
    for _ in range(options.rounds):
        for (name, container), ones in taken.items():
            with fresh_folder() as folder:
                ones.append(asyncio.run(finish(folder, container, kinds[name], samples)))
    an_hour = 60 / options.minutes
    rows = [
        [
            name,
            container.value,
            f"{ones[0].size_bytes / (44 + 2 * samples):.3f}",
            spread([one.cpu_s * an_hour for one in ones], ".2f"),
            spread([one.seconds * an_hour for one in ones], ".2f"),
            spread([one.pause_ms for one in ones], ".1f"),
        ]
        for (name, container), ones in taken.items()
    ]
    print(table(["audio", "format", "of a WAV", "CPU s an hour", "time s an hour", "longest pause, ms"], rows))


if __name__ == "__main__":
    main()
