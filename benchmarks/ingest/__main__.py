"""The command: `python -m benchmarks.ingest`, from the repository's root. See README.md beside it."""

from __future__ import annotations

import argparse
import sys

from benchmarks.ingest.generating import Load
from benchmarks.ingest.measuring import Cores, Round, measure
from benchmarks.ingest.servers import ALL


def line(taken: Round) -> str:
    """What is printed of a round as soon as it is over."""
    latency = "      -        -" if taken.latency_us is None else "{:7.0f} {:8.0f}".format(*taken.latency_us[:2])
    faults = "-" if taken.proof is None else len(taken.proof.faults)
    return (
        f"{taken.peer:<15} {taken.load.streams:>7} {taken.load.message_bytes:>6} {taken.cpu_us:8.2f} "
        f"{100 * taken.core_share:7.1f} {latency} {taken.late_us[0]:6.0f} {taken.late_us[1]:7.0f} "
        f"{100 * taken.waited_share:6.1f} {taken.behind:6} {taken.failed:6} {faults:>6}{'  void' if taken.is_void else ''}"
    )


HEAD = (
    f"{'server':<15} {'streams':>7} {'bytes':>6} {'CPU us':>8} {'% core':>7} {'p50 us':>7} {'p99 us':>8} {'late':>6} "
    f"{'latest':>7} {'waited':>6} {'behind':>6} {'failed':>6} {'faults':>6}"
)


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ingest", description=__doc__)
    parser.add_argument("--peers", default=",".join(ALL), help="which servers, with commas between: %(default)s")
    parser.add_argument("--streams", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=8.0, help="of streaming that is measured, after 2 s of it")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    if unknown := [name for name in options.peers.split(",") if name not in ALL]:
        sys.exit(f"unknown: {', '.join(unknown)}; known are {', '.join(ALL)}")
    print(HEAD)
    for _ in range(options.rounds):
        for name in options.peers.split(","):
            taken = measure(ALL[name], Load(options.streams), options.seconds, Cores())
            print(line(taken), flush=True)
            if taken.proof is not None:
                for fault in taken.proof.faults[:5]:
                    print("   ", fault)


if __name__ == "__main__":
    main()
