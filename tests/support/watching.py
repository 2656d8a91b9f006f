"""Waiting for what only a look at it can tell."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

_Value = TypeVar("_Value")
_WITHIN_S = 30.0


async def until(look: Callable[[], _Value]) -> _Value:
    """Look until there is something to be seen, and return it. What is not there yet may raise OSError."""
    async with asyncio.timeout(_WITHIN_S):
        while True:
            with suppress(OSError):
                if found := look():
                    return found
            await asyncio.sleep(0.005)


async def ended(*pids: int) -> None:
    """Wait until these processes are gone, or only wait for somebody to notice."""
    await until(lambda: not any(map(_runs, pids)))


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False
