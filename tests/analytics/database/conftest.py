from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from plugandtell.analytics.database import StoredCalls, open_calls
from tests.support.stores import Postgres, needs_postgres, postgres_server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A server for all tests of this process, each with a database of its own. Who kills it revives it."""
    with postgres_server() as server:
        yield server


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=needs_postgres)])
def database_url(request: pytest.FixtureRequest) -> str | None:
    """A new database of each kind; None for the SQLite file in `tmp_path`."""
    if request.param == "sqlite":
        return None
    server = request.getfixturevalue("postgres")
    assert isinstance(server, Postgres)
    return server.new_database()


@pytest.fixture
async def calls(database_url: str | None, tmp_path: Path) -> AsyncIterator[StoredCalls]:
    async with open_calls(database_url, tmp_path) as calls:
        yield calls
