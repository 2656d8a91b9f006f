"""The queue store of our own, for one machine: there while anybody needs it, and back at once when it dies.

Every process that needs it keeps it: the first one starts it, the others join, and when it ends, with the process that
started it or by itself, one of those that are left starts it anew, at the same address and with the same data.
"""

from __future__ import annotations

import asyncio
import random
from contextlib import asynccontextmanager
from math import inf
from typing import TYPE_CHECKING, Any

from plugandtell.analytics.store_server import StoreServer, answers, find_program, make_place, take_lock
from plugandtell.core.errors import InvalidSetting, PlugAndTellError, StoreUnreachable, StoreUnusable
from plugandtell.core.retry import Retry
from plugandtell.core.store_url import without_password
from plugandtell.logservice import get_logger

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from plugandtell.analytics.store_server import Place

_SCHEMES = ("redis", "rediss", "unix")
_LOOK_EVERY_S = 0.2
_READY_EVERY_S = 0.02
_READY_WITHIN_S = 120.0  # it reads some 100 MB of data a second
_LONGEST_PAUSE_S = 5.0
_PROVEN_AFTER_S = 10.0  # one that dies sooner, of a full disk for example, is started less and less often


@asynccontextmanager
async def open_store(url: str | None, data_dir: Path, environ: Mapping[str, str]) -> AsyncIterator[str]:
    """The address of a queue store that answers: one elsewhere, or our own.

    Our own may be away for a moment at any time, and is back at the same address with all that it acknowledged.

    Args:
        url: One elsewhere, whose answer is for its users to wait for; None for our own.
        data_dir: Where our own keeps its data, in a folder `queues`; made where it is missing. On a local disk.
        environ: Where to look for a server's program, if the package for it is not there, and what it inherits.

    Raises:
        InvalidSetting: The address is none of a queue store.
        FolderUnusable: The data folder cannot be used.
        StoreUnusable: Our own cannot be started.
        StoreUnreachable: It was started, by us or another process, and does not answer.
    """
    if url is not None:
        if url.partition("://")[0] not in _SCHEMES:
            expected = "redis://HOST:PORT, rediss://HOST:PORT or unix:///PATH"
            raise InvalidSetting("--queue-url", without_password(url), expected)
        yield url
        return
    keeper = _Keeper(find_program(environ), make_place(data_dir), environ)
    keeping = asyncio.create_task(keeper.keep())
    try:
        await keeper.answered(keeping)
        yield keeper.place.url
    finally:
        keeping.cancel()
        await asyncio.wait([keeping])


class _Keeper:
    """Starts the store whenever nobody has it."""

    def __init__(self, program: str, place: Place, environ: Mapping[str, str]) -> None:
        self.place = place
        self._program = program
        self._environ = environ
        self._has_answered = False

    async def answered(self, keeping: asyncio.Task[None]) -> None:
        """Wait until the store answers, whoever started it; raises what keeps it from it."""
        try:
            async with asyncio.timeout(_READY_WITHIN_S):
                while not await answers(self.place):
                    await asyncio.wait([keeping], timeout=_READY_EVERY_S)
                    if keeping.done():
                        keeping.result()
        except TimeoutError as exc:
            raise StoreUnreachable("queue store", self.place.url, f"not within {_READY_WITHIN_S:g} s") from exc
        self._has_answered = True

    async def keep(self) -> None:
        """Go on for ever. A start that fails is an error until the store has answered once, and is tried again later.

        Raises:
            FolderUnusable: The data folder cannot be written.
            StoreUnusable: The server ended before it answered, or cannot be started.
        """
        pauses = Retry(_LOOK_EVERY_S, _LONGEST_PAUSE_S, inf)
        now_s = asyncio.get_running_loop().time
        while True:
            began_s = now_s()
            try:
                lock = take_lock(self.place.folder)
                if lock is None:
                    await asyncio.sleep(_LOOK_EVERY_S)
                    continue
                await self._run(lock)
            except (PlugAndTellError, OSError) as error:
                if not self._has_answered:
                    raise
                get_logger().error("store_not_started", error=str(error))
            if now_s() - began_s >= _PROVEN_AFTER_S:
                pauses.progress()
            await asyncio.sleep(pauses.next_pause_s(now_s(), random.random()) or 0.0)  # noqa: S311

    async def _run(self, lock: int) -> None:
        """Have the server run until it ends, or this is cancelled."""
        starting = asyncio.create_task(StoreServer.start(self._program, self.place, lock, self._environ))
        try:
            await _to_its_end(starting)
            await self._watch(starting.result())
        finally:
            if starting.exception() is None:
                await _to_its_end(asyncio.create_task(starting.result().stop()))

    async def _watch(self, server: StoreServer) -> None:
        ending = asyncio.create_task(server.ended())
        try:
            while not await answers(self.place):
                await asyncio.wait([ending], timeout=_READY_EVERY_S)
                if ending.done():
                    hint = "see what it says, or name a store elsewhere with --queue-url"
                    cause = f"{self._program} ended with {ending.result()}: {server.last_words}"
                    raise StoreUnusable(self.place.name, cause, hint)
            status = await ending
            get_logger().error("store_died", status=status, last_words=server.last_words)
        finally:
            ending.cancel()


async def _to_its_end(task: asyncio.Task[Any]) -> None:
    """Wait for it however often we are cancelled, and be cancelled then."""
    is_cancelled = False
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError:
            is_cancelled = True
    if is_cancelled:
        raise asyncio.CancelledError
