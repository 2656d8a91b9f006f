"""Waiting for what only a look at it can tell."""

from __future__ import annotations

import asyncio
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

_Value = TypeVar("_Value")
_WITHIN_S = 30.0
_PROC = Path("/proc")


async def until(look: Callable[[], _Value | None]) -> _Value:
    """Look until there is something to be seen, and return it. What is not there yet may raise OSError."""
    async with asyncio.timeout(_WITHIN_S):
        while True:
            with suppress(OSError):
                if found := look():
                    return found
            await asyncio.sleep(0.005)


async def ended(*pids: int) -> bool:
    """Wait until these processes are gone, or only wait for somebody to notice; then it is true."""
    return await until(lambda: not any(_state(pid) not in ("", "Z", "X") for pid in pids))


def _state(pid: int) -> str:
    """The first letter of its state as `ps` says it; empty where there is no such process."""
    if _PROC.is_dir():
        try:
            return (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return ""
    listed = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return listed.stdout.strip()[:1]
