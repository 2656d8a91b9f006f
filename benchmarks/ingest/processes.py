"""Servers as processes: on a core of their own, with the kernel's word on their CPU time and memory."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Set

    from benchmarks.ingest.servers import Peer

_STOP_WITHIN_S = 60
_FIRST = -20  # the highest priority that is not real-time (setpriority(2))


class Server:
    """A running server, and its children with it."""

    def __init__(self, pid: int, port: int) -> None:
        self.pid = pid
        self.port = port

    def cpu_s(self) -> float:
        """User and system time so far, of all threads, those that have ended included (proc_pid_stat(5))."""
        ticks = 0
        for pid in self._processes():
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def waited_s(self) -> float:
        """How long the main threads could have run so far, but something else did (sched-stats.rst of the kernel)."""
        waits = [Path(f"/proc/{pid}/schedstat").read_text().split()[1] for pid in self._processes()]
        return sum(map(int, waits)) / 1e9

    def pss_bytes(self) -> int:
        """Memory, what is shared with others divided by how many share it."""
        return self._memory("Pss")

    def rss_bytes(self) -> int:
        """Memory, what is shared included."""
        return self._memory("Rss")

    def _memory(self, what: str) -> int:
        total = 0
        for pid in self._processes():
            found = re.search(rf"^{what}: +(\d+) kB$", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
            total += int(found[1]) * 1024 if found else 0
        return total

    def _processes(self) -> list[int]:
        known = [self.pid]
        for pid in known:
            for children in Path(f"/proc/{pid}/task").glob("*/children"):
                known.extend(map(int, children.read_text().split()))
        return known


def start_on(cores: Set[int], command: list[str], **options: Any) -> subprocess.Popen[str]:
    """Start a process that stays on these cores and goes before others there, as far as that is allowed.

    The priority counts within a session only, where the kernel groups processes by session (sched(7), autogroup): so
    the process gets a session of its own, which goes first as well.
    """
    affinity, priority = os.sched_getaffinity(0), os.getpriority(os.PRIO_PROCESS, 0)
    os.sched_setaffinity(0, cores)
    try:
        with suppress(PermissionError):
            os.setpriority(os.PRIO_PROCESS, 0, _FIRST)
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True, **options)
    finally:
        os.sched_setaffinity(0, affinity)
        with suppress(PermissionError):
            os.setpriority(os.PRIO_PROCESS, 0, priority)
    with suppress(OSError):
        Path(f"/proc/{process.pid}/autogroup").write_text(str(_FIRST))
    return process


@contextmanager
def running(peer: Peer, folder: Path, cores: Set[int]) -> Iterator[Server]:
    """A server that records into `folder / "audio"`, stopped with SIGTERM at the end.

    Raises:
        RuntimeError: It did not start, or ended with an error.
    """
    audio = folder / "audio"
    audio.mkdir(parents=True)
    command = peer.command(audio)
    with (folder / "stderr.log").open("wb") as errors:
        process = start_on(cores, command, cwd=folder, stderr=errors)
        try:
            assert process.stdout is not None
            line = process.stdout.readline().strip()
            port = re.search(r"(\d+)(/\S*)?$", line)
            if port is None:
                raise RuntimeError(f"{peer.name} does not start: {(folder / 'stderr.log').read_text()[-2000:]}")
            yield Server(process.pid, int(port[1]))
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                status = process.wait(_STOP_WITHIN_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                raise
    if status not in {0, -signal.SIGTERM}:
        raise RuntimeError(f"{peer.name} ended with {status}: {(folder / 'stderr.log').read_text()[-2000:]}")
