"""CPU time that each command takes to show its help, and to be ready: `python benchmarks/startup.py`.

Ready is the server once it has said its address, and the client once it has a server and listens to its input (here
silence on standard input). CPU is the kernel's accounting of the process; as a ratio to starting Python, because only
ratios travel from one machine to another. Rounds are interleaved; the medians and the ranges are printed.
"""

from __future__ import annotations

import platform
import signal
import statistics
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

try:
    import resource
except ImportError:
    sys.exit("this benchmark reads CPU times from the kernel, which Windows does not give")

if TYPE_CHECKING:
    from collections.abc import Iterator

ROUNDS = 15
BIN = Path(sys.executable).parent
HELP = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "python -c 'import cyclopts'": [sys.executable, "-c", "import cyclopts"],
    "plugandtell --help": [str(BIN / "plugandtell"), "--help"],
    "plugandtell-client --help": [str(BIN / "plugandtell-client"), "--help"],
    "plugandtell-server --help": [str(BIN / "plugandtell-server"), "--help"],
}
CLIENT, SERVER = "plugandtell-client, listening", "plugandtell-server, ready"


def help_s(command: list[str]) -> float:
    """User and system time of one run."""
    with _cpu_s() as taken:
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return taken[0]


def server_s(folder: Path) -> float:
    """User and system time from the start of a server until it is ready, its end included."""
    with _cpu_s() as taken, _server(folder):
        pass
    return taken[0]


def client_s(folder: Path, url: str) -> float:
    """User and system time of a client that gets as far as listening to an input, which then ends."""
    command = [str(BIN / "plugandtell-client"), f"--server={url}", "--input=-", f"--log-dir={folder}", "--spool-mb=0"]
    with _cpu_s() as taken:
        subprocess.run(command, check=True, input=bytes(640), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return taken[0]


@contextmanager
def _server(folder: Path) -> Iterator[str]:
    command = [str(BIN / "plugandtell-server"), "--port=0", f"--audio-dir={folder / 'audio'}", f"--log-dir={folder}"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert server.stdout is not None
    with server.stdout:
        yield server.stdout.readline().strip()
        server.send_signal(signal.SIGINT)
        server.wait()


@contextmanager
def _cpu_s() -> Iterator[list[float]]:
    """Of the children that end within it."""
    taken: list[float] = []
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    yield taken
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    taken.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def main() -> None:
    """Measure and print."""
    taken: dict[str, list[float]] = {name: [] for name in (*HELP, CLIENT, SERVER)}
    with tempfile.TemporaryDirectory() as name, _server(Path(name)) as url:
        for number in range(ROUNDS):
            for command, words in HELP.items():
                taken[command].append(help_s(words))
            taken[CLIENT].append(client_s(Path(name), url))
            taken[SERVER].append(server_s(Path(name) / str(number)))
    floor = statistics.median(taken["python -c pass"])
    print(f"Python {platform.python_version()}, {platform.machine()}, {ROUNDS} interleaved rounds, CPU seconds")
    print(f"{'command':<30} {'median':>7} {'min':>7} {'max':>7} {'x python':>9}")
    for command, times in taken.items():
        median = statistics.median(times)
        print(f"{command:<30} {median:7.3f} {min(times):7.3f} {max(times):7.3f} {median / floor:9.1f}")


if __name__ == "__main__":
    main()
