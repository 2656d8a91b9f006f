"""CPU time of one event in the log, beside a floor: `python benchmarks/logging_cost.py`.

Ours: an event as the server writes one for each recording, into the JSON file and onto the console (here the null
device). The floor: the standard library's logging with a formatter that calls `json.dumps`, into a file, each line
flushed, as ours does. Rounds are interleaved; of each, the CPU time of the task that logs, and of the whole process,
with the thread that writes. The clocks are the kernel's: what else the machine does is not counted.
"""

from __future__ import annotations

import json
import logging
import os
import platform
import statistics
import sys
import tempfile
import time
from pathlib import Path
from uuid import UUID

from plugandtell.logservice import LogSettings, bound_contextvars, configure, get_logger

ROUNDS = 9
EVENTS = 2000
FIELDS = {
    "segment_id": UUID(int=7),
    "file": "2026-11-24T22-51-03.303Z_reception.wav",
    "seconds": 9.25,
    "reason": "silence",
}
BOUND = {"stream_id": str(UUID(int=5)), "client": "reception"}


class JsonFormatter(logging.Formatter):
    """The least that a JSON line takes."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        line = {"timestamp": record.created, "level": record.levelname, "event": record.msg, "pid": record.process}
        return json.dumps({**line, **BOUND, **record.fields}, default=str)


def floor_s(folder: Path) -> tuple[float, float]:
    """CPU seconds of an event: of the caller, and in all."""
    log = logging.getLogger("floor")
    handler = logging.FileHandler(folder / "floor.log")
    handler.setFormatter(JsonFormatter())
    log.addHandler(handler)
    log.propagate = False
    log.setLevel(logging.INFO)
    before = (time.thread_time(), time.process_time())
    for _ in range(EVENTS):
        log.info("segment_saved", extra={"fields": FIELDS})
    taken = _since(before)
    log.removeHandler(handler)
    handler.close()
    return taken


def ours_s(folder: Path, *, on_console: bool) -> tuple[float, float]:
    """The same, with the log of our processes."""
    with Path(os.devnull).open("w") as console, configure(LogSettings("server", folder), console) as service:
        if not on_console:
            service.mute_console()
        log = get_logger()
        with bound_contextvars(**BOUND):
            before = (time.thread_time(), time.process_time())
            for _ in range(EVENTS):
                log.info("segment_saved", **FIELDS)
            caller_s, _ = _since(before)
        assert service.close(30), "the writer did not keep up"
        _, all_s = _since(before)
    written = (folder / "server.log").read_text().splitlines()
    assert len(written) % EVENTS == 0, "events were dropped"
    return caller_s, all_s


def _since(before: tuple[float, float]) -> tuple[float, float]:
    return (time.thread_time() - before[0]) / EVENTS, (time.process_time() - before[1]) / EVENTS


def main() -> None:
    """Measure and print."""
    taken: dict[str, list[tuple[float, float]]] = {"floor": [], "file": [], "file and console": []}
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            taken["floor"].append(floor_s(folder))
            taken["file"].append(ours_s(folder / "file", on_console=False))
            taken["file and console"].append(ours_s(folder / "both", on_console=True))
    print(f"Python {platform.python_version()}, {platform.machine()}, {ROUNDS} interleaved rounds of {EVENTS} events")
    print(f"{'log':<17} {'caller µs':>10} {'all µs':>7} {'min':>6} {'max':>6} {'x floor':>8}")
    for name, rounds in taken.items():
        callers, alls = zip(*((1e6 * caller, 1e6 * whole) for caller, whole in rounds), strict=True)
        ratio = statistics.median(mine[1] / floor[1] for mine, floor in zip(rounds, taken["floor"], strict=True))
        spread = f"{statistics.median(alls):7.1f} {min(alls):6.1f} {max(alls):6.1f}"
        print(f"{name:<17} {statistics.median(callers):10.1f} {spread} {ratio:8.2f}")


if __name__ == "__main__":
    sys.exit(main())
