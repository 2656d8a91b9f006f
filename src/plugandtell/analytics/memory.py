"""How much memory a process uses."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_KIB = 1024


def memory_bytes(pid: int) -> int | None:
    """Memory of a process; None where the system does not say, as Windows, or where the process is gone.

    On Linux without what it maps of files, which the system takes back when it needs to.
    """
    try:
        return _held_on_linux(pid) if sys.platform == "linux" else _told_by_ps(pid)
    except (OSError, KeyError, ValueError):
        return None


def _held_on_linux(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace").splitlines()
    fields = dict(line.split(":", 1) for line in lines)
    return _KIB * sum(int(fields[name].split()[0]) for name in ("RssAnon", "RssShmem"))


def _told_by_ps(pid: int) -> int:
    command = ["/bin/ps", "-o", "rss=", "-p", str(pid)]
    said = subprocess.run(command, capture_output=True, check=False, timeout=5)  # noqa: S603  (only the number varies)
    return _KIB * int(said.stdout)
