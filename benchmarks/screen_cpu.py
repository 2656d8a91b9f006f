"""What the live screen costs: `python benchmarks/screen_cpu.py`, on Linux, with the sample as the microphone.

Runs `plugandtell run` and a client alone in a terminal of 120 by 34, and counts the CPU time of the process that draws,
and how often it drew. A client without a screen is measured for comparison.
"""

from __future__ import annotations

import os
import pty
import select
import signal
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SAMPLE = Path(__file__).parents[1] / "assets/sample.flac"
MEASURED_S = 15.0
SETTLE_S = 3.0
_APART_S = 0.04
_TICKS = os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Measure and print."""
    print(f"{'what':<34} {'CPU':>7} {'redraws/s':>10} {'bytes/s':>9}")
    with tempfile.TemporaryDirectory() as folder:
        run = ("run", "--no-analytics", "--port=0", f"--input={SAMPLE}")
        _measure("run: the parent, which draws", folder, *run)
        _measure("run --plain: the parent", folder, *run, "--plain")
        server = subprocess.Popen(_command("server", "--port=0"), cwd=folder, stdout=-1, stderr=-3, text=True)
        try:
            assert server.stdout is not None
            client = ("client", f"--server={server.stdout.readline().strip()}", f"--input={SAMPLE}")
            _measure("client with a screen", folder, *client)
            _measure("client --plain", folder, *client, "--plain")
        finally:
            server.terminate()
            server.wait()


def _measure(what: str, folder: str, *arguments: str) -> None:
    pid, terminal = pty.fork()
    if not pid:
        os.chdir(folder)
        os.environ.update({"TERM": "xterm-256color", "LANG": "C.UTF-8", "XDG_STATE_HOME": folder})
        os.execv(sys.executable, _command(*arguments))  # noqa: S606
    _set_size(terminal)
    _watch(terminal, SETTLE_S)
    before_s, started = _cpu_s(pid), time.monotonic()
    redraws, size_bytes = _watch(terminal, MEASURED_S)
    passed_s = time.monotonic() - started
    share = (_cpu_s(pid) - before_s) / passed_s
    print(f"{what:<34} {share:>7.2%} {redraws / passed_s:>10.1f} {size_bytes / passed_s:>9.0f}")
    os.kill(pid, signal.SIGINT)
    _watch(terminal, 5.0)
    os.waitpid(pid, 0)
    os.close(terminal)


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "plugandtell", *arguments]


def _set_size(terminal: int) -> None:
    import fcntl  # noqa: PLC0415
    import termios  # noqa: PLC0415

    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 34, 120, 0, 0))


def _watch(terminal: int, seconds: float) -> tuple[int, int]:
    """Read for so long, or to the end; returns how many redraws there were, and their size."""
    until, redraws, size_bytes, read_at = time.monotonic() + seconds, 0, 0, 0.0
    while (left_s := until - time.monotonic()) > 0:
        if not select.select([terminal], [], [], left_s)[0]:
            break
        try:
            data = os.read(terminal, 65_536)
        except OSError:
            break
        now = time.monotonic()
        redraws += now - read_at > _APART_S
        size_bytes, read_at = size_bytes + len(data), now
    return redraws, size_bytes


def _cpu_s(pid: int) -> float:
    """User and system time of a process, without that of its children."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


main()
