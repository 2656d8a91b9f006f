"""The command: `python -m benchmarks.ingest`, from the repository's root. See README.md beside it."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.ingest import limits, pieces
from benchmarks.ingest.building import HERE
from benchmarks.ingest.chart import bars
from benchmarks.ingest.generating import Load
from benchmarks.ingest.measuring import Cores
from benchmarks.ingest.results import RESULTS, conditions, replaced
from benchmarks.ingest.rounds import HEAD, Plan, interleave, rounds_table, verdict
from benchmarks.ingest.servers import ALL, DEFAULT, FLOOR, NODE_WS, OURS
from filelock import FileLock, Timeout

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

CHART = "cpu.svg"


def side_by_side(plan: Plan) -> str:
    """Every server, in interleaved rounds."""
    taken = interleave(plan.peers, Load(plan.streams), plan)
    costs = {name: [one.cpu_us for one in rounds] for name, rounds in taken.items()}
    title = f"CPU µs per message of 640 bytes, {plan.streams} streams at 50/s: median and range"
    if plan.writes:
        (HERE / CHART).write_text(bars(title, costs, OURS), encoding="utf-8")
    kinds = "\n".join(f"- `{name}`: {ALL[name].what}." for name in plan.peers)
    return f"![CPU time per message of each server]({CHART})\n\n{rounds_table(taken)}\n\n{verdict(taken)}\n\n{kinds}"


PARTS: dict[str, tuple[str, Callable[[Plan], str]]] = {
    "rounds": ("Side by side", side_by_side),
    "twice": ("Twice the streams", limits.twice),
    "batches": ("Larger messages", limits.batches),
    "workers": ("More than one core", limits.workers),
    "idle": ("Memory of an idle connection", limits.idle),
    "flat": ("Memory over time", limits.flat),
    "storage": ("Storing a frame", pieces.storage),
    "resume": ("Coming back", pieces.resuming),
    "logging": ("Logging an event", pieces.logging),
    "startup": ("Starting", pieces.starting),
    "client": ("The client", pieces.client),
}
_BY_DEFAULT = [name for name in PARTS if name != "client"]


def options() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ingest", description=__doc__)
    parser.add_argument("--parts", type=_names(PARTS), default=_BY_DEFAULT, help=f"of {', '.join(PARTS)}, with commas")
    parser.add_argument("--peers", type=_names(ALL), help=f"of {', '.join(ALL)}, with commas")
    parser.add_argument("--streams", type=int)
    parser.add_argument("--seconds", type=float, help="of streaming that each round measures, after 2 s of warm-up")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--server-core", type=int, default=0)
    parser.add_argument("--worker-cores", type=_numbers, default=os.sched_getaffinity(0), help="default: all")
    parser.add_argument("--generator-core", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="a short look at three servers; writes nothing")
    parser.add_argument("--print-only", action="store_true", help="leave RESULTS.md as it is")
    return parser.parse_args()


def _names(known: Mapping[str, object]) -> Callable[[str], list[str]]:
    def parse(text: str) -> list[str]:
        names = text.split(",")
        if unknown := [name for name in names if name not in known]:
            raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: known are {', '.join(known)}")
        return names

    return parse


def _numbers(text: str) -> set[int]:
    return set(map(int, text.split(",")))


def plan_of(asked: argparse.Namespace) -> Plan:
    """How much to measure."""
    peers = asked.peers or ([OURS, NODE_WS, FLOOR] if asked.quick else DEFAULT)
    return Plan(
        peers=tuple(peers),
        streams=asked.streams or (100 if asked.quick else 500),
        seconds=asked.seconds or (1.0 if asked.quick else 6.0),
        rounds=asked.rounds or (1 if asked.quick else 3),
        cores=Cores(frozenset({asked.server_core}), asked.generator_core, frozenset(asked.worker_cores)),
        writes=not (asked.quick or asked.print_only),
    )


def main() -> None:
    """Measure, print, write."""
    asked = options()
    if not sys.platform.startswith("linux"):
        sys.exit("this benchmark needs Linux: epoll, inotify, /proc")
    plan = plan_of(asked)
    with _alone():
        sections = _measure(asked.parts, plan)
    if plan.writes:
        text = RESULTS.read_text(encoding="utf-8") if RESULTS.exists() else ""
        RESULTS.write_text(replaced(text, sections, [title for title, _ in PARTS.values()]), encoding="utf-8")
        print(f"\nwritten: {RESULTS}")


@contextmanager
def _alone() -> Iterator[None]:
    """Wait until no other run, of whatever working copy, measures on this machine."""
    lock = FileLock(Path(tempfile.gettempdir()) / "plugandtell-ingest.lock")
    try:
        lock.acquire(blocking=False)
    except Timeout:
        print("waiting for another run to end", flush=True)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _measure(parts: Sequence[str], plan: Plan) -> dict[str, str]:
    """The sections of the results, by title."""
    os.sched_setaffinity(0, {plan.cores.generator})
    sections = {}
    for part in parts:
        title, measure = PARTS[part]
        print(f"\n{title}\n{HEAD if part in {'rounds', 'twice', 'batches', 'workers'} else ''}", flush=True)
        before = conditions()
        sections[title] = f"{measure(plan)}\n\n{before}"
    return sections


if __name__ == "__main__":
    main()
