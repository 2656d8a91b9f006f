"""A database server that is killed and comes back, that hangs, and that is not what it should be."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from plugandtell.analytics.database import StoredCalls, open_calls
from plugandtell.core.call import Stage
from plugandtell.core.errors import InvalidSetting, StoreUnreachable, StoreUnusable
from tests.analytics.database.moments import NOON, OPTIONS, add
from tests.support.processes import WITHIN_S, free_port
from tests.support.results import RESULTS
from tests.support.stores import PASSWORD, Postgres, needs_postgres

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = needs_postgres


@pytest.fixture
def mortal(postgres: Postgres) -> Iterator[Postgres]:
    """The same server, which the test may kill or have hang: it is there again for the next one."""
    yield postgres
    postgres.revive()


async def test_nothing_that_was_written_is_lost_when_the_server_is_killed(mortal: Postgres, tmp_path: Path) -> None:
    written: list[str] = []
    due = asyncio.Event()

    async def write(calls: StoredCalls) -> None:
        for number in range(120):
            while True:
                try:
                    await calls.add(f"{number:03}", "file:///a.wav", "file", OPTIONS, NOON)
                    break
                except StoreUnreachable:
                    await asyncio.sleep(0.01)
            written.append(f"{number:03}")
            if number % 40 == 20:
                due.set()

    async with open_calls(mortal.new_database(), tmp_path) as calls:
        writing = asyncio.create_task(write(calls))
        for _ in range(2):
            await due.wait()
            due.clear()
            mortal.kill()
            await asyncio.to_thread(mortal.start)
        async with asyncio.timeout(WITHIN_S):
            await writing
        assert sorted(call.call_id for call in await calls.list(limit=1000)) == written
        assert len(await calls.changes_since(0)) == len(written)


async def test_a_database_that_is_away_is_unreachable_and_goes_on_when_it_is_back(
    mortal: Postgres, tmp_path: Path
) -> None:
    async with open_calls(mortal.new_database(), tmp_path) as calls:
        await add(calls, "7f")
        mortal.kill()
        for _ in range(2):
            with pytest.raises(StoreUnreachable, match=r"127\.0\.0\.1") as caught:
                await calls.keep_result("7f", Stage.INTENT, RESULTS[Stage.INTENT], NOON)
            assert PASSWORD not in str(caught.value)
        await asyncio.to_thread(mortal.start)
        assert await calls.keep_result("7f", Stage.INTENT, RESULTS[Stage.INTENT], NOON)


async def test_a_database_that_hangs_is_unreachable_and_keeps_nobody_from_leaving(
    mortal: Postgres, tmp_path: Path
) -> None:
    url = f"{mortal.new_database()}?connect_timeout=2"
    async with asyncio.timeout(WITHIN_S), open_calls(url, tmp_path, answer_within_s=0.5) as calls:
        await add(calls, "7f")
        mortal.freeze()
        with pytest.raises(StoreUnreachable, match=r"no answer within 0.5 s"):
            await calls.get("7f")
        mortal.thaw()
        async with asyncio.timeout(WITHIN_S):
            while True:
                try:
                    assert (await calls.get("7f")).call_id == "7f"
                    break
                except StoreUnreachable:
                    pass
        mortal.freeze()
        with pytest.raises(StoreUnreachable):
            await calls.get("7f")
    mortal.thaw()


async def test_a_database_that_hangs_at_the_first_statement_keeps_nobody_from_leaving(
    postgres: Postgres, tmp_path: Path
) -> None:
    hangs = asyncio.Event()
    ends: list[asyncio.StreamWriter] = []

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            if hangs.is_set() and b"statement_timeout" in data:
                return
            writer.write(data)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", postgres.port)
        ends.extend((writer, far_writer))
        with suppress(OSError):
            await asyncio.gather(pass_on(reader, far_writer), pass_on(far_reader, writer))

    line = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = postgres.new_database().replace(f":{postgres.port}/", f":{line.sockets[0].getsockname()[1]}/")
    try:
        async with asyncio.timeout(WITHIN_S), open_calls(url, tmp_path, answer_within_s=0.5) as calls:
            await add(calls, "7f")
            hangs.set()
            for end in ends:
                end.transport.abort()
            with pytest.raises(StoreUnreachable, match="no answer within"):
                await calls.get("7f")
    finally:
        line.close()
        for end in ends:
            end.transport.abort()


async def test_nobody_answers_there(tmp_path: Path) -> None:
    url = f"postgresql://me:hunter2@127.0.0.1:{free_port()}/calls"
    with pytest.raises(StoreUnreachable, match=r"postgresql://me@127.0.0.1:\d+/calls") as caught:
        async with open_calls(url, tmp_path):
            pass
    assert "hunter2" not in str(caught.value)


async def test_a_wrong_password_is_not_shown(postgres: Postgres, tmp_path: Path) -> None:
    url = f"postgresql://postgres:wr0ng@127.0.0.1:{postgres.port}/postgres"
    with pytest.raises(StoreUnusable, match="password authentication failed") as caught:
        async with open_calls(url, tmp_path):
            pass
    assert "wr0ng" not in str(caught.value)


async def test_a_database_that_is_not_there_is_to_be_made(postgres: Postgres, tmp_path: Path) -> None:
    with pytest.raises(StoreUnusable, match='"nothing" does not exist'):
        async with open_calls(postgres.url("nothing"), tmp_path):
            pass


async def test_a_database_that_cannot_hold_every_language_is_refused(postgres: Postgres, tmp_path: Path) -> None:
    url = postgres.new_database("ENCODING 'LATIN1' TEMPLATE template0")
    with pytest.raises(StoreUnusable, match=r"keeps text as LATIN1, .*ENCODING 'UTF8'"):
        async with open_calls(url, tmp_path):
            pass


@pytest.mark.parametrize(
    "url",
    [
        "mysql://u:hunter2@host/x",
        "hunter2",
        "postgresql://u:hunter2@host:port/x",
        "postgresql://[hunter2/x",
        "postgresql://u:hunter2/@host/x",
        "postgresql+asyncpg://u:hunter2@host/x",
    ],
)
async def test_another_address_is_refused_without_its_password(url: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidSetting, match="--database-url") as caught:
        async with open_calls(url, tmp_path):
            pass
    assert "hunter2" not in str(caught.value)


async def test_a_standby_is_waited_for_until_it_takes_over(postgres: Postgres, tmp_path: Path) -> None:
    url = postgres.new_database()
    async with open_calls(url, tmp_path):
        pass
    name = url.rpartition("/")[2]
    postgres.run(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    async with open_calls(url, tmp_path) as calls:
        with pytest.raises(StoreUnreachable, match="read-only"):
            await add(calls, "7f")


async def test_of_many_processes_that_keep_a_result_at_once_one_does(postgres: Postgres, tmp_path: Path) -> None:
    url = postgres.new_database()
    async with open_calls(url, tmp_path) as one, open_calls(url, tmp_path) as other:
        await add(one, "7f")
        kept = [calls.keep_result("7f", Stage.INTENT, RESULTS[Stage.INTENT], NOON) for calls in (one, other) * 4]
        assert sorted(await asyncio.gather(*kept)) == [False] * 7 + [True]
