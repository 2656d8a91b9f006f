"""Messages and sockets between a server and its workers, in order, however little the other end takes at once."""

from __future__ import annotations

import asyncio
import socket
import sys
from typing import TYPE_CHECKING

import pytest

if sys.platform == "win32":
    pytest.skip("Windows hands no connections on", allow_module_level=True)

from plugandtell.server.workers.channel import Channel, Message, Tag, receive_first
from tests.support.watching import until

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    first, second = socket.socketpair()
    for end in (first, second):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    with first, second:
        yield first, second


async def test_messages_arrive_in_order_each_with_its_socket(ends: tuple[socket.socket, socket.socket]) -> None:
    heard: list[Message] = []
    talking, listening = Channel(ends[0], heard.append), Channel(ends[1], heard.append)
    kept: list[socket.socket] = []
    for number in range(300):
        mine, passed = socket.socketpair()
        kept.append(mine)
        assert talking.send(Tag.LEFT, {"host": str(number)})
        assert talking.send(Tag.MOVE, {"number": number}, bytes([number % 256]) * (number * 50), passed)
    await until(lambda: len(heard) == 600)
    for number, (left, moved) in enumerate(zip(heard[::2], heard[1::2], strict=True)):
        assert (left.tag, left.facts) == (Tag.LEFT, {"host": str(number)})
        assert (moved.facts["number"], moved.data) == (number, bytes([number % 256]) * (number * 50))
        assert moved.sock is not None
        moved.sock.sendall(str(number).encode())
        moved.sock.close()
        assert kept[number].recv(10) == str(number).encode()
        kept[number].close()
    await talking.drain()
    talking.close()
    await listening.wait_closed()


async def test_a_socket_for_nobody_is_still_the_callers(ends: tuple[socket.socket, socket.socket]) -> None:
    channel = Channel(ends[0], lambda _: None)
    ends[1].close()
    mine, passed = socket.socketpair()
    with mine, passed:
        assert not channel.send(Tag.VISIT, {"host": "x"}, sock=passed)
        assert passed.fileno() >= 0
        assert not channel.send(Tag.STOP)
    await channel.wait_closed()
    await channel.drain()


async def test_what_waits_is_bounded_by_who_asks(ends: tuple[socket.socket, socket.socket]) -> None:
    channel = Channel(ends[0], lambda _: None)
    while not channel.is_full:
        assert channel.send(Tag.LEFT, {"host": "x" * 100})
    assert channel.send(Tag.STOP)
    channel.close()


async def test_the_first_message_needs_no_loop(ends: tuple[socket.socket, socket.socket]) -> None:
    channel = Channel(ends[0], lambda _: None)
    channel.send(Tag.START, {"number": 1}, b"settings")
    channel.send(Tag.STOP)
    message = await asyncio.to_thread(receive_first, ends[1])
    assert (message.tag, message.facts, message.data) == (Tag.START, {"number": 1}, b"settings")
    channel.close()
    rest = await asyncio.to_thread(receive_first, ends[1])
    assert rest.tag is Tag.STOP
    with pytest.raises(EOFError):
        receive_first(ends[1])
