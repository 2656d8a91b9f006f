"""CPU time that each command takes to show its help, as a ratio to starting Python: `python benchmarks/startup.py`.

Only the ratios travel from one machine to another. Rounds are interleaved; the medians and the ranges are printed.
"""

from __future__ import annotations

import platform
import statistics
import subprocess
import sys
from pathlib import Path

try:
    import resource
except ImportError:
    sys.exit("this benchmark reads CPU times from the kernel, which Windows does not give")

ROUNDS = 15
BIN = Path(sys.executable).parent
COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "python -c 'import cyclopts'": [sys.executable, "-c", "import cyclopts"],
    "plugandtell --help": [str(BIN / "plugandtell"), "--help"],
    "plugandtell-client --help": [str(BIN / "plugandtell-client"), "--help"],
    "plugandtell-server --help": [str(BIN / "plugandtell-server"), "--help"],
}


def cpu_s(command: list[str]) -> float:
    """User and system time of one run."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Measure and print."""
    taken: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(ROUNDS):
        for name, command in COMMANDS.items():
            taken[name].append(cpu_s(command))
    floor = statistics.median(taken["python -c pass"])
    print(f"Python {platform.python_version()}, {platform.machine()}, {ROUNDS} interleaved rounds, CPU seconds")
    print(f"{'command':<30} {'median':>7} {'min':>7} {'max':>7} {'x python':>9}")
    for name, times in taken.items():
        median = statistics.median(times)
        print(f"{name:<30} {median:7.3f} {min(times):7.3f} {max(times):7.3f} {median / floor:9.1f}")


if __name__ == "__main__":
    main()
