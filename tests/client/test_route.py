from __future__ import annotations

import asyncio
from typing import Any

import pytest

from plugandtell.client.route import has_route, route_returns


def test_there_is_always_a_way_to_this_machine() -> None:
    assert has_route(("127.0.0.1", 3000))


def test_there_is_none_through_an_interface_that_does_not_exist() -> None:
    assert not has_route(("fe80::1", 3000, 0, 99_999))


@pytest.mark.parametrize("looks", [[False, True], [True, True, False, False, True]])
async def test_it_waits_for_a_way_that_was_missing(looks: list[bool]) -> None:
    left = [*looks, False]

    def look(_address: tuple[Any, ...]) -> bool:
        return left.pop(0)

    await route_returns(("192.0.2.1", 3000), look, 0.0)
    assert left == [False]


async def test_it_waits_for_ever_while_there_is_one() -> None:
    looked_often = asyncio.Event()
    looks = 0

    def look(_address: tuple[Any, ...]) -> bool:
        nonlocal looks
        looks += 1
        if looks > 10:
            looked_often.set()
        return True

    waiting = asyncio.create_task(route_returns(("192.0.2.1", 3000), look, 0.0))
    await looked_often.wait()
    assert not waiting.done()
    waiting.cancel()
