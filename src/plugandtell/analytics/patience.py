"""Tries again what a store refuses, until it works: work that is done is not thrown away because a store restarts."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final, TypeVar

from plugandtell.core.errors import StoreUnreachable
from plugandtell.logservice import Throttle, get_logger

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_FIRST_PAUSE_S: Final = 0.05
_LONGEST_PAUSE_S: Final = 2.0
_Answer = TypeVar("_Answer")


async def patiently(ask: Callable[[], Awaitable[_Answer]]) -> _Answer:
    """What `ask` answers, however long its store stays away. What it does must do no harm when it is done twice."""
    pause_s = _FIRST_PAUSE_S
    throttle = Throttle(10.0)
    while True:
        try:
            return await ask()
        except StoreUnreachable as error:
            if throttle.is_due("waiting_for_store", time.monotonic()):
                get_logger().warning("waiting_for_store", error=str(error))
        await asyncio.sleep(pause_s)
        pause_s = min(_LONGEST_PAUSE_S, 2 * pause_s)
