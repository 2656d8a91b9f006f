"""Whether this machine has a way to the network: known at once when a cable is plugged in or a Wi-Fi joined."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_LOOK_EVERY_S = 0.25


def has_route(address: tuple[Any, ...]) -> bool:
    """Whether the system knows a way to a numeric address. Nothing is sent: connecting a datagram socket only looks."""
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(address)
        except OSError:
            return False
    return True


async def route_returns(
    address: tuple[Any, ...],
    has_route: Callable[[tuple[Any, ...]], bool] = has_route,
    look_every_s: float = _LOOK_EVERY_S,
) -> None:
    """Wait until there is a way again; for ever while there has always been one."""
    for wanted in (False, True):
        while has_route(address) is not wanted:  # noqa: ASYNC110  (no system tells of it in a way that all have)
            await asyncio.sleep(look_every_s)
