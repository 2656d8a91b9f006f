"""The tables, from nothing on or from what is there."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from asyncio.subprocess import PIPE
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine

from plugandtell.analytics.database import open_calls
from plugandtell.analytics.database.connection import FILE
from plugandtell.analytics.database.connection import database_url as get_database_url
from plugandtell.analytics.database.migrating import VERSION_TABLE
from plugandtell.analytics.database.schema import METADATA
from plugandtell.core.errors import FolderUnusable, StoreUnusable
from tests.analytics.database.moments import add

if TYPE_CHECKING:
    from pathlib import Path

START = """
import asyncio, sys
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4
from plugandtell.analytics.database import open_calls
from plugandtell.core.call import CallOptions
async def main():
    async with open_calls(sys.argv[1] or None, Path(sys.argv[2])) as calls:
        await calls.add(uuid4().hex, "file:///a.wav", "file", CallOptions(), datetime.now(UTC))
print("ready", flush=True)
sys.stdin.read()
asyncio.run(main())
"""


def run_sql(file: Path, *statements: str) -> None:
    with closing(sqlite3.connect(file)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


@pytest.mark.usefixtures("calls")
def test_the_migrations_make_what_the_schema_says(database_url: str | None, tmp_path: Path) -> None:
    engine = create_engine(get_database_url(database_url, tmp_path))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        assert compare_metadata(context, METADATA) == []
    engine.dispose()


async def test_what_was_written_is_there_at_the_next_start(tmp_path: Path) -> None:
    async with open_calls(None, tmp_path) as calls:
        await add(calls, "7f")
    async with open_calls(None, tmp_path) as calls:
        assert (await calls.get("7f")).call_id == "7f"


async def test_processes_that_start_at_once_make_the_tables_once(database_url: str | None, tmp_path: Path) -> None:
    arguments = ("-c", START, database_url or "", str(tmp_path))
    starters = [
        await asyncio.create_subprocess_exec(sys.executable, *arguments, stdin=PIPE, stdout=PIPE) for _ in range(3)
    ]
    for starter in starters:
        assert starter.stdout is not None
        await starter.stdout.readline()  # all are as far as the database
    await asyncio.gather(*(starter.communicate(b"go") for starter in starters))
    assert [starter.returncode for starter in starters] == [0, 0, 0]
    async with open_calls(database_url, tmp_path) as calls:
        assert len(await calls.list()) == 3


async def test_a_newer_database_is_left_alone(database_url: str | None, tmp_path: Path) -> None:
    async with open_calls(database_url, tmp_path):
        pass
    engine = create_engine(get_database_url(database_url, tmp_path))
    with engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE {VERSION_TABLE} SET version_num = '9999'")
    engine.dispose()
    with pytest.raises(StoreUnusable, match=r"a newer PlugAndTell made it \(schema 9999\); update"):
        async with open_calls(database_url, tmp_path):
            pass


async def test_a_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    run_sql(tmp_path / FILE, "CREATE TABLE calls (number TEXT)")
    with pytest.raises(StoreUnusable, match=r"table calls already exists; .*--database-url"):
        async with open_calls(None, tmp_path):
            pass
    with closing(sqlite3.connect(tmp_path / FILE)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("calls",)]


async def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("this is no database, however long it is " * 100)
    with pytest.raises(StoreUnusable, match="file is not a database"):
        async with open_calls(None, tmp_path):
            pass


async def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FolderUnusable, match="--data-dir"):
        async with open_calls(None, tmp_path / "file" / "data"):
            pass


async def test_the_folder_is_for_its_owner_alone(tmp_path: Path) -> None:
    async with open_calls(None, tmp_path / "a" / "data"):
        assert (tmp_path / "a" / "data").stat().st_mode & 0o077 == 0


async def test_the_calls_are_for_their_owner_alone_in_any_folder(tmp_path: Path) -> None:
    async with open_calls(None, tmp_path) as calls:
        await add(calls, "7f")
        for suffix in ("", "-wal", "-shm"):
            assert (tmp_path / f"{FILE}{suffix}").stat().st_mode & 0o077 == 0
